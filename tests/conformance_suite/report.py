"""The page that says how Portside did. Pure, and the same for every run with the same results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance_suite.building import MODULE, VERSION
from tests.conformance_suite.running import OPTIONS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.conformance_suite.results import Results

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "conformance.md"

_HEAD = f"""# OCI conformance

How Portside does in the conformance suite of the OCI Distribution Specification, version 1.1, with every option of the
suite on. This page is written by `make conformance`, which builds the suite, runs it against a server of its own, and
fails when one check fails; the test suite runs the same and compares this page.

- the suite: `{MODULE}` at `{VERSION}`
- on besides its defaults: {", ".join(f"`{name}`" for name in OPTIONS if name != "OCI_VERSION")}
- `portside serve {" ".join(SETTINGS)}`; off, which is ECR's rule, a manifest must not name what its repository lacks
- the account setting `BLOB_MOUNTING` is set to `ENABLED` first

"""


def page(results: Results) -> str:
    """Return the page's text."""
    tally = {name.capitalize(): str(count) for name, count in results.tally.items()}
    return (
        _HEAD
        + _table("checks", "how many", {**tally, "Total": str(results.total)})
        + _table("API", "result", results.apis)
        + _table("data", "result", results.data)
        + _list(results.troubles)
    ).rstrip("\n") + "\n"


def _table(first: str, second: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {first} | {second} |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return "\n".join(lines) + "\n\n"


def _list(troubles: Iterable[str]) -> str:
    if not (lines := [f"- {line}" for line in sorted(troubles)]):
        return ""
    return "Not passed:\n\n" + "\n".join(lines) + "\n"
