"""Ports that fail, wait or count, over real ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from portside.storage.blobs.port import BlobStore
from portside.storage.errors import NoSpace
from portside.storage.metadata.port import Metadata, Unit


class Blobs:
    """A BlobStore that calls `before[name]` before it does `name`; `calls` counts."""

    def __init__(self, inner: BlobStore) -> None:
        self._inner = inner
        self.before: dict[str, Callable[[], None]] = {}
        self.calls: dict[str, int] = {}

    def _reached(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        self.before.get(name, lambda: None)()

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        self._reached("write")
        self._inner.write(location, offset, data, last=last)

    def publish(self, location: str, size: int) -> None:
        self._reached("publish")
        self._inner.publish(location, size)

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes:
        self._reached("read")
        return self._inner.read(location, offset, length, size)

    def holds(self, location: str, size: int) -> bool:
        self._reached("holds")
        return self._inner.holds(location, size)

    def delete(self, location: str) -> None:
        self._reached("delete")
        self._inner.delete(location)

    def check(self) -> None:
        self._inner.check()


def fail_from(number: int, failure: Exception) -> Callable[[], None]:
    """Fail at the call of this number, and at every later one."""
    left = [number]

    def reached() -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise failure

    return reached


class Gate:
    """Where a worker thread waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self._open.wait(30)

    def open(self) -> None:
        self._open.set()


class Rows:
    """A Metadata whose commits fail with `failure` while it is set, all or the durable ones only.

    While it is `pausing`, it waits for `go_on` before it begins a durable unit.
    """

    def __init__(self, inner: Metadata) -> None:
        self._inner = inner
        self.failure: Exception | None = None
        self.durable_only = False
        self.pausing = False
        self.readings = 0
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def reading(self) -> AbstractAsyncContextManager[Unit]:
        self.readings += 1
        return self._inner.reading()

    @asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncIterator[Unit]:
        if self.pausing and durable:
            self.reached.set()
            await self.go_on.wait()
        async with self._inner.writing(durable=durable) as unit:
            yield unit
            if self.failure is not None and (durable or not self.durable_only):
                raise self.failure

    async def epoch(self) -> Hashable:
        return await self._inner.epoch()

    async def check(self) -> None:
        await self._inner.check()

    async def close(self) -> None:
        await self._inner.close()


class Untouchable:
    """A port that nobody may have used: every use is an error."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was used before the gate was asked")


def full_disk() -> NoSpace:
    return NoSpace("The disk is full.")
