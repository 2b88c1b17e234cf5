"""Lifecycle policies: put, shown, removed (ecr-behaviour 3.5)."""

from __future__ import annotations

from portside.core.lifecycle.grammar import minified, read
from portside.core.names import RepositoryId
from portside.core.settings_errors import LifecyclePolicyNotFound
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.metadata.lifecycle import PolicyRow


class LifecyclePolicies:
    """The lifecycle policy of every repository that has one."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def put(self, caller: Caller, repository: RepositoryId, text: str) -> str:
        """Let a repository have this policy, to be applied soon; how it is shown.

        Raises RepositoryNotFound, and InvalidParameter for what is no policy.
        """
        await self._access.repository(caller, "ecr:PutLifecyclePolicy", repository)
        read(text)
        document = minified(text)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            await unit.lifecycle.put(held.key, document, self._clock())
        return document

    async def get(self, caller: Caller, repository: RepositoryId) -> PolicyRow:
        """A repository's policy, and when it was last applied; raises LifecyclePolicyNotFound."""
        await self._access.repository(caller, "ecr:GetLifecyclePolicy", repository)
        async with self._metadata.reading() as unit:
            found = await unit.lifecycle.find((await find(unit, repository)).key)
        if found is None:
            raise LifecyclePolicyNotFound(repository)
        return found

    async def delete(self, caller: Caller, repository: RepositoryId) -> PolicyRow:
        """Remove a repository's policy; what it was. Raises LifecyclePolicyNotFound."""
        await self._access.repository(caller, "ecr:DeleteLifecyclePolicy", repository)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            found = await unit.lifecycle.find(held.key)
            if found is None:
                raise LifecyclePolicyNotFound(repository)
            await unit.lifecycle.delete(held.key)
        return found
