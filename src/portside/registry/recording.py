"""Recording an image: the rows that a put makes in its unit, and the checks that belong to them.

Everything here but `look` runs in the unit that holds the repository's lock, so that what was checked is still so when
it is recorded. `look` refuses before what need not wait for the lock. A manifest may name ten thousand things: what is
done for each of them lets others have their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from portside.core.digest import Digest
from portside.core.errors import ImageTagAlreadyExists, LayersNotFound, ReferencedImagesNotFound
from portside.core.manifests import Manifest
from portside.core.names import RepositoryId, Tag
from portside.core.records import Image, Repository
from portside.registry import archiving, events, manifest_content
from portside.registry.archiving import ACTIVE
from portside.registry.mutability import is_immutable
from portside.registry.repositories import find
from portside.registry.stores import Stores
from portside.storage.metadata.layers import BlobRow
from portside.storage.metadata.port import Unit

_AT_ONCE = 100
"""References that are recorded in one go."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest on its way in."""

    manifest: Manifest
    digest: Digest
    size: int
    sealed: bytes
    lost: frozenset[str]
    """Where bytes of its layers should lie and do not."""


class Recording:
    """What a put does to the rows."""

    def __init__(self, stores: Stores, *, sparse: bool) -> None:
        """`sparse`: a manifest may name layers and images that its repository does not hold."""
        self._quotas = stores.rules.quotas
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._threads = stores.threads
        self._keys = stores.keys
        self._clock = stores.clock
        self._sparse = sparse

    async def put(self, unit: Unit, held: Repository, draft: Draft, tags: Sequence[Tag]) -> tuple[Image, bool]:
        """Record the image, point the tags at it, and announce it; whether anything changed."""
        before = await unit.manifests.find(held.key, draft.digest)
        image, added = await self._record(unit, held, draft, before)
        moved = [tag for tag in tags if await self._tag(unit, held, image, tag)]
        now = self._clock()
        # What is made anew, or comes back, is told under every tag that it was pushed with.
        told = [events.pushed(held.id, image, tag) for tag in ((tags or [None]) if added else moved)]
        if before is not None and before.status != ACTIVE:
            told.append(events.restored(held.id, image, now))
        await events.announce(unit, held.id.registry, now, told)
        if added:
            await archiving.restore_others(unit, held, image, now)
        return image, bool(told)

    async def _record(self, unit: Unit, held: Repository, draft: Draft, known: Image | None) -> tuple[Image, bool]:
        """Make the manifest's rows, or the image active again; whether it was not so before."""
        manifest, digest = draft.manifest, draft.digest
        sizes = await self._sizes(unit, held, draft)
        # Bytes that name no type of their own may be pushed as another one, which refers to other content.
        alike = known is not None and known.media_type == manifest.media_type
        if known is not None and alike and await manifest_content.stands(self._keys, unit, held, digest):
            if known.status == ACTIVE:
                return known, False
            now = self._clock()
            await unit.manifests.set_status(held.key, digest, ACTIVE, now)
            return replace(known, status=ACTIVE, activated_at=now), True
        if known is None:
            self._quotas.admit_image(held)
        elif not alike:
            await _admit_another_type(unit, held, digest)
        image = Image(
            digest=digest,
            media_type=manifest.media_type,
            artifact_type=manifest.artifact_type,
            subject=manifest.subject.digest if manifest.subject else None,
            size=draft.size,
            content_size=max(sizes, default=0) if manifest.images else sum(sizes),
            pushed_at=known.pushed_at if known else self._clock(),
            last_pull_at=known.last_pull_at if known else None,
            archived_at=known.archived_at if known else None,
            activated_at=_activated(known, self._clock()) if known else None,
            bereft=known.bereft if known else False,
        )
        if known is not None:
            await unit.layers.release(held.key, digest, image.pushed_at)
            await unit.manifests.delete(held.key, digest)
        await unit.manifests.add(held.key, image, draft.sealed)
        await _refer(unit, held, image, manifest)
        return image, True

    async def look(self, repository: RepositoryId, manifest: Manifest) -> frozenset[str]:
        """Locations of the manifest's layers whose bytes are gone from the store.

        Before the unit that records the image: nobody who pushes waits while the store is looked at. A layer that is
        pushed again meanwhile has another location by then. Raises LayersNotFound and ReferencedImagesNotFound for what
        has no row; a row that goes after this look is missed under the lock. Raises NoSpace too: an image's bytes go to
        the database, which may not take the room that deleting needs.
        """
        layers = _layers(manifest)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            places = await unit.layers.places(held.key, layers)
            await self._children(unit, held, manifest)

        def look() -> frozenset[str]:
            self._blobs.check()
            return frozenset(
                place.location for place in places.values() if not self._blobs.holds(place.location, place.size)
            )

        lost = await self._threads.run(look)
        if len(places) < len(layers):
            self._admit_layers(held, layers, places, lost)
        return lost

    def admit_first(self, repository: RepositoryId, manifest: Manifest) -> None:
        """Refuse a manifest whose repository is still to be made, and holds nothing that it could name.

        Raises LayersNotFound and ReferencedImagesNotFound.
        """
        if self._sparse:
            return
        if layers := _layers(manifest):
            raise LayersNotFound(repository, layers)
        if listed := _listed(manifest):
            raise ReferencedImagesNotFound(repository, listed)

    async def _sizes(self, unit: Unit, held: Repository, draft: Draft) -> list[int]:
        """Bytes of every blob or child image that the manifest names; all must be in the repository, unless sparse."""
        layers = _layers(draft.manifest)
        places = await unit.layers.places(held.key, layers)
        self._admit_layers(held, layers, places, draft.lost)
        children = await self._children(unit, held, draft.manifest)
        return [place.size for place in places.values()] + list(children.values())

    def _admit_layers(
        self, held: Repository, layers: Sequence[Digest], places: Mapping[Digest, BlobRow], lost: frozenset[str]
    ) -> None:
        if not self._sparse:
            missing = [digest for digest in layers if digest not in places or places[digest].location in lost]
            if missing:
                raise LayersNotFound(held.id, missing)

    async def _children(self, unit: Unit, held: Repository, manifest: Manifest) -> Mapping[Digest, int]:
        """The images that an index lists, each once, and their sizes; all must be in the repository, unless sparse."""
        listed = _listed(manifest)
        sizes = await unit.manifests.sizes(held.key, listed)
        if len(sizes) < len(listed) and not self._sparse:
            raise ReferencedImagesNotFound(held.id, [digest for digest in listed if digest not in sizes])
        return sizes

    async def _tag(self, unit: Unit, held: Repository, image: Image, tag: Tag) -> bool:
        """Point the tag at the image; whether it pointed elsewhere before."""
        standing = await unit.tags.find(held.key, tag)
        if standing is not None and is_immutable(held.settings, tag):
            raise ImageTagAlreadyExists(held.id, tag)
        if standing == image.digest:
            return False
        full = await unit.tags.reach(held.key, image.digest, self._quotas.tags)
        self._quotas.admit_tag(held.id, tag, full=full)
        await unit.tags.put(held.key, tag, image.digest, self._clock())
        return True


