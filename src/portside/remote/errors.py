"""What can go wrong with somebody else's registry, archive or engine: one class per thing to do about it.

Rule: the message is one sentence saying what happened, the advice one saying what to do next; neither holds a secret.
"""

from __future__ import annotations


class RemoteError(Exception):
    """Something outside could not be used; `str()` is the message with the advice behind it."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}: {self.advice}" if self.advice else self.message


class Unusable(RemoteError):
    """What was asked for cannot be meant: a reference, an option or a combination that makes no sense."""


class Unauthenticated(RemoteError):
    """There are no credentials for this host, or it does not take them."""


class Denied(RemoteError):
    """The host knows who asks, and does not allow it."""


class NotFound(RemoteError):
    """The repository, the image, the file or the engine is not there."""


class Unreachable(RemoteError):
    """The host does not answer, answers too late, or keeps answering that it cannot now."""


class WrongContent(RemoteError):
    """Bytes are not what their digest, their size or their format says."""


class Unexpected(RemoteError):
    """An answer that the protocol does not have."""
