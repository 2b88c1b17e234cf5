"""Verification: reading again what is stored, and comparing it with what was recorded.

A blob is right when its length is the recorded one, every sealed segment authenticates, and the whole hashes to its
digest. A manifest is right when it opens and hashes to its digest. A blob that is wrong is marked, so that it counts as
missing and whoever pushes it again heals it, and its file is set aside. One that is absent or cut short is reported
and not marked: `availability` sees that too, and sees the bytes when they are back, as those of a disk that was away.
One whose KMS key is switched off is reported and not marked either: nobody can tell what it is before the key is back.

Law: constant memory (design law 6). Pieces go through hash and memory one at a time, rows page by page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from portside.core.digest import Digest
from portside.identity.box import Box, BoxError
from portside.registry.content import PIECE, Hash
from portside.registry.stores import Stores
from portside.storage.blobs.port import Inventory
from portside.storage.errors import Damaged, KeyDisabled, Missing, StorageUnusable
from portside.storage.metadata.inspection import StoredBlob

_PAGE = 100
State = Literal["damaged", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something stored that is not what was recorded; `repository` is empty for a blob, which any may hold."""

    kind: Literal["blob", "manifest"]
    state: State
    digest: str
    repository: str
    reason: str


@dataclass(slots=True)
class Progress:
    """What has been read so far."""

    blobs: int = 0
    manifests: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told: `found` of each finding, `read` whenever something was read."""

    found: Callable[[Finding], None]
    read: Callable[[Progress], None]


class Verification:
    """The scrub over all that is stored."""

    def __init__(self, stores: Stores, inventory: Inventory) -> None:
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._inventory = inventory
        self._keys = stores.keys
        self._threads = stores.threads

    async def run(self, watch: Watch, chosen: Callable[[], bool] = lambda: True) -> Progress:
        """Check everything, or what is `chosen` when asked once for each; what was read in all.

        Raises StorageUnusable when keys do not open under this master key, before anything is called damaged.
        """
        progress = Progress()
        await self._check_blobs(progress, watch, chosen)
        await self._check_manifests(progress, watch, chosen)
        return progress

    async def _key(self, identifier: str) -> Box:
        """The key that content is sealed under; one that does not open says nothing of the content.

        Raises KeyDisabled.
        """
        try:
            return (await self._keys.key(identifier)).box
        except Damaged as damage:
            raise StorageUnusable(damage.message) from None

    async def _check_blobs(self, progress: Progress, watch: Watch, chosen: Callable[[], bool]) -> None:
        after = ("", "")
        while True:
            async with self._metadata.reading() as unit:
                page = await unit.inspection.blobs(after, _PAGE)
            for blob in page:
                if chosen():
                    await self._check_blob(blob, progress, watch)
            if len(page) < _PAGE:
                return
            after = (page[-1].content_key, str(page[-1].digest))

    async def _check_blob(self, blob: StoredBlob, progress: Progress, watch: Watch) -> None:
        failure: Damaged | KeyDisabled | None = None
        try:
            await self._key(blob.content_key)
            progress.blobs += 1
        except KeyDisabled as disabled:
            failure = disabled
        if blob.damaged:
            failure = Damaged("It was found damaged before, and nobody has pushed it again.")
        else:
            try:
                await self._must_be_there(blob)
                if failure is None:
                    await self._read(blob, progress, watch)
            except Damaged as damage:
                failure = damage
        watch.read(progress)
        if failure is not None and await self._record(blob, failure):
            watch.found(Finding("blob", _state(failure), str(blob.digest), "", failure.message))

    async def _must_be_there(self, blob: StoredBlob) -> None:
        if not await self._threads.run(partial(self._blobs.holds, blob.location, blob.size)):
            raise Missing("Its file is not there, or has another length than was recorded.")

    async def _read(self, blob: StoredBlob, progress: Progress, watch: Watch) -> None:
        """Read a blob to its end; raises Damaged."""
        hashed: Hash = hashlib.new(blob.digest.algorithm)
        for offset in range(0, max(blob.size, 1), PIECE):
            # An empty blob is read as well: its sealed form has a segment that has to authenticate.
            length = min(PIECE, blob.size - offset)
            await self._threads.run(partial(self._count, blob, offset, length, hashed))
            progress.bytes += length
            watch.read(progress)
        if hashed.hexdigest() != blob.digest.hex:
            raise Damaged("Its content has another digest.")

    def _count(self, blob: StoredBlob, offset: int, length: int, hashed: Hash) -> None:
        hashed.update(self._blobs.read(blob.location, offset, length, blob.size))

    async def _record(self, blob: StoredBlob, failure: Damaged | KeyDisabled) -> bool:
        """Mark a damaged blob; whether it still is where it was: it may have been healed or collected meanwhile."""
        if isinstance(failure, Missing | KeyDisabled):
            async with self._metadata.reading() as unit:
                standing = await unit.layers.blob(blob.content_key, blob.digest)
            return standing is not None and standing.location == blob.location
        async with self._metadata.writing() as unit:
            still = await unit.layers.damage(blob.content_key, blob.digest, blob.location)
        if still:
            # After the mark: until then the row says that the bytes can be read there.
            await self._threads.run(partial(self._inventory.set_aside, blob.location))
        return still

    async def _check_manifests(self, progress: Progress, watch: Watch, chosen: Callable[[], bool]) -> None:
        after = (0, "")
        while True:
            async with self._metadata.reading() as unit:
                page = await unit.inspection.manifests(after, _PAGE)
            for repository, digest in page:
                if chosen():
                    await self._check_manifest(repository, digest, progress, watch)
            if len(page) < _PAGE:
                return
            after = (page[-1][0], str(page[-1][1]))

    async def _check_manifest(self, repository: int, digest: Digest, progress: Progress, watch: Watch) -> None:
        async with self._metadata.reading() as unit:
            stored = await unit.inspection.manifest(repository, digest)
        if stored is None:
            return  # deleted meanwhile
        reason = ""
        state: State = "damaged"
        try:
            content = (await self._key(stored.content_key)).open(stored.sealed, str(digest).encode())
            if Digest.of(content, digest.algorithm) != digest:
                reason = "Its content has another digest."
        except BoxError:
            reason = "It does not authenticate."
        except KeyDisabled as disabled:
            reason, state = disabled.message, "unreadable"
        if state != "unreadable":
            progress.manifests += 1
            progress.bytes += len(stored.sealed)
        watch.read(progress)
        if reason:
            watch.found(Finding("manifest", state, str(digest), stored.repository.arn, reason))


def _state(failure: Damaged | KeyDisabled) -> State:
    match failure:
        case KeyDisabled():
            return "unreadable"
        case Missing():
            return "missing"
        case _:
            return "damaged"
