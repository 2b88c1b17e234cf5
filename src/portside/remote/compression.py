"""Compressing layers: the same bytes always give the same result, whatever the number of cores.

gzip is one member whose deflate data is made of blocks of a MiB that know nothing of each other, so that all cores
work; zstd's own workers cut the data the same way however many they are. The result is the same for the same version of
the library; another version may compress otherwise, and then a layer has another digest.
Sources: RFC 1951, RFC 1952 2.3; Zstandard manual, ZSTD_c_nbWorkers.
"""

from __future__ import annotations

import os
import struct
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from isal import isal_zlib

from portside.remote.errors import Unusable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Neither module has complete types.
_ZLIB: Any = isal_zlib
ZSTD: Any = zstd

BLOCK = 1024 * 1024
_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")  # no name, no time, any system
_LAST_BLOCK = bytes.fromhex("0300")  # an empty final block, RFC 1951 3.2.6
GZIP_LEVELS = range(4)
ZSTD_LEVELS = range(1, 20)
KINDS = ("gzip", "zstd", "none")
_AHEAD = 6
"""Blocks of one layer that are compressed at a time: more would hold more memory than they save time."""
_DEFAULTS = {"gzip": 1, "zstd": 3, "none": 0}


@dataclass(frozen=True, slots=True)
class Compression:
    """How layers are compressed."""

    kind: str = "gzip"
    level: int = 1

    @classmethod
    def of(cls, kind: str, level: int | None) -> Compression:
        """Check what a person asked for; raises Unusable."""
        chosen = _DEFAULTS[kind] if level is None else level
        levels = {"gzip": GZIP_LEVELS, "zstd": ZSTD_LEVELS, "none": range(1)}[kind]
        if chosen not in levels:
            raise Unusable(f"{kind} has no level {chosen}", f"choose one of {levels.start} to {levels.stop - 1}")
        return cls(kind, chosen)

    @property
    def key(self) -> str:
        """Names everything that the result depends on besides the bytes."""
        return "none" if self.kind == "none" else f"{self.kind}-{self.level}-{_version(self.kind)}"

    @property
    def suffix(self) -> str:
        """What a layer's media type ends in."""
        return {"gzip": "gzip", "zstd": "zstd", "none": ""}[self.kind]


def compressed(pieces: Iterable[bytes], how: Compression, threads: ThreadPoolExecutor) -> Iterator[bytes]:
    """The compressed bytes, in pieces; `threads` do the work of gzip, and how many they are changes nothing."""
    if how.kind == "none":
        yield from pieces
    elif how.kind == "gzip":
        yield from _gzip(_blocks(pieces), how.level, threads)
    else:
        yield from _zstd(pieces, how.level)


def _gzip(blocks: Iterable[bytes], level: int, threads: ThreadPoolExecutor) -> Iterator[bytes]:
    def deflated(block: bytes) -> bytes:
        machine = _ZLIB.compressobj(level, _ZLIB.DEFLATED, -15)
        return machine.compress(block) + machine.flush(_ZLIB.Z_SYNC_FLUSH)

    yield _GZIP_HEADER
    waiting: deque[Future[bytes]] = deque()
    ahead = min(2 * (os.cpu_count() or 1), _AHEAD)
    check, size = 0, 0
    for block in blocks:
        waiting.append(threads.submit(deflated, block))
        check = _ZLIB.crc32(block, check)
        size += len(block)
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
    yield _LAST_BLOCK + struct.pack("<II", check, size & 0xFFFFFFFF)


def _zstd(pieces: Iterable[bytes], level: int) -> Iterator[bytes]:
    options = {
        ZSTD.CompressionParameter.compression_level: level,
        ZSTD.CompressionParameter.checksum_flag: 1,
        ZSTD.CompressionParameter.nb_workers: min(max(2, os.cpu_count() or 1), _AHEAD),
        ZSTD.CompressionParameter.job_size: BLOCK,
    }
    machine = ZSTD.ZstdCompressor(options=options)
    for piece in pieces:
        if out := machine.compress(piece):
            yield out
    yield machine.flush()


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        if not held and len(piece) == BLOCK:
            yield piece
            continue
        held += piece
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)


def _version(kind: str) -> str:
    return f"isal-{version('isal')}" if kind == "gzip" else f"zstd-{ZSTD.zstd_version}"
