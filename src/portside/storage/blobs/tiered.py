"""Two blob stores as one: the main one, and the archive that content nobody pulls is moved to.

Law: content is readable in at least one place at any moment, whoever dies where. It is copied durably first, and a copy
is removed only after the other one was seen. That nobody brings content back while another removes it there is for the
caller, who holds the content's row (registry/moving.py).

It lies below the sealing wrapper: what is moved stays sealed, under its own name.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections.abc import Sequence
from secrets import token_hex

from portside.storage.blobs.port import SEGMENT, Found, Tier
from portside.storage.errors import Missing, StorageError

_PIECE = 16 * SEGMENT


class TieredBlobs:
    """A BlobStore whose content lies in one of two places, or in both while it is moved."""

    def __init__(self, main: Tier, archive: Tier) -> None:
        self._main = main
        self._archive = archive

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        """See BlobStore. New content goes to the main place."""
        self._main.write(location, offset, data, last=last)

    def publish(self, location: str, size: int) -> None:
        """See BlobStore."""
        self._main.publish(location, size)

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes | bytearray:
        """See BlobStore."""
        with contextlib.suppress(Missing):
            return self._main.read(location, offset, length, size)
        with contextlib.suppress(Missing):
            return self._archive.read(location, offset, length, size)
        # It may have come back between the two looks.
        return self._main.read(location, offset, length, size)

    def is_near(self, location: str, offset: int, length: int) -> bool:
        """See BlobStore. What lies in the archive is not: `read` may have to look in the main place first."""
        return self._main.is_near(location, offset, length)

    def holds(self, location: str, size: int) -> bool:
        """See BlobStore."""
        stores = (self._main, self._archive, self._main)
        return any(store.holds(location, size) for store in stores)

    def delete(self, location: str) -> None:
        """See BlobStore."""
        for store in self._stores:
            store.delete(location)

    def check(self) -> None:
        """See BlobStore. Pushes do not need the archive."""
        self._main.check()

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        """See Inventory. Both copies of what is being moved count as one."""
        pages = (store.locations(after, limit) for store in self._stores)
        merged = heapq.merge(*pages, key=lambda found: found.location)
        same = itertools.groupby(merged, key=lambda found: found.location)
        return [_together([*copies]) for _, copies in itertools.islice(same, limit)]

    def set_aside(self, location: str) -> None:
        """See Inventory."""
        for store in self._stores:
            store.set_aside(location)

    def copy(self, location: str, size: int, *, to_archive: bool) -> None:
        """See Tiers. Through a name of its own, which a sweep removes when this is cut short."""
        source, target = (self._main, self._archive) if to_archive else (self._archive, self._main)
        staged = f"{location.partition('/')[0]}/{token_hex(16)}"
        try:
            for offset in range(0, max(size, 1), _PIECE):
                length = min(_PIECE, size - offset)
                data = source.read(location, offset, length, size)
                target.write(staged, offset, data, last=offset + length == size)
            target.place(staged, location, size)
        except StorageError:
            with contextlib.suppress(StorageError):
                target.delete(staged)
            raise

    def drop(self, location: str, size: int, *, from_archive: bool) -> bool:
        """See Tiers."""
        if not self.lies(location, size, in_archive=not from_archive):
            return False
        (self._archive if from_archive else self._main).delete(location)
        return True

    def lies(self, location: str, size: int, *, in_archive: bool) -> bool:
        """See Tiers."""
        return (self._archive if in_archive else self._main).holds(location, size)

    def archived(self, after: str, limit: int) -> Sequence[Found]:
        """See Tiers."""
        return self._archive.locations(after, limit)

    @property
    def _stores(self) -> tuple[Tier, Tier]:
        return self._main, self._archive


def _together(copies: Sequence[Found]) -> Found:
    """What two copies take, and as young as the younger one."""
    size, at = sum(copy.size for copy in copies), max(copy.modified_at for copy in copies)
    return Found(copies[0].location, size, at)
