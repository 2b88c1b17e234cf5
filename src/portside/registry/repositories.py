"""Repositories: create, describe, delete."""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.errors import RepositoryAlreadyExists, RepositoryNotEmpty, RepositoryNotFound
from portside.core.names import RegistryId, RepositoryId
from portside.core.records import Repository, RepositorySettings
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.registry.access import Access
from portside.registry.content import drop
from portside.registry.creation import make
from portside.registry.emptying import emptied
from portside.registry.listing import Listing, PageTokens
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_FEW, _STEPS = 200, 4
"""Images that one request removes itself, in so many steps with their layers."""


class Repositories:
    """The repositories of every registry here."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens) -> None:
        self._stores = stores
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._threads = stores.threads
        self._clock = stores.clock
        self._access = access
        self._pages = pages

    async def create(self, caller: Caller, repository: RepositoryId, settings: RepositorySettings) -> Repository:
        """Make a repository; raises RepositoryAlreadyExists, whatever its settings are, and LimitExceeded."""
        asked = tagging(settings.resource_tags)
        await self._access.repository(caller, "ecr:CreateRepository", repository, asked)
        if settings.resource_tags:
            # Tagging at creation is tagging (ecr-behaviour 2.1).
            await self._access.repository(caller, "ecr:TagResource", repository, asked)
        made = await make(self._stores, repository, settings)
        if made is None:
            raise RepositoryAlreadyExists(repository)
        return made

    async def describe(
        self, caller: Caller, registry: RegistryId, names: Sequence[str], *, limit: int, token: str | None
    ) -> Listing[Repository]:
        """The repositories of these names, in that order, or a page of all; raises RepositoryNotFound."""
        if names:
            return Listing([await self._one(caller, registry.repository(name)) for name in names], None)
        await self._access.repositories(caller, "ecr:DescribeRepositories", registry)
        query = f"repositories\n{registry.account}\n{registry.region}"
        after = str(self._pages.open(query, token)[0]) if token else ""
        async with self._metadata.reading() as unit:
            found = await unit.repositories.page(registry, after, limit + 1)
        more = self._pages.seal(query, [found[limit - 1].id.name]) if len(found) > limit else None
        return Listing(found[:limit], more)

    async def names(self, caller: Caller, registry: RegistryId, *, after: str, limit: int) -> Sequence[str]:
        """Names from after one, in lexical order: the catalog."""
        await self._access.repositories(caller, "ecr:DescribeRepositories", registry)
        async with self._metadata.reading() as unit:
            return [found.id.name for found in await unit.repositories.page(registry, after, limit)]

    async def delete(self, caller: Caller, repository: RepositoryId, *, force: bool) -> Repository:
        """Remove a repository; raises RepositoryNotEmpty when it holds images and `force` is not set.

        One that has much is gone at once too, and emptied afterwards (emptying.py).
        """
        await self._access.repository(caller, "ecr:DeleteRepository", repository)
        async with self._metadata.writing() as unit:
            found = await lock(unit, repository)
            if not force and not await unit.repositories.is_empty(found.key):
                raise RepositoryNotEmpty(repository)
            staged = await unit.uploads.delete_of(found.key)
            if found.images <= _FEW and await emptied(unit, found, self._clock(), _STEPS):
                await unit.repositories.delete(found.key)
            else:
                await unit.repositories.bury(found.key)
        for location in staged:
            await drop(self._blobs, self._threads, location)
        return found

    async def _one(self, caller: Caller, repository: RepositoryId) -> Repository:
        await self._access.repository(caller, "ecr:DescribeRepositories", repository)
        async with self._metadata.reading() as unit:
            return await find(unit, repository)


async def find(unit: Unit, repository: RepositoryId) -> Repository:
    """The repository as it stands; raises RepositoryNotFound."""
    found = await unit.repositories.find(repository)
    if found is None:
        raise RepositoryNotFound(repository)
    return found


async def lock(unit: Unit, repository: RepositoryId) -> Repository:
    """The repository as it stands and stays until the unit ends; raises RepositoryNotFound."""
    found = await unit.repositories.lock(repository)
    if found is None:
        raise RepositoryNotFound(repository)
    return found
