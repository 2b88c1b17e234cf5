"""Pages of a list, and the opaque tokens that continue them.

A token is sealed and bound to its query: it names a position, cannot be read or made up, and continues only the list
that it came from. Positions are keys of rows, not counts, so a list stays whole while its members come and go.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from portside.core.errors import InvalidParameter
from portside.identity.box import Box, BoxError

T = TypeVar("T")
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page; `next_token` is None on the last."""

    items: Sequence[T]
    next_token: str | None


class PageTokens:
    """Seals and opens positions."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def seal(self, query: str, position: Sequence[Any]) -> str:
        """A token for what comes after `position` in the list that `query` names."""
        content = json.dumps(list(position), separators=(",", ":")).encode()
        return urlsafe_b64encode(self._box.seal(content, query.encode())).decode("ascii")

    def open(self, query: str, token: str) -> list[Any]:
        """The position in a token; raises InvalidParameter for one that is not of this list."""
        try:
            return json.loads(self._box.open(_sealed(token), query.encode()))
        except (ValueError, BoxError):
            raise InvalidParameter("nextToken", "Invalid next token") from None


def _sealed(token: str) -> bytes:
    """What a token stands for; raises ValueError for a text that `seal` would not have written."""
    if len(token) > _LONGEST:
        raise ValueError("too long")
    found = b64decode(token, altchars=b"-_", validate=True)
    # Base64 that is read still has other forms: the standard alphabet, and bits of the last character that say nothing.
    if urlsafe_b64encode(found).decode("ascii") != token:
        raise ValueError("another form")
    return found
