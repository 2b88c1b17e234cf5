"""What this process has read and need not read again, until anything changes anywhere (design law 5).

Everything is forgotten as soon as the metadata's epoch moves, and a commit of any process moves it; so a tag moved or
a right revoked through one worker is seen by the next request on another. Within an epoch nothing can be stale.
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
    """Values read from the metadata in the present epoch, at most about 32 MiB of them."""

    def __init__(self, metadata: Metadata, budget: int = _BUDGET) -> None:
        self._metadata = metadata
        self._budget = budget
        self._epoch: Hashable = None
        self._values: dict[Hashable, Any] = {}
        self._left = budget

    async def recall(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, size: Callable[[T], int] = lambda _: 0
    ) -> T:
        """The value of a key: remembered, or read now.

        `size` is what the value holds in bytes beside small things. What raises is not remembered.
        """
        epoch = await self._metadata.epoch()
        if epoch != self._epoch:
            self._forget(epoch)
        elif key in self._values:
            return self._values[key]
        value = await read()
        # Read in this epoch or in a later one, in which case the next to look forgets it.
        if epoch == self._epoch:
            self._remember(key, value, size(value) + _OVERHEAD)
        return value

    def _remember(self, key: Hashable, value: object, size: int) -> None:
        if size > self._left:
            self._forget(self._epoch)
        if size <= self._left:
            self._values[key] = value
            self._left -= size

    def _forget(self, epoch: Hashable) -> None:
        self._values.clear()
        self._left = self._budget
        self._epoch = epoch
