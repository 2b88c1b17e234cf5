"""Ports that fail, wait or count, over real ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from portside.storage.blobs.port import Found, InventoriedBlobs
from portside.storage.errors import NoSpace
from portside.storage.metadata.port import Metadata, Unit


class Blobs:
    """A store that calls `before[name]` before it does `name`, and `after[name]` after it; `calls` counts."""

    def __init__(self, inner: InventoriedBlobs) -> None:
        self._inner = inner
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.calls: dict[str, int] = {}
        self.near = True

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

    def is_near(self, location: str, offset: int, length: int) -> bool:
        return self.near and self._inner.is_near(location, offset, length)

    def holds(self, location: str, size: int) -> bool:
        self._reached("holds")
        return self._inner.holds(location, size)

    def delete(self, location: str) -> None:
        self._reached("delete")
        self._inner.delete(location)
        self.after.get("delete", lambda: None)()

    def check(self) -> None:
        self._reached("check")
        self._inner.check()

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        self._reached("locations")
        found = self._inner.locations(after, limit)
        self.after.get("locations", lambda: None)()
        return found

    def set_aside(self, location: str) -> None:
        self._reached("set_aside")
        self._inner.set_aside(location)


class Aged(Blobs):
    """A store whose files are as old as the test's clock says; `written` is common to all processes at one folder."""

    def __init__(self, inner: InventoriedBlobs, clock: Callable[[], int], written: dict[str, int]) -> None:
        super().__init__(inner)
        self._clock = clock
        self._written = written

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        # Before, since another process may list the file as soon as it is there.
        self._written[location] = self._clock()
        super().write(location, offset, data, last=last)

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        found = super().locations(after, limit)
        return [replace(one, modified_at=self._written[one.location]) for one in found]


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

    While it is `pausing`, it waits for `go_on` before it begins a durable unit. It calls `before_unit` before each unit
    of writing, and `before_commit` at its end.
    """

    def __init__(self, inner: Metadata) -> None:
        self._inner = inner
        self.failure: Exception | None = None
        self.durable_only = False
        self.pausing = False
        self.readings = 0
        self.before_unit: Callable[[], None] | None = None
        self.before_commit: Callable[[], None] | None = None
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def reading(self) -> AbstractAsyncContextManager[Unit]:
        self.readings += 1
        return self._inner.reading()

    @asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncIterator[Unit]:
        if self.pausing and durable:
            self.reached.set()
            await self.go_on.wait()
        if self.before_unit is not None:
            self.before_unit()
        async with self._inner.writing(durable=durable) as unit:
            yield unit
            if self.before_commit is not None:
                self.before_commit()
            if self.failure is not None and (durable or not self.durable_only):
                raise self.failure

    async def epoch(self) -> Hashable:
        return await self._inner.epoch()

    async def authority(self) -> Hashable:
        return await self._inner.authority()

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
