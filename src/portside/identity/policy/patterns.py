"""Patterns with `*` (any run of characters) and `?` (any one), matched in time linear in the text.

A pattern is split at its stars into pieces. The first must begin the text, the last must end it, and each one between
is taken at the first place where it fits: no choice is ever taken back. A piece with question marks is searched for
with one bit for each of its characters (Baeza-Yates and Gonnet, shift-and), so a hostile pattern costs no more than
its length in machine words for every character of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final


class Wildcard:
    """A wildcard in a list of tokens; a star or a question mark in a text token stands for itself."""

    __slots__ = ("sign",)

    def __init__(self, sign: str) -> None:
        self.sign = sign

    def __repr__(self) -> str:
        return self.sign


ANY: Final = Wildcard("*")
ONE: Final = Wildcard("?")

Token = str | Wildcard
_Piece = tuple[str | None, ...]
"""Characters, None for a question mark."""


def tokens(text: str) -> list[Token]:
    """Split a pattern as it is written in a policy."""
    found: list[Token] = []
    start = 0
    for at, sign in enumerate(text):
        if sign in "*?":
            if at > start:
                found.append(text[start:at])
            found.append(ANY if sign == "*" else ONE)
            start = at + 1
    if start < len(text):
        found.append(text[start:])
    return found


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_head", "_least", "_middle", "_prefix", "_tail", "exact")

    def __init__(self, parts: Sequence[Token]) -> None:
        self.exact: str | None = None
        """The one text that fits, of a pattern without wildcards."""
        self._prefix: str | None = None
        plain = [part for part in parts if isinstance(part, str)]
        if len(plain) == len(parts):
            self.exact = "".join(plain)
            return
        if parts[-1] is ANY and len(plain) == len(parts) - 1:
            self._prefix = "".join(plain)
            return
        pieces = _pieces(parts)
        self._head, *middle = pieces
        self._tail: _Piece | None = middle.pop() if middle else None
        self._middle = [_Searched(piece) for piece in middle if piece]
        self._least = sum(map(len, pieces))

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Compile a pattern as it is written in a policy."""
        return cls(tokens(text))

    def matches(self, text: str) -> bool:
        """Whether the whole text fits."""
        if self.exact is not None:
            return text == self.exact
        if self._prefix is not None:
            return text.startswith(self._prefix)
        if len(text) < self._least or not _fits(self._head, text, 0):
            return False
        if self._tail is None:  # no star: every character has its place
            return len(text) == self._least
        at, end = len(self._head), len(text) - len(self._tail)
        for piece in self._middle:
            at = piece.end(text, at, end)
            if at < 0:
                return False
        return _fits(self._tail, text, end)


class _Searched:
    """A piece between two stars."""

    __slots__ = ("_masks", "_other", "_plain", "_top")

    def __init__(self, piece: _Piece) -> None:
        self._plain = None if None in piece else "".join(sign for sign in piece if sign is not None)
        anywhere = sum(1 << at for at, sign in enumerate(piece) if sign is None)
        self._masks: dict[str, int] = {}
        for at, sign in enumerate(piece):
            if sign is not None:
                self._masks[sign] = self._masks.get(sign, anywhere) | 1 << at
        self._other = anywhere
        self._top = 1 << len(piece) - 1

    def end(self, text: str, start: int, end: int) -> int:
        """Where the first occurrence within `text[start:end]` ends; -1 when there is none."""
        if self._plain is not None:
            at = text.find(self._plain, start, end)
            return at if at < 0 else at + len(self._plain)
        state, masks, other, top = 0, self._masks, self._other, self._top
        for at in range(start, end):
            state = (state << 1 | 1) & masks.get(text[at], other)
            if state & top:
                return at + 1
        return -1


def _pieces(parts: Sequence[Token]) -> list[_Piece]:
    pieces: list[list[str | None]] = [[]]
    for part in parts:
        if part is ANY:
            pieces.append([])
        elif isinstance(part, str):
            pieces[-1].extend(part)
        else:
            pieces[-1].append(None)
    return [tuple(piece) for piece in pieces]


def _fits(piece: _Piece, text: str, start: int) -> bool:
    return all(sign is None or sign == text[start + at] for at, sign in enumerate(piece))
