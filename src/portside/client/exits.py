"""Exit codes of the push tool, one per thing to do about a failure. docs/reference/push.md lists them."""

from __future__ import annotations

from portside.remote.ecr_api import EcrError
from portside.remote.errors import (
    Denied,
    NotFound,
    RemoteError,
    Unauthenticated,
    Unexpected,
    Unreachable,
    Unusable,
    WrongContent,
)
from portside.remote.progress import Stopped
from portside.remote.registry import Refusal

EXITS: dict[type[RemoteError], int] = {
    Unusable: 2,
    Unauthenticated: 3,
    Denied: 4,
    NotFound: 5,
    Unreachable: 6,
    Unexpected: 6,
    Refusal: 6,
    EcrError: 6,
    WrongContent: 7,
    Stopped: 130,
}

WORDS: dict[int, str] = {
    2: "usage",
    3: "credentials",
    4: "denied",
    5: "not-found",
    6: "network",
    7: "content",
    130: "interrupted",
}
"""What `--output json` calls them."""


def exit_code(failure: RemoteError) -> int:
    """The code that a failure ends with."""
    return next(EXITS[kind] for kind in type(failure).__mro__ if kind in EXITS)


def document(failure: RemoteError) -> dict[str, dict[str, object]]:
    """A failure as `--output json` prints it: `{"error": {"code", "kind", "message", "advice"}}`."""
    code = exit_code(failure)
    return {"error": {"code": code, "kind": WORDS[code], "message": failure.message, "advice": failure.advice}}
