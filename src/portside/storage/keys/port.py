"""The keys port: a master key that wraps data keys.

Rule: a keeper knows wrapping and unwrapping; it has never heard of a repository, a blob or a row. Wrapped keys are
kept by whoever asked for the wrapping. `context` is authenticated: a key wrapped for one purpose opens for no other.
"""

from __future__ import annotations

from typing import Protocol


class KeyKeeper(Protocol):
    """Wraps keys under a master key that never leaves it. Calls block briefly."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Encrypt a key, or what another key sealed of one, of at most a few hundred bytes; bound to `context`."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt what `wrap` gave; raises storage.errors.Damaged for another master key, context or text."""
        ...
