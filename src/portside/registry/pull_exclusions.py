"""Principals whose pulls leave an image's last pull time alone, such as a scanner's (ecr-behaviour 10.4)."""

from __future__ import annotations

from portside.core.errors import LimitExceeded
from portside.core.names import RegistryId
from portside.core.settings_errors import ExclusionAlreadyExists, ExclusionNotFound
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.listing import Listing, PageTokens
from portside.registry.stores import Stores

_MOST = 100
"""Of a registry (ecr-behaviour 12)."""


class PullExclusions:
    """The excluded principals of every registry here."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access
        self._pages = pages

    async def register(self, caller: Caller, registry: RegistryId, principal: str) -> int:
        """Exclude a role or user, by ARN, from now on, which is returned.

        Raises ExclusionAlreadyExists and LimitExceeded.
        """
        await self._access.registry(caller, "ecr:RegisterPullTimeUpdateExclusion", registry)
        now = self._clock()
        async with self._metadata.writing() as unit:
            await unit.repositories.hold(registry)  # so that nobody else counts meanwhile
            if not await unit.pull_exclusions.add(registry, principal, now):
                raise ExclusionAlreadyExists(registry, principal)
            if await unit.pull_exclusions.count(registry) > _MOST:
                raise LimitExceeded(f"A registry cannot have more than {_MOST} pull time update exclusions.")
        return now

    async def deregister(self, caller: Caller, registry: RegistryId, principal: str) -> None:
        """Let a principal's pulls count again; raises ExclusionNotFound."""
        await self._access.registry(caller, "ecr:DeregisterPullTimeUpdateExclusion", registry)
        async with self._metadata.writing() as unit:
            if not await unit.pull_exclusions.delete(registry, principal):
                raise ExclusionNotFound(registry, principal)

    async def page(self, caller: Caller, registry: RegistryId, *, limit: int, token: str | None) -> Listing[str]:
        """ARNs of excluded principals, in order."""
        await self._access.registry(caller, "ecr:ListPullTimeUpdateExclusions", registry)
        query = f"pull exclusions\n{registry.account}\n{registry.region}"
        after = str(self._pages.open(query, token)[0]) if token else ""
        async with self._metadata.reading() as unit:
            found = await unit.pull_exclusions.page(registry, after, limit + 1)
        more = self._pages.seal(query, [found[limit - 1]]) if len(found) > limit else None
        return Listing(found[:limit], more)


async def is_excluded(stores: Stores, caller: Caller, registry: RegistryId) -> bool:
    """Whether a caller's pulls from a registry leave pull times alone; of a session, its role counts."""
    entity = caller.principal.entity
    if entity is None:
        return False  # only roles and users can be excluded

    async def look() -> bool:
        async with stores.metadata.reading() as unit:
            return await unit.pull_exclusions.has(registry, entity.arn)

    return await stores.recollection.recall(("pull exclusion", registry, entity.arn), look)
