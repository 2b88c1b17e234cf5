"""Decompressing layers as a stream: in small pieces, however much there is in them (RFC 1952, RFC 8878)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from isal import isal_zlib

from portside.remote.compression import ZSTD
from portside.remote.errors import WrongContent

_PIECE = 1024 * 1024
_ZLIB: Any = isal_zlib


class Expander(Protocol):
    """Takes compressed bytes and gives what is in them. Raises WrongContent."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What the bytes so far hold that was not given yet, in pieces of a MiB at most; to be read to its end."""
        ...

    def end(self) -> None:
        """There are no more bytes. Raises WrongContent when there should be."""
        ...


def expander(kind: str) -> Expander:
    """An expander for `gzip`, `zstd` or `none`."""
    return {"gzip": _Gzip, "zstd": _Zstandard, "none": _Nothing}[kind]()


def expanded(pieces: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """The bytes within gzip, zstd or nothing. Raises WrongContent."""
    machine = expander(kind)
    for piece in pieces:
        yield from machine.feed(piece)
    machine.end()


class _Nothing:
    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def end(self) -> None:
        pass


class _Gzip:
    def __init__(self) -> None:
        self._machine: Any = _ZLIB.decompressobj(31)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        rest = piece
        while rest:
            if self._machine.eof:
                self._machine = _ZLIB.decompressobj(31)  # one more member
            try:
                out = self._machine.decompress(rest, _PIECE)
            except (zlib.error, _ZLIB.error) as error:
                raise _damaged(error) from None
            rest = self._machine.unused_data if self._machine.eof else self._machine.unconsumed_tail
            if out:
                yield out

    def end(self) -> None:
        if not self._machine.eof:
            raise _damaged("it ends too early")


class _Zstandard:
    def __init__(self) -> None:
        self._machine: Any = ZSTD.ZstdDecompressor()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        rest = piece
        while True:
            if self._machine.eof and rest:
                self._machine = ZSTD.ZstdDecompressor()  # one more frame
            if self._machine.eof:
                return
            try:
                out = self._machine.decompress(rest, _PIECE)
            except ZSTD.ZstdError as error:
                raise _damaged(error) from None
            rest = self._machine.unused_data if self._machine.eof else b""
            if out:
                yield out
            if not rest and self._machine.needs_input:
                return

    def end(self) -> None:
        if not self._machine.eof:
            raise _damaged("it ends too early")


def _damaged(why: object) -> WrongContent:
    return WrongContent(f"A layer cannot be decompressed ({why})", "the source is damaged")
