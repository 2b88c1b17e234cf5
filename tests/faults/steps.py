"""Ports that count every step of a registry, and fail or die at a chosen one.

A step is a moment at which a process may end or a store may fail: before a call to the blob store, in the middle of a
write, after it; before a unit, before its commit, and between the commit and its answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from portside.storage.blobs.port import SEGMENT, BlobStore
from portside.storage.metadata.port import Metadata, Unit


class Died(BaseException):
    """The process is gone: not an Exception, so nothing that handles errors runs for it in vain."""


class Steps:
    """Counts from `arm` on, and acts at one step or at all steps from that one on."""

    def __init__(self) -> None:
        self._act: Callable[[], None] | None = None
        self._left = 0
        self._lasting = False
        self._dead = False
        self.fired: str | None = None

    def arm(self, number: int, act: Callable[[], None], *, lasting: bool = False) -> None:
        """Act at the step of this number, the next one being 1."""
        self._act, self._left, self._lasting, self.fired = act, number, lasting, None

    def disarm(self) -> None:
        """Count no more."""
        self._act = None

    def die(self) -> None:
        """End the process, as far as its ports can tell."""
        self._dead = True
        raise Died

    def reach(self, name: str) -> None:
        """A step of this name is reached."""
        if self._dead:
            raise Died
        if self._act is None:
            return
        self._left -= 1
        if self._left == 0 or (self._lasting and self._left < 0):
            self.fired = self.fired or name
            self._act()


class SteppedBlobs:
    """A BlobStore whose calls are steps."""

    def __init__(self, inner: BlobStore, steps: Steps) -> None:
        self._inner = inner
        self._reach = steps.reach

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        self._reach("before a write")
        if len(data) > SEGMENT:
            self._inner.write(location, offset, data[:SEGMENT], last=False)
            self._reach("within a write")
        self._inner.write(location, offset, data, last=last)
        self._reach("after a write")

    def publish(self, location: str, size: int) -> None:
        self._reach("before a publication")
        self._inner.publish(location, size)
        self._reach("after a publication")

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes | bytearray:
        self._reach("before a read")
        return self._inner.read(location, offset, length, size)

    def is_near(self, location: str, offset: int, length: int) -> bool:
        return self._inner.is_near(location, offset, length)

    def holds(self, location: str, size: int) -> bool:
        self._reach("before a look")
        return self._inner.holds(location, size)

    def delete(self, location: str) -> None:
        self._reach("before a deletion")
        self._inner.delete(location)
        self._reach("after a deletion")

    def check(self) -> None:
        self._inner.check()


class SteppedMetadata:
    """A Metadata whose units are steps."""

    def __init__(self, inner: Metadata, steps: Steps) -> None:
        self._inner = inner
        self._reach = steps.reach

    def reading(self) -> AbstractAsyncContextManager[Unit]:
        self._reach("before a reading unit")
        return self._inner.reading()

    @asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncIterator[Unit]:
        self._reach("before a unit")
        async with self._inner.writing(durable=durable) as unit:
            yield unit
            self._reach("before a commit")
        self._reach("between a commit and its answer")

    async def epoch(self) -> Hashable:
        return await self._inner.epoch()

    async def authority(self) -> Hashable:
        return await self._inner.authority()

    async def check(self) -> None:
        await self._inner.check()

    async def close(self) -> None:
        await self._inner.close()
