"""Users, groups and roles: made, looked up, listed, renamed, tagged and removed, by the same rules for all three.

The gate is asked on the ARN that the identity has, or would have without a path where there is none; only then is
anything said of whether it exists. Words and sentences are those of AWS (iam-behaviour 4.3, 4.4).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from portside.core.iam_errors import (
    DeleteConflict,
    EntityAlreadyExists,
    EntityLimitExceeded,
    InvalidInput,
    NoSuchEntity,
    UnmodifiableEntity,
)
from portside.core.identities import Identity, Kind, arn_of
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.identity.keys import new_unique_id
from portside.registry.access import Access
from portside.registry.iam.policy_documents import policy_id
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

WORDS = {Kind.USER: "User", Kind.GROUP: "Group", Kind.ROLE: "Role", Kind.POLICY: "Policy"}
"""As they stand in the names of actions."""
_PREFIXES = {Kind.USER: "AIDA", Kind.GROUP: "AGPA", Kind.ROLE: "AROA", Kind.POLICY: "ANPA"}
_MOST = {Kind.USER: ("UsersPerAccount", 5000), Kind.GROUP: ("GroupsPerAccount", 300)}
_MOST_ROLES = ("RolesPerAccount", 1000)
MOST_TAGS = 50
_SERVICES = "/aws-service-role/"


class Directory:
    """The users, groups and roles of every account."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def create(
        self,
        caller: Caller,
        kind: Kind,
        name: str,
        *,
        path: str = "/",
        tags: Mapping[str, str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        boundary: str | None = None,
        action: str | None = None,
    ) -> Identity:
        """Make one; raises EntityAlreadyExists and EntityLimitExceeded."""
        account, given = caller.principal.account, dict(tags or {})
        context = {**tagging(given), **({} if boundary is None else {"iam:permissionsboundary": boundary})}
        resource = arn_of(account, kind, name, path)
        await self._access.identity(caller, action or f"iam:Create{WORDS[kind]}", account, resource, context=context)
        check_tags(given)
        identity = Identity(
            new_unique_id(_PREFIXES[kind]),
            account,
            kind,
            name,
            path,
            self._clock() // 1_000_000 * 1_000_000,  # whole seconds, as they are shown
            {**(attributes or {}), "tags": given},
            boundary,
        )
        async with self._metadata.writing() as unit:
            await _must_bound(unit, account, boundary)
            if not await unit.identities.add(identity):
                raise EntityAlreadyExists(f"{WORDS[kind]} with name {name} already exists.")
            quota, limit = _MOST.get(kind, _MOST_ROLES)
            if await unit.identities.count(account, kind) > limit:
                raise EntityLimitExceeded(quota, limit)
        return identity

    async def get(self, caller: Caller, kind: Kind, name: str, action: str | None = None) -> Identity:
        """One by its name; raises NoSuchEntity."""
        return await self.admitted(caller, kind, name, action or f"iam:Get{WORDS[kind]}")

    async def page(
        self, caller: Caller, kind: Kind, *, prefix: str, after: str, limit: int
    ) -> tuple[Sequence[Identity], str | None]:
        """Those whose path begins with a prefix, in order, and the name to go on after."""
        account = caller.principal.account
        await self._access.identity(caller, f"iam:List{WORDS[kind]}s", account, arn_of(account, kind, "", prefix))
        async with self._metadata.reading() as unit:
            found = await unit.identities.page(account, kind, prefix=prefix, after=after, limit=limit + 1)
        return found[:limit], found[limit - 1].name if len(found) > limit else None

    async def rename(self, caller: Caller, kind: Kind, name: str, new_name: str | None, new_path: str | None) -> None:
        """Give it another name or path; its id stays, and with it everything that it was granted."""
        action, account = f"iam:Update{WORDS[kind]}", caller.principal.account
        if new_name is not None or new_path is not None:
            await self._access.identity(
                caller, action, account, arn_of(account, kind, new_name or name, new_path or "/")
            )
        async with self.changing(caller, kind, name, action) as (unit, identity):
            changed = dataclasses.replace(identity, name=new_name or identity.name, path=new_path or identity.path)
            standing = await unit.identities.find(identity.account, kind, changed.name)
            if standing is not None and standing.id != identity.id:
                raise EntityAlreadyExists(f"{WORDS[kind]} with name {changed.name} already exists.")
            await unit.identities.change(changed)

    async def change(
        self, caller: Caller, kind: Kind, name: str, action: str, attributes: Mapping[str, Any]
    ) -> Identity:
        """Let some attributes be these; the others stay."""
        async with self.changing(caller, kind, name, action) as (unit, identity):
            changed = dataclasses.replace(identity, attributes={**identity.attributes, **attributes})
            await unit.identities.change(changed)
        return changed

    async def bound(self, caller: Caller, kind: Kind, name: str, boundary: str | None) -> None:
        """Set or take away a permissions boundary."""
        verb = "Delete" if boundary is None else "Put"
        action = f"iam:{verb}{WORDS[kind]}PermissionsBoundary"
        context = {} if boundary is None else {"iam:permissionsboundary": boundary}
        async with self.changing(caller, kind, name, action, context) as (unit, identity):
            await _must_bound(unit, identity.account, boundary)
            if boundary is None and identity.boundary is None:
                raise NoSuchEntity(f"{WORDS[kind]} {name} has no permissions boundary.")
            await unit.identities.change(dataclasses.replace(identity, boundary=boundary))

    async def tag(self, caller: Caller, kind: Kind, name: str, tags: Mapping[str, str]) -> None:
        """Put tags on it; a key that it has, whatever its case, gets the new value."""
        async with self.changing(caller, kind, name, f"iam:Tag{WORDS[kind]}", tagging(tags)) as (unit, identity):
            await unit.identities.change(with_tags(identity, tags))

    async def untag(self, caller: Caller, kind: Kind, name: str, keys: Sequence[str]) -> None:
        """Take tags away; keys that it does not have are no mistake."""
        action, context = f"iam:Untag{WORDS[kind]}", {"aws:tagkeys": list(keys)}
        async with self.changing(caller, kind, name, action, context) as (unit, identity):
            await unit.identities.change(without_tags(identity, keys))

    async def delete(self, caller: Caller, kind: Kind, name: str) -> None:
        """Remove one that holds nothing any more; raises DeleteConflict."""
        async with self.changing(caller, kind, name, f"iam:Delete{WORDS[kind]}") as (unit, identity):
            await _must_hold_nothing(unit, identity)
            await unit.identities.delete(identity.id)

    async def may_look(self, caller: Caller, action: str, resource: str) -> None:
        """Ask the gate for what is about no user, group or role of a name."""
        await self._access.identity(caller, action, caller.principal.account, resource)

    async def delete_of_service(self, caller: Caller, name: str) -> Identity:
        """Remove the role of a service; raises NoSuchEntity for any other one."""
        admitted = await self.admitted(caller, Kind.ROLE, name, "iam:DeleteServiceLinkedRole")
        if not admitted.path.startswith(_SERVICES):
            raise missing(Kind.ROLE, name)
        async with self._metadata.writing() as unit:
            await unit.identities.delete(admitted.id)
        return admitted

    async def admitted(
        self, caller: Caller, kind: Kind, name: str, action: str, context: Mapping[str, Any] | None = None
    ) -> Identity:
        """One that the caller may do this to; raises AccessDenied and NoSuchEntity."""
        account = caller.principal.account
        async with self._metadata.reading() as unit:
            found = await unit.identities.find(account, kind, name)
        arn = arn_of(account, kind, name) if found is None else found.arn
        tags = {} if found is None else {f"resourcetag/{key.lower()}": value for key, value in found.tags.items()}
        asked = {f"{prefix}:{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}
        await self._access.identity(caller, action, account, arn, context={**asked, **(context or {})})
        if found is None:
            raise missing(kind, name)
        return found

    @contextlib.asynccontextmanager
    async def changing(
        self, caller: Caller, kind: Kind, name: str, action: str, context: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[tuple[Unit, Identity], None]:
        """A unit of writing with one that the caller may do this to, locked; what belongs to a service is refused.

        Raises AccessDenied, NoSuchEntity and UnmodifiableEntity.
        """
        admitted = await self.admitted(caller, kind, name, action, context)
        async with self._metadata.writing() as unit:
            identity = await unit.identities.lock(admitted.account, kind, name)
            if identity is None or identity.id != admitted.id:
                raise missing(kind, name)
            _refuse_services(identity)
            yield unit, identity


def missing(kind: Kind, name: str) -> NoSuchEntity:
    """What to say of one that is not there."""
    return NoSuchEntity(f"The {WORDS[kind].lower()} with name {name} cannot be found.")


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse more tags than there may be, and keys that differ in their case only."""
    if len(tags) > MOST_TAGS:
        raise InvalidInput(f"The number of tags has exceeded the maximum limit: {MOST_TAGS}.")
    if len({key.lower() for key in tags}) != len(tags):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def with_tags(identity: Identity, tags: Mapping[str, str]) -> Identity:
    """The identity with more tags; raises InvalidInput."""
    check_tags(tags)
    given = {key.lower() for key in tags}
    kept = {key: value for key, value in identity.tags.items() if key.lower() not in given}
    found = {**kept, **tags}
    check_tags(found)
    return dataclasses.replace(identity, attributes={**identity.attributes, "tags": found})


def without_tags(identity: Identity, keys: Sequence[str]) -> Identity:
    """The identity without some tags."""
    gone = {key.lower() for key in keys}
    kept = {key: value for key, value in identity.tags.items() if key.lower() not in gone}
    return dataclasses.replace(identity, attributes={**identity.attributes, "tags": kept})


def _refuse_services(identity: Identity) -> None:
    """Refuse to change what belongs to a service."""
    if identity.path.startswith(_SERVICES):
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{identity.name}' - "
            "this role is only modifiable by AWS"
        )


async def _must_bound(unit: Unit, account: str, boundary: str | None) -> None:
    if boundary is not None and await policy_id(unit, boundary, account, lock=True) is None:
        raise NoSuchEntity(f"Scope ARN: {boundary} does not exist or is not attachable.")


async def _must_hold_nothing(unit: Unit, identity: Identity) -> None:
    if identity.kind is Kind.GROUP and await unit.holdings.members(identity.id, after="", limit=1):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if identity.kind is Kind.USER:
        if await unit.holdings.groups(identity.id):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        if await unit.access_keys.of(identity.account, identity.id):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    if await unit.holdings.attached(identity.id):
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if await unit.holdings.inline(identity.id):
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
