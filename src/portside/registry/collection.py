"""Collecting garbage: a sweep over what nothing needs, online and without a global lock (design law 7).

    uploads    that nobody went on with for a day end; what they staged goes
    layers     that no image of their repository refers to, for the grace time, are let go, and counted down
    blobs      that no repository holds, for the grace time, go: the row in a unit of its own, then the file
    files      that no row names, older than the grace time, are what a crash left, and go

Laws. A row says that bytes are there, so it goes before they do: a crash in between leaves a file for the next sweep,
never a row that names nothing. What a sweep found it asks again in the statement that removes it, so whoever came to
need it meanwhile keeps it. Work is done in small units, any number of sweeps may run at once, and one that was
interrupted is simply made again.

A file younger than the grace time is never touched: it may be on its way to its row. One whose content key this
database does not know belongs to another, whatever the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

import structlog

from portside.registry.stores import Stores
from portside.registry.uploads import LIFETIME
from portside.storage.blobs.port import Found, Inventory
from portside.storage.errors import StorageError

_log = structlog.get_logger()
_ROWS = 100
"""Rows that one unit removes: a few milliseconds for which requests wait."""
_FILES = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed, or would."""

    uploads: int = 0
    """Uploads that ended before they were completed."""
    layers: int = 0
    blobs: int = 0
    files: int = 0
    """Files that no row named."""
    bytes: int = 0
    """Content that the uploads and blobs had, and what the files took."""
    left: int = 0
    """Files that could not be removed, for the next sweep."""

    def __add__(self, other: Swept) -> Swept:
        return Swept(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Swept)))


class Collection:
    """The sweep over all repositories."""

    def __init__(self, stores: Stores, inventory: Inventory) -> None:
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._inventory = inventory
        self._threads = stores.threads
        self._clock = stores.clock
        self._grace = stores.grace

    async def sweep(self) -> Swept:
        """Remove what nothing needs. A layer's bytes go a grace time after the layer, by a later sweep."""
        return await self._uploads() + await self._layers() + await self._unheld() + await self._orphans(dry=False)

    async def survey(self) -> Swept:
        """What a sweep would remove now."""
        now = self._clock()
        async with self._metadata.reading() as unit:
            uploads, received = await unit.garbage.count_uploads(now - LIFETIME, now)
            layers = await unit.garbage.count_layers(now - self._grace)
            blobs, size = await unit.garbage.count_blobs(now - self._grace)
        rows = Swept(uploads=uploads, layers=layers, blobs=blobs, bytes=received + size)
        return rows + await self._orphans(dry=True)

    async def _uploads(self) -> Swept:
        swept, ended = Swept(), _ROWS
        while ended == _ROWS:
            now = self._clock()
            async with self._metadata.writing() as unit:
                rows = await unit.garbage.end_uploads(now - LIFETIME, now, _ROWS)
            ended = len(rows)
            staged = [row for row in rows if row.location is not None]
            left = await self._drop([row.location for row in staged if row.location is not None])
            swept += Swept(uploads=len(staged), bytes=sum(row.received for row in staged), left=left)
        return swept

    async def _layers(self) -> Swept:
        swept, found = Swept(), _ROWS
        while found == _ROWS:
            now = self._clock()
            before, dropped = now - self._grace, 0
            async with self._metadata.reading() as unit:
                rows = await unit.garbage.unreferenced(before, _ROWS)
            # A unit for each repository, since it locks the repository.
            for repository in dict.fromkeys(row.repository for row in rows):
                async with self._metadata.writing() as unit:
                    mine = [row for row in rows if row.repository == repository]
                    dropped += await unit.garbage.drop_layers(mine, before, now)
            swept += Swept(layers=dropped)
            # Another sweep at the same rows leaves none to this one, which has nothing to go on for then.
            found = len(rows) if dropped else 0
        return swept

    async def _unheld(self) -> Swept:
        swept, removed = Swept(), _ROWS
        while removed == _ROWS:
            # Durably, before the files: a power failure must not bring back a row whose bytes are gone.
            async with self._metadata.writing() as unit:
                rows = await unit.garbage.drop_blobs(self._clock() - self._grace, _ROWS)
            removed = len(rows)
            left = await self._drop([location for location, _ in rows])
            swept += Swept(blobs=removed, bytes=sum(size for _, size in rows), left=left)
        return swept

    async def _orphans(self, *, dry: bool) -> Swept:
        swept, after = Swept(), ""
        while True:
            found = await self._threads.run(partial(self._inventory.locations, after, _FILES))
            orphans = await self._unnamed(found)
            left = 0 if dry else await self._drop([one.location for one in orphans])
            swept += Swept(files=len(orphans) - left, bytes=sum(one.size for one in orphans), left=left)
            if len(found) < _FILES:
                return swept
            after = found[-1].location

    async def _unnamed(self, found: Sequence[Found]) -> list[Found]:
        """Those of a page of files that are old and that no row names.

        No row will name one later: an upload's row is there before its first byte and until a blob's row names the
        bytes, and what is moved to another place is written there now. A copy for the archive location, or from it, has
        a name that no row ever has, and is young until it is placed under its own.
        """
        before = self._clock() - self._grace
        old = [one for one in found if one.modified_at < before]
        if not old:
            return []
        async with self._metadata.reading() as unit:
            named = await unit.garbage.named(old[0].location, old[-1].location)
            orphans = [one for one in old if one.location not in named]
            keys = {one.location.partition("/")[0] for one in orphans}
            ours = {key for key in keys if await unit.accounts.data_key(key) is not None}
        return [one for one in orphans if one.location.partition("/")[0] in ours]

    async def _drop(self, locations: Sequence[str]) -> int:
        """Remove files; how many could not be. They are nobody's by now, so a later sweep finds them."""
        left = 0
        for location in locations:
            try:
                await self._threads.run(partial(self._blobs.delete, location))
            except StorageError as error:
                left += 1
                _log.warning("garbage not removed", location=location, reason=error.message)
        return left
