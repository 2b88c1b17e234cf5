"""Moving the bytes of archived images to the archive location, and back (ecr-behaviour 10.3).

    away    blobs whose images are all archived
    back    those of images that are ACTIVATING, which are ACTIVE when all of them are there; and, now and then, those
            of images that were pushed again, or that came to share a blob
    spare   copies that a move which was cut short left in the other place

Laws. Bytes are copied with no unit open. What is recorded of them, and the removal of the other copy, each happen in a
unit that holds the blob's row and that has seen the copy which stays; so whoever moves the same blob at the same
moment, and wherever one of them dies, the bytes are readable. A blob that cannot be moved is left for the next run, and
stops no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import structlog

from portside.registry.archiving import ACTIVATING, activate
from portside.registry.stores import Stores
from portside.storage.blobs.port import Tiers
from portside.storage.errors import StorageError
from portside.storage.metadata.archive import ActivatingImage, ArchivedImage, MovableBlob

_log = structlog.get_logger()
_PAGE = 100
_FILES = 500
_BLOBS = 100_000
"""More blobs than an image has."""
_SECOND = 1_000_000
_LATE = 600 * _SECOND
"""Microseconds before the last look at which images are looked for again: clocks differ, and units commit later."""
_THOROUGH = 3600 * _SECOND
"""Microseconds between two looks at everything."""
_FIRST = ArchivedImage(0, 0, "")


@dataclass(frozen=True, slots=True)
class Moved:
    """What a run did."""

    archived: int = 0
    """Blobs that went to the archive location."""
    restored: int = 0
    """Blobs that came back from it."""
    images: int = 0
    """Images that are active again."""
    spare: int = 0
    """Copies that an earlier run had left."""
    left: int = 0
    """Blobs that could not be moved, for the next run."""

    def __add__(self, other: Moved) -> Moved:
        return Moved(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Moved)))


class Moving:
    """Who moves blobs between the two places."""

    def __init__(self, stores: Stores, tiers: Tiers, stored_size: Callable[[str, int], int]) -> None:
        """`stored_size` gives the bytes that content of a size takes at a location in the tiers."""
        self._metadata = stores.metadata
        self._threads = stores.threads
        self._clock = stores.clock
        self._tiers = tiers
        self._stored_size = stored_size
        self._looked_at: int | None = None
        self._looked_at_all: int | None = None

    async def run(self) -> Moved:
        """Move what is to be moved; everything is looked at the first time, and then once an hour."""
        now = self._clock()
        thorough = self._looked_at_all is None or now - self._looked_at_all >= _THOROUGH
        since = 0 if thorough or self._looked_at is None else self._looked_at - _LATE
        moved = await self._activate() + await self._send_away(since)
        if thorough:
            moved += await self._bring_back() + await self._remove_spare()
            self._looked_at_all = now
        # Where something was left, the next run comes back to it, whenever its image was archived.
        self._looked_at = now if not moved.left else self._looked_at
        return moved

    # --- back ---------------------------------------------------------------------------------------------------

    async def _activate(self) -> Moved:
        moved, after, found = Moved(), (0, ""), _PAGE
        while found == _PAGE:
            async with self._metadata.reading() as unit:
                page = await unit.archive.activating(after, _PAGE)
            for image in page:
                moved += await self._activate_one(image)
                after = (image.key, str(image.digest))
            found = len(page)
        return moved

    async def _activate_one(self, image: ActivatingImage) -> Moved:
        async with self._metadata.reading() as unit:
            blobs = await unit.archive.away(image.key, image.digest, _BLOBS)
        moved = Moved()
        for blob in blobs:
            moved += await self._move(blob, to_archive=False)
        async with self._metadata.writing() as unit:
            held = await unit.repositories.lock(image.repository)
            if held is None or held.key != image.key:
                return moved
            standing = await unit.manifests.find(held.key, image.digest)
            if standing is None or standing.status != ACTIVATING:
                return moved
            if await unit.archive.away(held.key, image.digest, 1):
                return moved
            await activate(unit, held, standing, self._clock())
        return moved + Moved(images=1)

    async def _bring_back(self) -> Moved:
        moved, after, found = Moved(), ("", ""), _PAGE
        while found == _PAGE:
            async with self._metadata.reading() as unit:
                page = await unit.archive.coming(after, _PAGE)
            for blob, wanted in page:
                if wanted:
                    moved += await self._move(blob, to_archive=False)
                after = (blob.content_key, blob.digest)
            found = len(page)
        return moved

    # --- away ---------------------------------------------------------------------------------------------------

    async def _send_away(self, since: int) -> Moved:
        moved, after, found = Moved(), ArchivedImage(since, _FIRST.repository, _FIRST.digest), _PAGE
        while found == _PAGE:
            async with self._metadata.reading() as unit:
                page = await unit.archive.images(after, _PAGE)
            for image in page:
                async with self._metadata.reading() as unit:
                    blobs = await unit.archive.going(image, _BLOBS)
                for blob in blobs:
                    moved += await self._move(blob, to_archive=True)
                after = image
            found = len(page)
        return moved

    # --- one blob -----------------------------------------------------------------------------------------------

    async def _move(self, blob: MovableBlob, *, to_archive: bool) -> Moved:
        """Copy a blob, record it, and remove the copy that is left over."""
        size = self._stored_size(blob.location, blob.size)
        try:
            await self._threads.run(partial(self._tiers.copy, blob.location, size, to_archive=to_archive))
            # Not where somebody came to need it here, or where its row names other bytes by now.
            recorded = await self._record(blob, size, to_archive=to_archive)
            await self._settle(blob, size)
        except StorageError as error:
            _log.warning("blob not moved", location=blob.location, to_archive=to_archive, reason=error.message)
            return Moved(left=1)
        return Moved(archived=int(recorded and to_archive), restored=int(recorded and not to_archive))

    async def _record(self, blob: MovableBlob, size: int, *, to_archive: bool) -> bool:
        async with self._metadata.writing() as unit:
            away = await unit.archive.lock(blob)
            if away is None or away == to_archive or (to_archive and not await unit.archive.may_go(blob)):
                return False
            if not await self._threads.run(partial(self._tiers.lies, blob.location, size, in_archive=to_archive)):
                return False
            await unit.archive.set_away(blob, away=to_archive)
        return True

    async def _settle(self, blob: MovableBlob, size: int) -> bool:
        """Remove the copy that lies where the row does not say it does; whether there was another one to stay."""
        async with self._metadata.writing(durable=False) as unit:
            away = await unit.archive.lock(blob)
            if away is None:
                return False  # nobody's by now: the sweep's
            return await self._threads.run(partial(self._tiers.drop, blob.location, size, from_archive=not away))

    # --- what was left ------------------------------------------------------------------------------------------

    async def _remove_spare(self) -> Moved:
        moved, after, found = Moved(), "", _FILES
        while found == _FILES:
            page = await self._threads.run(partial(self._tiers.archived, after, _FILES))
            for one in page:
                moved += await self._remove_spare_of(one.location)
                after = one.location
            found = len(page)
        return moved

    async def _remove_spare_of(self, location: str) -> Moved:
        async with self._metadata.reading() as unit:
            standing = await unit.archive.at(location)
        if standing is None:
            return Moved()
        blob, _ = standing
        size = self._stored_size(location, blob.size)
        try:
            for in_archive in (False, True):
                if not await self._threads.run(partial(self._tiers.lies, location, size, in_archive=in_archive)):
                    return Moved()
            return Moved(spare=1 if await self._settle(blob, size) else 0)
        except StorageError as error:
            _log.warning("spare copy not removed", location=location, reason=error.message)
            return Moved(left=1)
