"""Moving bytes between a client and a blob store, off the event loop, a piece at a time.

Law: constant memory (design law 6). Nothing here holds more than a few pieces of a mebibyte.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol, TypeVar

from portside.storage.blobs.port import SEGMENT, BlobStore
from portside.storage.errors import StorageError

T = TypeVar("T")
Piece = bytes | bytearray | memoryview
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
        return await self.end(self.begin(work))

    def begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run it while the caller does something else; the caller sees to it that it has ended, with `end`."""
        # Straight back to the loop: a future of the executor's chained to one of the loop's costs half as much again.
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def carry_out() -> None:
            try:
                result = work()
            except BaseException as failure:  # noqa: BLE001 - it is the waiting task's
                loop.call_soon_threadsafe(future.set_exception, failure)
            else:
                loop.call_soon_threadsafe(future.set_result, result)

        self._executor.submit(carry_out)
        return future

    async def end(self, future: asyncio.Future[T]) -> T:
        """Wait for what was begun."""
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
        # As they came: one growing buffer would be copied again and again as it grows.
        self._held: list[bytes] = [remainder]
        self._waiting = len(remainder)
        self._writing: asyncio.Future[None] | None = None
        self.counted = counted

    @property
    def received(self) -> int:
        """Bytes taken so far, in all."""
        return self._written + self._waiting

    @property
    def remainder(self) -> bytes:
        """What was taken and is not on its way to the store."""
        if len(self._held) > 1:
            self._held = [b"".join(self._held)]
        return self._held[0]

    @property
    def is_idle(self) -> bool:
        """Whether `advance` would not have to wait."""
        return self._writing is None or self._writing.done()

    def take(self, data: bytes) -> bool:
        """Take some bytes; whether a piece has come together, which is for `advance` to write."""
        self._held.append(data)
        self._waiting += len(data)
        return self._waiting > PIECE

    async def advance(self) -> None:
        """Begin to write all but the last segment, when what was begun before is done; meanwhile more can be taken."""
        await self._written_so_far()
        size = (self._waiting - 1) // SEGMENT * SEGMENT
        taken, position, last = self._held, self._written, self._waiting - size
        if len(taken[-1]) < last:
            taken = [b"".join(taken)]
        self._held, self._waiting = [taken[-1][-last:]], last
        self._written += size
        self._writing = self._threads.begin(lambda: self._write(taken, size, position))

    async def settle(self) -> None:
        """Write all but the last segment, which is kept in a row and needs room there; raises NoSpace."""
        if not await self._written_but_the_last():
            self._blobs.check()  # here: a hop to a thread costs a small push a tenth, and the kernel knows at once

    async def stop(self) -> None:
        """Wait until nothing is being written any more, whatever came of it."""
        if self._writing is not None:
            await until_done(self._writing)
            self._writing.exception()  # told to whoever goes on; here it is enough that it ended

    async def _written_but_the_last(self) -> bool:
        """Write all but the last segment; whether there was more than that."""
        await self._written_so_far()
        if self._waiting <= SEGMENT:
            return False
        await self.advance()
        await self._written_so_far()
        return True

    async def _written_so_far(self) -> None:
        if self._writing is not None:
            writing = self._writing
            await self._threads.end(writing)
            self._writing = None

    async def digests(self, algorithms: frozenset[str]) -> dict[str, str]:
        """The hexadecimal hash of everything under each algorithm; reads what was written when nobody has counted."""
        await self._written_so_far()
        return await self._threads.run(lambda: self._digests(algorithms))

    async def publish(self) -> int:
        """Write the end and make the whole durable; how many bytes it is."""
        await self._written_but_the_last()
        return await self._threads.run(self._publish)

    def _write(self, taken: list[bytes], size: int, position: int) -> None:
        whole = taken[0] if len(taken) == 1 else b"".join(taken)
        with memoryview(whole) as view, view[:size] as piece:
            for one in self.counted.values():
                one.update(piece)
            self._blobs.write(self._location, position, piece, last=False)

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
        self._blobs.write(self._location, self._written, self.remainder, last=True)
        self._blobs.publish(self._location, self.received)
        return self.received


async def drop(blobs: BlobStore, threads: Threads, location: str) -> None:
    """Remove what nobody reads any more; a store that cannot now leaves garbage, which is no failure."""
    with contextlib.suppress(StorageError):
        await threads.run(partial(blobs.delete, location))


def copy(blobs: BlobStore, source: str, target: str, size: int) -> None:
    """Stage again, elsewhere, the whole segments that are staged at `source`. Blocks."""
    for offset in range(0, size, PIECE):
        data = blobs.read(source, offset, min(PIECE, size - offset), None)
        blobs.write(target, offset, data, last=False)


async def outlet(
    blobs: BlobStore, threads: Threads, location: str, size: int, *, start: int, stop: int, piece: int = PIECE
) -> AsyncIterator[Piece]:
    """The bytes from `start` up to `stop` of a published blob, in pieces of whole segments.

    What lies in memory is read here: a hop to a thread and back costs as much as a third of the reading.
    """
    first = start // SEGMENT * SEGMENT
    for position in range(first, stop if start < stop else first, piece):
        length = min(position + piece, stop) - position
        if blobs.is_near(location, position, length):
            data = blobs.read(location, position, length, size)
            await asyncio.sleep(0)  # others come between two pieces, however fast the reader is
        else:
            data = await threads.run(partial(blobs.read, location, position, length, size))
        yield memoryview(data)[start - position :] if position < start else data
