"""Byte ranges of a blob: what a Range header asks for, and answers of several parts (RFC 9110, 14).

A header of another form asks for nothing and is answered with the whole (14.2); one that can be read and not be
satisfied is refused.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from portside.core.errors import InvalidRange
from portside.registry.content import Piece

_SPECIFIER = re.compile(r"([0-9]{0,19})-([0-9]{0,19})")
_MOST = 64
"""Ours: as many ranges as one request may ask for; beyond them the whole is sent, as RFC 9110, 14.2 allows."""
_GAP = 128
"""Bytes between two ranges that are sent along, since another part's head is longer (RFC 9110, 15.3.7.2)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to `stop`."""

    start: int
    stop: int

    def of(self, size: int) -> str:
        """The Content-Range that says so."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def asked(header: str | None, size: int) -> Sequence[Span]:
    """What a Range header asks for, in order and without overlaps; nothing for the whole. Raises InvalidRange."""
    unit, _, listed = (header or "").partition("=")
    # RFC 9110, 5.6.1.2: a list may have empty members and blanks around them.
    specifiers = [one for item in listed.split(",", _MOST * 2) if (one := item.strip(" \t"))]
    if unit.strip().lower() != "bytes" or not 0 < len(specifiers) <= _MOST:
        return ()
    found = [_SPECIFIER.fullmatch(one) for one in specifiers]
    pairs = [(one[1], one[2]) for one in found if one and one[0] != "-"]
    if len(pairs) < len(specifiers):
        return ()
    spans = [span for first, last in pairs if (span := _span(first, last, size)) is not None]
    if not spans:
        raise InvalidRange(size)
    return _joined(sorted(spans, key=lambda span: (span.start, span.stop)))


def _span(first: str, last: str, size: int) -> Span | None:
    """One range within the content; None when it holds nothing of it."""
    if first == "":
        span = Span(max(size - int(last), 0), size)
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
    return span if span.start < span.stop else None


def _joined(spans: Sequence[Span]) -> Sequence[Span]:
    joined = [spans[0]]
    for span in spans[1:]:
        if span.start <= joined[-1].stop + _GAP:
            joined[-1] = Span(joined[-1].start, max(joined[-1].stop, span.stop))
        else:
            joined.append(span)
    return joined


class Parts:
    """A multipart/byteranges body."""

    def __init__(self, spans: Sequence[Span], size: int, media_type: str, boundary: str) -> None:
        """`boundary` is text that the content does not have: random, and long enough."""
        self._spans = spans
        self._heads = [
            f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {span.of(size)}\r\n\r\n".encode()
            for span in spans
        ]
        self._end = f"\r\n--{boundary}--\r\n".encode()
        self.media_type = f"multipart/byteranges; boundary={boundary}"

    @property
    def length(self) -> int:
        """Bytes of the body."""
        content = sum(span.stop - span.start for span in self._spans)
        return content + sum(len(head) for head in self._heads) + len(self._end)

    async def body(self, read: Callable[[int, int], AsyncIterator[Piece]]) -> AsyncIterator[Piece]:
        """The parts, one after the other; a part's head comes with its first bytes, so that damage shows before it."""
        for span, head in zip(self._spans, self._heads, strict=True):
            due = head
            async for piece in read(span.start, span.stop):
                yield b"".join((due, piece)) if due else piece
                due = b""
        yield self._end
