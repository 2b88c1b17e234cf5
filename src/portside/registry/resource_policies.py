"""Policies of repositories and registries: set, shown, removed (iam-behaviour 3.4, 3.5; ecr-behaviour 10.6)."""

from __future__ import annotations

from portside.core.errors import InvalidParameter
from portside.core.iam_errors import RegistryPolicyNotFound, RepositoryPolicyNotFound
from portside.core.names import RegistryId, RepositoryId
from portside.identity.caller import Caller
from portside.identity.policy import PolicyKind, compile_policy
from portside.identity.policy_text import normalised
from portside.registry.access import Access, Ask
from portside.registry.policy_scope import is_narrow, must_be_narrow
from portside.registry.policy_texts import stored_form
from portside.registry.repositories import find, lock
from portside.registry.stored_principals import to_shown
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_FIELD = "PolicyText"
_SET = "ecr:SetRepositoryPolicy"
_LOCKED_OUT = "Policy would prevent the caller from setting repository policy in the future. Use force to override."


class ResourcePolicies:
    """The policy of every repository and registry that has one."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._access = access

    async def set_of_repository(self, caller: Caller, repository: RepositoryId, text: str, *, force: bool) -> str:
        """Let a repository's policy be this; what is shown of it.

        Raises InvalidParameter for what is no such policy, names nobody, or would lock the caller out without `force`.
        """
        await self._access.repository(caller, _SET, repository)
        async with self._metadata.reading() as unit:
            stored = await stored_form(unit, text, PolicyKind.REPOSITORY)
        if not force:
            await self._must_not_lock_out(caller, repository, stored)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            await unit.resource_policies.put_of_repository(held.key, stored, text)
            return await _shown(unit, stored)

    async def of_repository(self, caller: Caller, repository: RepositoryId) -> str:
        """A repository's policy; raises RepositoryPolicyNotFound."""
        await self._access.repository(caller, "ecr:GetRepositoryPolicy", repository)
        async with self._metadata.reading() as unit:
            await find(unit, repository)
            stored = await unit.resource_policies.of_repository(repository)
            if stored is None:
                raise RepositoryPolicyNotFound(repository)
            return await _shown(unit, stored)

    async def delete_of_repository(self, caller: Caller, repository: RepositoryId) -> str:
        """Remove a repository's policy; what it was. Raises RepositoryPolicyNotFound."""
        await self._access.repository(caller, "ecr:DeleteRepositoryPolicy", repository)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            stored = await unit.resource_policies.of_repository(repository)
            if stored is None:
                raise RepositoryPolicyNotFound(repository)
            await unit.resource_policies.delete_of_repository(held.key)
            return await _shown(unit, stored)

    async def put_of_registry(self, caller: Caller, registry: RegistryId, text: str) -> str:
        """Let a registry's policy be this; what is shown of it. Raises InvalidParameter."""
        await self._access.registry(caller, "ecr:PutRegistryPolicy", registry)
        async with self._metadata.reading() as unit:
            stored = await stored_form(unit, text, PolicyKind.REGISTRY)
            if await is_narrow(unit, registry):
                must_be_narrow(text)
        async with self._metadata.writing() as unit:
            await unit.resource_policies.put_of_registry(registry, stored, text)
            return await _shown(unit, stored)

    async def of_registry(self, caller: Caller, registry: RegistryId) -> str:
        """A registry's policy; raises RegistryPolicyNotFound."""
        await self._access.registry(caller, "ecr:GetRegistryPolicy", registry)
        async with self._metadata.reading() as unit:
            stored = await unit.resource_policies.of_registry(registry)
            if stored is None:
                raise RegistryPolicyNotFound(registry.account)
            return await _shown(unit, stored)

    async def delete_of_registry(self, caller: Caller, registry: RegistryId) -> str:
        """Remove a registry's policy; what it was. Raises RegistryPolicyNotFound."""
        await self._access.registry(caller, "ecr:DeleteRegistryPolicy", registry)
        async with self._metadata.writing() as unit:
            stored = await unit.resource_policies.of_registry(registry)
            if stored is None:
                raise RegistryPolicyNotFound(registry.account)
            await unit.resource_policies.delete_of_registry(registry)
            return await _shown(unit, stored)

    async def _must_not_lock_out(self, caller: Caller, repository: RepositoryId, stored: str) -> None:
        """Refuse a policy under which the caller could not set another one; an account's root always can."""
        if caller.principal.kind == "Account" and caller.principal.account == repository.account:
            return
        ask = Ask(caller, _SET, repository.arn, repository.registry, repository)
        held = await self._access.held(ask, compile_policy(stored, PolicyKind.REPOSITORY))
        if not held.decision.allowed:
            raise InvalidParameter(_FIELD, _LOCKED_OUT)


async def _shown(unit: Unit, stored: str) -> str:
    """A stored policy as it is shown."""
    return normalised(await to_shown(unit, stored))
