"""Mounting: a repository takes over a blob that another one of its registry holds (ecr-behaviour 1.9).

Laws: the gate is asked before anything is told of another repository, so that a mount says no more than a download
would; and one unit of work both finds the blob and lets the repository hold it, so that no sweep comes in between.
A mount that cannot be is no failure: the client is asked for the bytes instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.digest import Digest
from portside.core.errors import AccessDenied
from portside.core.names import RepositoryId
from portside.core.records import Layer, Repository
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.creation import found_or_made
from portside.registry.repositories import find, lock
from portside.registry.settings import mounts_blobs
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_MOST_ASKED = 100
"""Repositories that the gate is asked about for one mount that names none."""


class Mounts:
    """The mounts into every repository here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._stores = stores
        self._metadata = stores.metadata
        self._access = access

    async def mount(
        self, caller: Caller, repository: RepositoryId, digest: Digest, source: RepositoryId | None
    ) -> Layer | None:
        """Let a repository hold a blob of `source`, or of any repository that the caller may read.

        None when the blob is to be uploaded. Raises RepositoryNotFound for the repository that it would go to.
        """
        await self._access.repository(caller, "ecr:InitiateLayerUpload", repository)
        pushed_to = await found_or_made(self._stores, self._access, caller, repository)
        # A key that is switched off is told now, and not when the bytes have come.
        await self._stores.keys.key(pushed_to.content_key)
        for candidate in await self._candidates(repository, digest, source):
            if await self._may_read(caller, candidate):
                mounted = await self._take(repository, candidate, digest)
                if mounted is not None:
                    return mounted
        return None

    async def _candidates(
        self, repository: RepositoryId, digest: Digest, source: RepositoryId | None
    ) -> Sequence[RepositoryId]:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            if not await mounts_blobs(unit, repository.registry):
                return ()
            if source is not None:
                return (source,)
            if not self._stores.rules.mounts_anything:
                return ()
            return await unit.layers.holders(repository.registry, held.content_key, digest, _MOST_ASKED)

    async def _may_read(self, caller: Caller, source: RepositoryId) -> bool:
        try:
            await self._access.repository(caller, "ecr:GetDownloadUrlForLayer", source)
        except AccessDenied:
            return False
        return True

    async def _take(self, repository: RepositoryId, source: RepositoryId, digest: Digest) -> Layer | None:
        async with self._metadata.reading() as unit:
            seen = await self._offered(unit, await find(unit, repository), source, digest)
        if seen is None or not await self._stores.threads.run(
            lambda: self._stores.blobs.holds(seen.location, seen.size)
        ):
            return None
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            # The blob's row first: from here on nobody removes it, and what is seen now stays so.
            await unit.layers.blob(held.content_key, digest)
            offered = await self._offered(unit, held, source, digest)
            if offered is None or offered.location != seen.location:
                return None
            await unit.layers.link(held.key, held.content_key, digest, self._stores.clock())
        return offered

    async def _offered(self, unit: Unit, held: Repository, source: RepositoryId, digest: Digest) -> Layer | None:
        """The layer, when the account and the rules let it be mounted now."""
        origin = await unit.repositories.find(source)
        if origin is None or origin.content_key != held.content_key:
            return None
        if not await mounts_blobs(unit, held.id.registry):
            return None
        layer = await unit.layers.find(origin.key, digest)
        if layer is None or layer.archived:
            return None
        return layer if layer.referenced or self._stores.rules.mounts_anything else None
