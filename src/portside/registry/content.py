"""Moving bytes between a client and a blob store, off the event loop, a piece at a time.

Law: constant memory (design law 6). Nothing here holds more than a few pieces of a mebibyte.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

from portside.storage.blobs.port import SEGMENT, BlobStore

T = TypeVar("T")
PIECE = 16 * SEGMENT
"""Bytes that go through hash, seal and disk at once."""


class Hash(Protocol):
    """The part of hashlib's objects that is used here."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Count some bytes."""
        ...

    def hexdigest(self) -> str:
        """The hash of all counted bytes."""
        ...

    def copy(self) -> Hash:
        """The same state, to go on from twice."""
        ...


class Threads:
    """Runs blocking work in a bounded pool."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def run(self, work: Callable[[], T]) -> T:
        """Run it; a caller that is cancelled waits for its end, so that nothing goes on behind its back."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await until_done(future)
            raise


async def until_done(work: asyncio.Future[Any]) -> None:
    """Wait for the end of some work, however often the caller is cancelled meanwhile."""
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({work})


class Intake:
    """The receiving end of one upload: whole segments go to the store, the rest stays in `remainder`.

    At least one byte stays back, since the store must be told which segment is the last, and only the end of the
    upload tells. `counted` are hashes, by algorithm, that have counted what was written; empty when none has counted
    from the first byte on.
    """

    def __init__(
        self,
        blobs: BlobStore,
        threads: Threads,
        location: str,
        *,
        received: int,
        remainder: bytes,
        counted: Mapping[str, Hash],
    ) -> None:
        self._blobs = blobs
        self._threads = threads
        self._location = location
        self._written = received - len(remainder)
        self.remainder = bytearray(remainder)
        self.counted = counted

    @property
    def received(self) -> int:
        """Bytes taken so far, in all."""
        return self._written + len(self.remainder)

    def take(self, data: bytes) -> bool:
        """Take some bytes; whether a piece has come together, which is for `settle` to write."""
        self.remainder += data
        return len(self.remainder) > PIECE

    async def settle(self) -> None:
        """Write all but the last segment."""
        if len(self.remainder) > SEGMENT:
            await self._threads.run(self._write)

    async def digests(self, algorithms: frozenset[str]) -> dict[str, str]:
        """The hexadecimal hash of everything under each algorithm; reads what was written when nobody has counted."""
        return await self._threads.run(lambda: self._digests(algorithms))

    async def publish(self) -> int:
        """Write the end and make the whole durable; how many bytes it is."""
        return await self._threads.run(self._publish)

    def _write(self) -> None:
        size = (len(self.remainder) - 1) // SEGMENT * SEGMENT
        with memoryview(self.remainder) as held, held[:size] as piece:
            for one in self.counted.values():
                one.update(piece)
            self._blobs.write(self._location, self._written, piece, last=False)
        del self.remainder[:size]
        self._written += size

    def _digests(self, algorithms: frozenset[str]) -> dict[str, str]:
        counted = {name: one.copy() for name, one in self.counted.items() if name in algorithms}
        missing = {name: hashlib.new(name) for name in algorithms - counted.keys()}
        if missing:
            for offset in range(0, self._written, PIECE):
                piece = self._blobs.read(self._location, offset, min(PIECE, self._written - offset), None)
                for one in missing.values():
                    one.update(piece)
        counted |= missing
        for one in counted.values():
            one.update(self.remainder)
        return {name: counted[name].hexdigest() for name in algorithms}

    def _publish(self) -> int:
        self._blobs.write(self._location, self._written, bytes(self.remainder), last=True)
        self._blobs.publish(self._location, self.received)
        return self.received


def copy(blobs: BlobStore, source: str, target: str, size: int) -> None:
    """Stage again, elsewhere, the whole segments that are staged at `source`. Blocks."""
    for offset in range(0, size, PIECE):
        data = blobs.read(source, offset, min(PIECE, size - offset), None)
        blobs.write(target, offset, data, last=False)


async def outlet(
    blobs: BlobStore, threads: Threads, location: str, size: int, *, start: int, stop: int
) -> AsyncIterator[bytes]:
    """The bytes from `start` up to `stop` of a published blob, in pieces."""
    position = start
    while position < stop:
        aligned = position // SEGMENT * SEGMENT
        length = min(aligned + PIECE, stop) - aligned
        data = await threads.run(lambda at=aligned, count=length: blobs.read(location, at, count, size))
        yield data[position - aligned :] if position > aligned else data
        position = aligned + length
