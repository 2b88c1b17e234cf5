"""What a check found. Rule: a finding that is not good says what to do, and holds no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from portside.client.exits import exit_code
from portside.remote.errors import RemoteError


class State(Enum):
    """How it is."""

    GOOD = "ok"
    NOTE = "note"
    """It works, and may surprise."""
    BAD = "failed"
    SKIPPED = "skipped"
    """Something before it failed, or it is of no concern here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    topic: str
    state: State
    found: str
    advice: str = ""
    code: int = 0
    """The exit code, for one that failed."""

    def as_json(self) -> dict[str, Any]:
        """The finding as `--output json` prints it."""
        return {"topic": self.topic, "state": self.state.value, "found": self.found, "advice": self.advice}


def good(topic: str, found: str) -> Finding:
    """All is well."""
    return Finding(topic, State.GOOD, found)


def note(topic: str, found: str, advice: str = "") -> Finding:
    """It works, and may surprise."""
    return Finding(topic, State.NOTE, found, advice)


def skipped(topic: str, found: str) -> Finding:
    """Not looked at, and why."""
    return Finding(topic, State.SKIPPED, found)


def bad(topic: str, failure: RemoteError) -> Finding:
    """A failure, in its own words."""
    return Finding(topic, State.BAD, failure.message, failure.advice, exit_code(failure))


def tried(topic: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check found; a failure ends it and is its last finding."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except RemoteError as failure:
        found.append(bad(topic, failure))
    return found


def first_code(findings: Iterable[Finding]) -> int:
    """The exit code of the first that failed; 0 when none did."""
    return next((one.code for one in findings if one.state is State.BAD), 0)
