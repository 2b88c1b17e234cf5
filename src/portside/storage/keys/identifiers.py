"""The ids of data keys. One says how many times its key seals, and so does every location that begins with it.

The key itself is not needed to know: sizes of stored content are looked at while nobody may use the key.
"""

from __future__ import annotations

import os

_TWICE = "x2"
"""The end of the id of a key that seals twice; the rest is hexadecimal, which has no such letter."""


def new_identifier(*, twice: bool) -> str:
    """An id for a new key, which seals once or twice."""
    return os.urandom(16).hex() + (_TWICE if twice else "")


def seals_twice(identifier: str) -> bool:
    """Whether the key of this id seals twice."""
    return identifier.endswith(_TWICE)
