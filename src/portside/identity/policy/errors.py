"""What is wrong with a policy document."""

from __future__ import annotations


class PolicyError(Exception):
    """A document that is no policy of its kind; `reason` says why, for logs and for people, never for the wire."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
