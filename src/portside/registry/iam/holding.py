"""What identities hold: attached and inline policies, and memberships of groups."""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.iam_errors import EntityLimitExceeded, NoSuchEntity
from portside.core.identities import Document, Identity, Kind
from portside.identity.caller import Caller
from portside.identity.managed_policies import MANAGED
from portside.identity.policy import PolicyKind
from portside.registry.iam.directory import WORDS, Directory, missing
from portside.registry.iam.policy_documents import check_document, length_of, policy_id
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_MOST_ATTACHED = 10
_MOST_GROUPS = 10
_MOST_INLINE = {Kind.USER: 2048, Kind.ROLE: 10_240, Kind.GROUP: 5120}
"""Characters of all inline policies of one identity, white space aside (iam-behaviour 2.1)."""


class Holding:
    """Who holds what."""

    def __init__(self, stores: Stores, directory: Directory) -> None:
        self._metadata = stores.metadata
        self._directory = directory

    async def attach(self, caller: Caller, kind: Kind, name: str, policy: str) -> None:
        """Attach a managed policy; again is no mistake. Raises NoSuchEntity and EntityLimitExceeded."""
        action, context = f"iam:Attach{WORDS[kind]}Policy", {"iam:policyarn": policy}
        async with self._directory.changing(caller, kind, name, action, context) as (unit, identity):
            identifier = await policy_id(unit, policy, identity.account, lock=True)
            if identifier is None:
                raise NoSuchEntity(f"Policy {policy} does not exist or is not attachable.")
            await unit.holdings.attach(identity.id, identifier)
            if len(await unit.holdings.attached(identity.id)) > _MOST_ATTACHED:
                raise EntityLimitExceeded(f"PoliciesPer{WORDS[kind]}", _MOST_ATTACHED)

    async def detach(self, caller: Caller, kind: Kind, name: str, policy: str) -> None:
        """Take a managed policy away; raises NoSuchEntity."""
        action, context = f"iam:Detach{WORDS[kind]}Policy", {"iam:policyarn": policy}
        async with self._directory.changing(caller, kind, name, action, context) as (unit, identity):
            identifier = await policy_id(unit, policy, identity.account)
            if identifier is None or not await unit.holdings.detach(identity.id, identifier):
                raise NoSuchEntity(f"Policy {policy} was not found.")

    async def attached(self, caller: Caller, kind: Kind, name: str, prefix: str) -> Sequence[tuple[str, str]]:
        """Name and ARN of what is attached to one identity itself."""
        identity = await self._directory.admitted(caller, kind, name, f"iam:ListAttached{WORDS[kind]}Policies")
        async with self._metadata.reading() as unit:
            return await attached_policies(unit, identity, prefix)

    async def put(self, caller: Caller, kind: Kind, name: str, policy: str, document: str) -> None:
        """Let an inline policy be this; raises MalformedPolicyDocument and EntityLimitExceeded."""
        async with self._directory.changing(caller, kind, name, f"iam:Put{WORDS[kind]}Policy") as (unit, identity):
            check_document(document, PolicyKind.IDENTITY)
            await unit.holdings.put_inline(identity.id, policy, document)
            total = sum(length_of(held.text) for held in await unit.holdings.inline(identity.id))
            if total > _MOST_INLINE[kind]:
                raise EntityLimitExceeded.of_bytes(_MOST_INLINE[kind], kind, name)

    async def get(self, caller: Caller, kind: Kind, name: str, policy: str) -> Document:
        """One inline policy; raises NoSuchEntity."""
        found = await self._inline(caller, kind, name, f"iam:Get{WORDS[kind]}Policy")
        for document in found:
            if document.name == policy:
                return document
        raise _no_inline(kind, policy)

    async def inline(self, caller: Caller, kind: Kind, name: str) -> Sequence[str]:
        """The names of its inline policies."""
        found = await self._inline(caller, kind, name, f"iam:List{WORDS[kind]}Policies")
        return [document.name for document in found]

    async def drop(self, caller: Caller, kind: Kind, name: str, policy: str) -> None:
        """Remove an inline policy; raises NoSuchEntity."""
        async with self._directory.changing(caller, kind, name, f"iam:Delete{WORDS[kind]}Policy") as (unit, identity):
            if not await unit.holdings.drop_inline(identity.id, policy):
                raise _no_inline(kind, policy)

    async def join(self, caller: Caller, group: str, user: str) -> None:
        """Put a user into a group; again is no mistake. Raises NoSuchEntity and EntityLimitExceeded."""
        async with self._directory.changing(caller, Kind.GROUP, group, "iam:AddUserToGroup") as (unit, found):
            member = await _member(unit, found, user)
            await unit.holdings.join(found.id, member.id)
            if len(await unit.holdings.groups(member.id)) > _MOST_GROUPS:
                raise EntityLimitExceeded("GroupsPerUser", _MOST_GROUPS)

    async def leave(self, caller: Caller, group: str, user: str) -> None:
        """Take a user out of a group; raises NoSuchEntity."""
        async with self._directory.changing(caller, Kind.GROUP, group, "iam:RemoveUserFromGroup") as (unit, found):
            member = await _member(unit, found, user)
            if not await unit.holdings.leave(found.id, member.id):
                raise NoSuchEntity(f"User {user} is not in group {group}.")

    async def members(
        self, caller: Caller, group: str, *, after: str, limit: int
    ) -> tuple[Identity, Sequence[Identity], str | None]:
        """A group, its users in order, and the name to go on after."""
        found = await self._directory.admitted(caller, Kind.GROUP, group, "iam:GetGroup")
        async with self._metadata.reading() as unit:
            users = await unit.holdings.members(found.id, after=after, limit=limit + 1)
        return found, users[:limit], users[limit - 1].name if len(users) > limit else None

    async def groups(self, caller: Caller, user: str) -> Sequence[Identity]:
        """The groups of a user."""
        found = await self._directory.admitted(caller, Kind.USER, user, "iam:ListGroupsForUser")
        async with self._metadata.reading() as unit:
            return await unit.holdings.groups(found.id)

    async def _inline(self, caller: Caller, kind: Kind, name: str, action: str) -> Sequence[Document]:
        identity = await self._directory.admitted(caller, kind, name, action)
        async with self._metadata.reading() as unit:
            return await unit.holdings.inline(identity.id)


async def _member(unit: Unit, group: Identity, user: str) -> Identity:
    found = await unit.identities.lock(group.account, Kind.USER, user)
    if found is None:
        raise missing(Kind.USER, user)
    return found


async def attached_policies(unit: Unit, identity: Identity, prefix: str = "/") -> Sequence[tuple[str, str]]:
    """Name and ARN of what is attached to an identity itself, by name."""
    found: list[tuple[str, str]] = []
    for identifier in await unit.holdings.attached(identity.id):
        managed = MANAGED.get(identifier)
        own = None if managed is not None else await unit.identities.get(identifier)
        found += [(policy.name, policy.arn) for policy in (managed, own) if policy and policy.path.startswith(prefix)]
    return sorted(found)


def _no_inline(kind: Kind, policy: str) -> NoSuchEntity:
    return NoSuchEntity(f"The {kind} policy with name {policy} cannot be found.")