def _layers(manifest: Manifest) -> list[Digest]:
    return [blob.digest for blob in manifest.blobs]


def _listed(manifest: Manifest) -> list[Digest]:
    """The images that an index lists, each once."""
    return list(dict.fromkeys(child.digest for child in manifest.images))


async def _admit_another_type(unit: Unit, held: Repository, digest: Digest) -> None:
    """Raise ImageTagAlreadyExists where an immutable tag names the image, or an index by which it is pulled.

    What such a tag serves would be another thing to clients, though its bytes stay.
    """
    if held.settings.tag_mutability == "MUTABLE":
        return
    for tags in (unit.tags.of, unit.tags.of_indexes):
        for tag in await tags(held.key, digest):
            if is_immutable(held.settings, tag):
                raise ImageTagAlreadyExists(held.id, tag)


async def _refer(unit: Unit, held: Repository, image: Image, manifest: Manifest) -> None:
    """Record what the manifest refers to."""
    for number, blob in enumerate(manifest.blobs, start=1):
        await unit.manifests.refer(held.key, image.digest, blob.digest, is_image=False)
        await unit.layers.refer(held.key, blob.digest, blob.media_type, image.pushed_at)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    for number, child in enumerate(_listed(manifest), start=1):
        await unit.manifests.refer(held.key, image.digest, child, is_image=True)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


def _activated(known: Image, now: int) -> int | None:
    """When an image that is pushed again came back from the archive."""
    return known.activated_at if known.status == ACTIVE else now
