"""What this process has read and need not read again, until anything changes anywhere (design law 5).

Everything is forgotten as soon as the metadata's epoch moves, and a commit of any process moves it; so a tag moved or
a right revoked through one worker is seen by the next request on another. Within an epoch nothing can be stale.

What rests on nothing but who may do what is kept for as long as the version of that stands: pushes move the epoch all
the time, and the version never.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from portside.storage.metadata.port import Metadata

T = TypeVar("T")
_BUDGET = 32 * 1024 * 1024
_OVERHEAD = 1024
"""Bytes that a small value counts for, with its key."""


class Recollection:
    """Values read from the metadata that still hold: at most about 32 MiB of each of the two kinds."""

    def __init__(self, metadata: Metadata, budget: int = _BUDGET) -> None:
        self._metadata = metadata
        self._epoch: Hashable = None
        self._of_epoch = _Shelf(budget)
        self._of_authority = _Shelf(budget)

    async def recall(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, size: Callable[[T], int] = lambda _: 0
    ) -> T:
        """The value of a key in this epoch: remembered, or read now.

        `size` is what the value holds in bytes beside small things. What raises is not remembered.
        """
        await self._catch_up()
        return await self._of_epoch.recall(key, read, size)

    async def recall_authority(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """The same for what is read from `tables.OF_AUTHORITY` alone."""
        await self._catch_up()
        return await self._of_authority.recall(key, read, lambda _: 0)

    async def _catch_up(self) -> None:
        epoch = await self._metadata.epoch()
        if epoch != self._epoch:
            # After the epoch: a version that moves in between is seen by the next request, for which it moved too.
            version = await self._metadata.authority()
            self._of_epoch.turn(epoch)
            self._of_authority.turn(version)
            self._epoch = epoch


class _Shelf:
    """Values that hold as long as a mark stands."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._mark: Hashable = None
        self._values: dict[Hashable, Any] = {}
        self._left = budget

    def turn(self, mark: Hashable) -> None:
        """Forget everything unless the mark is the same."""
        if mark != self._mark:
            self._forget()
            self._mark = mark

    async def recall(self, key: Hashable, read: Callable[[], Awaitable[T]], size: Callable[[T], int]) -> T:
        if key in self._values:
            return self._values[key]
        mark = self._mark
        value = await read()
        # Read under this mark or a later one, in which case the next to look forgets it.
        if mark == self._mark:
            self._remember(key, value, size(value) + _OVERHEAD)
        return value

    def _remember(self, key: Hashable, value: object, size: int) -> None:
        if size > self._left:
            self._forget()
        if size <= self._left:
            self._values[key] = value
            self._left -= size

    def _forget(self) -> None:
        self._values.clear()
        self._left = self._budget
