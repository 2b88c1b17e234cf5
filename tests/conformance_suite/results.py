"""What the suite printed, read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TALLY = re.compile(r"  (Disabled|Skip|Pass|FAIL|Error)\.*: +([0-9]+)")
_LINE = re.compile(r"  (.+?)\.*: +(Disabled|Skip|Pass|FAIL|Error|Unknown)")
_TEST = re.compile(r" *(OCI Conformance Test(?:/.+)?): (Disabled|Skip|Pass|FAIL|Error|Unknown)")


@dataclass(frozen=True)
class Results:
    """How many checks ended how, and what became of each API and each kind of data."""

    tally: dict[str, int]
    apis: dict[str, str]
    data: dict[str, str]
    troubles: list[str]
    """Every check that did not pass, with its reason."""

    @property
    def failed(self) -> int:
        """Return how many checks failed, or could not be made."""
        return self.tally["FAIL"] + self.tally["Error"]

    @property
    def total(self) -> int:
        """Return how many checks there are."""
        return sum(self.tally.values())


def read(printed: str, complaints: str = "") -> Results:
    """Read the report; raises ValueError for one that is not whole."""
    if "Data conformance:" not in printed:
        raise ValueError(f"the suite ended before its report: {complaints or printed}")
    tests, _, rest = printed.partition("\nConfiguration:\n")
    _, _, rest = rest.partition("OCI Conformance Result:")
    counts, _, rest = rest.partition("API conformance:")
    apis, _, data = rest.partition("Data conformance:")
    return Results(
        {name: int(count) for name, count in _TALLY.findall(counts)},
        dict(_LINE.findall(apis)),
        dict(_LINE.findall(data)),
        list(_troubles(tests)),
    )


def _troubles(tests: str) -> list[str]:
    """Each line of a check that did not pass, with the lines of its reason; those above it only repeat its status."""
    found: list[str] = []
    lines = tests.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        test = _TEST.fullmatch(line)
        if test is None:
            if found and found[-1].endswith(":"):
                found[-1] += f" {line.strip(' -')}"
        elif test[2] != "Pass" and not after.strip().startswith(f"{test[1]}/"):
            found.append(f"{test[1].removeprefix('OCI Conformance Test/')}: {test[2]}:")
    return found
