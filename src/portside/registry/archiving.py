"""Archiving images and restoring them (ecr-behaviour 10.3).

    ACTIVE ── archive ──> ARCHIVED ── restore ──> ACTIVATING ──> ACTIVE

Whoever archives or restores comes here: UpdateImageStorageClass, lifecycle policies and pushes; so rows and events
agree. An image takes along what refers to it, such as its signatures; an index leaves what it lists as it is when it
goes, and brings it back when it comes. The functions run in a unit that holds the repository's lock.
"""

from __future__ import annotations

from dataclasses import replace

from portside.core.errors import ImageNotFound
from portside.core.image_errors import ImageStorageClassUpdateNotSupported
from portside.core.names import ImageId, RepositoryId
from portside.core.records import Image, Repository
from portside.identity.caller import Caller
from portside.registry import events
from portside.registry.access import Access
from portside.registry.outcomes import ImageFailure
from portside.registry.removal import known
from portside.registry.repositories import lock
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

ARCHIVE = "ARCHIVE"
"""The storage class of archived images; that of the others is STANDARD."""
ACTIVE, ACTIVATING, ARCHIVED = "ACTIVE", "ACTIVATING", "ARCHIVED"
_PAGE = 100


class StorageClasses:
    """The storage class of every image here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def update(
        self, caller: Caller, repository: RepositoryId, asked: ImageId, target: str
    ) -> tuple[ImageId, str]:
        """Archive or restore an image; what it is known by, and its status as the API tells it.

        One that is restored is said to be ACTIVATING even where nothing has to be brought back, as ECR says it. Raises
        ImageNotFound and ImageStorageClassUpdateNotSupported.
        """
        await self._access.repository(caller, "ecr:UpdateImageStorageClass", repository)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            image = await known(unit, held, asked)
            if isinstance(image, ImageFailure):
                raise ImageNotFound(repository, asked)
            now = self._clock()
            if target == ARCHIVE:
                await _admit_archiving(unit, held, image)
                await archive(unit, held, image, now)
            else:
                if image.status != ARCHIVED:
                    reason = f"it is {image.status} already"
                    raise ImageStorageClassUpdateNotSupported(repository, image.digest, reason)
                await restore(unit, held, image, now)
        return ImageId(asked.tag, image.digest), ARCHIVED if target == ARCHIVE else ACTIVATING


async def archive(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Archive an image that is not, and what refers to it; whoever does so has seen that no active index lists it."""
    await archive_alone(unit, held, image, now)
    waiting = [image]
    while waiting:
        for referrer in await _referrers(unit, held, waiting.pop(), ACTIVE):
            # One that an index still lists stays with the index.
            if await unit.archive.listing_index(held.key, referrer.digest) is None:
                await archive_alone(unit, held, referrer, now)
                waiting.append(referrer)


async def restore(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Let an archived image be active again, what refers to it, and what it lists."""
    await _restore_one(unit, held, image, now)
    await restore_others(unit, held, image, now)


async def restore_others(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Let what refers to an image that came back from the archive follow it, and what it lists, and so on.

    An index is of no use without its images, and none of an active one's may be archived.
    """
    waiting = [image]
    while waiting:
        one = waiting.pop()
        for other in (*await _referrers(unit, held, one, ARCHIVED), *await _children(unit, held, one)):
            # What was on its way twice has come back by now.
            standing = await unit.manifests.find(held.key, other.digest)
            if standing is not None and standing.status == ARCHIVED:
                await _restore_one(unit, held, standing, now)
                waiting.append(standing)


async def activate(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Let an image be active whose layers can be read."""
    await unit.manifests.set_status(held.key, image.digest, ACTIVE, now)
    told = replace(image, status=ACTIVE, activated_at=now)
    await events.announce(unit, held.id.registry, now, [events.restored(held.id, told, now)])


async def _admit_archiving(unit: Unit, held: Repository, image: Image) -> None:
    if image.status != ACTIVE:
        reason = "it is ARCHIVED already" if image.status == ARCHIVED else "it is ACTIVATING"
        raise ImageStorageClassUpdateNotSupported(held.id, image.digest, reason)
    index = await unit.archive.listing_index(held.key, image.digest)
    if index is not None:
        reason = f"the manifest list with digest '{index}' references it and is not archived"
        raise ImageStorageClassUpdateNotSupported(held.id, image.digest, reason)


async def archive_alone(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Archive an image, and leave what refers to it to the caller."""
    await unit.manifests.set_status(held.key, image.digest, ARCHIVED, now)
    told = replace(image, status=ARCHIVED, archived_at=now)
    await events.announce(unit, held.id.registry, now, [events.archived(held.id, told)])


async def _restore_one(unit: Unit, held: Repository, image: Image, now: int) -> None:
    if await unit.archive.away(held.key, image.digest, 1):
        # Its layers lie at the archive location; whoever brings them back lets it be active (registry/moving.py).
        await unit.manifests.set_status(held.key, image.digest, ACTIVATING, now)
    else:
        await activate(unit, held, image, now)


async def _children(unit: Unit, held: Repository, index: Image) -> list[Image]:
    listed = [
        await unit.manifests.find(held.key, child) for child in await unit.manifests.children(held.key, index.digest)
    ]
    return [image for image in listed if image is not None]


async def _referrers(unit: Unit, held: Repository, subject: Image, status: str) -> list[Image]:
    found: list[Image] = []
    after = ""
    while True:
        page = await unit.manifests.referrers(held.key, subject.digest, None, after, _PAGE, status=status)
        found += page
        if len(page) < _PAGE:
            return found
        after = str(page[-1].digest)
