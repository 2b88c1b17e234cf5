"""Managed policies and their versions; AWS's own are there from the start and cannot be changed."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portside.core.iam_errors import DeleteConflict, EntityAlreadyExists, EntityLimitExceeded, NoSuchEntity
from portside.core.identities import Identity, Kind, PolicyVersion, arn_of
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.identity.keys import new_unique_id
from portside.identity.managed_policies import MANAGED, ManagedPolicy
from portside.identity.policy import PolicyKind
from portside.registry.access import Access
from portside.registry.iam.directory import check_tags, with_tags, without_tags
from portside.registry.iam.policy_documents import MOST_MANAGED, check_document
from portside.registry.identity_arns import parse_identity_arn
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_MOST_VERSIONS = 5
_MOST_POLICIES = 1500
_AWS = "aws"


@dataclass(frozen=True, slots=True)
class Shown:
    """A managed policy as it is shown."""

    policy: Identity
    default: int
    attached: int
    """How many identities it is attached to."""
    bounds: int
    """Of how many it is the permissions boundary."""
    updated_at: int


class ManagedPolicies:
    """The managed policies of every account."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def create(
        self, caller: Caller, name: str, document: str, *, path: str, description: str, tags: Mapping[str, str]
    ) -> Shown:
        """Make a policy; raises MalformedPolicyDocument, EntityAlreadyExists and EntityLimitExceeded."""
        account, now = caller.principal.account, self._clock() // 1_000_000 * 1_000_000
        resource = arn_of(account, Kind.POLICY, name, path)
        await self._access.identity(caller, "iam:CreatePolicy", account, resource, context=tagging(tags))
        check_document(document, PolicyKind.IDENTITY, most=MOST_MANAGED)
        check_tags(tags)
        attributes = {"description": description, "tags": dict(tags), "updated_at": now, "next": 2}
        policy = Identity(new_unique_id("ANPA"), account, Kind.POLICY, name, path, now, attributes)
        async with self._metadata.writing() as unit:
            if not await unit.identities.add(policy):
                raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
            if await unit.identities.count(account, Kind.POLICY) > _MOST_POLICIES:
                raise EntityLimitExceeded("PoliciesPerAccount", _MOST_POLICIES)
            await unit.identities.add_version(policy.id, PolicyVersion(1, document, True, now))
        return Shown(policy, 1, 0, 0, now)

    async def get(self, caller: Caller, arn: str, action: str = "iam:GetPolicy") -> Shown:
        """One policy; raises NoSuchEntity."""
        await self._access.identity(caller, action, caller.principal.account, arn)
        async with self._metadata.reading() as unit:
            return await self._shown(unit, await _found(unit, caller, arn))

    async def page(
        self, caller: Caller, *, prefix: str, after: str, limit: int, scope: str
    ) -> tuple[Sequence[Shown], str | None]:
        """AWS's own and the account's, those first; `scope` is All, AWS or Local."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:ListPolicies", account, "*")
        names = sorted(policy.name for policy in MANAGED.values() if policy.path.startswith(prefix))
        own = [] if scope == "Local" else [name for name in names if f"{_AWS}:{name}" > after]
        async with self._metadata.reading() as unit:
            found = [_of_aws(_by_name(name)) for name in own[: limit + 1]]
            if scope != "AWS" and len(found) <= limit:
                begin = after.removeprefix(f"{account}:") if after.startswith(f"{account}:") else ""
                found += await unit.identities.page(
                    account, Kind.POLICY, prefix=prefix, after=begin, limit=limit + 1 - len(found)
                )
            shown = [await self._shown(unit, policy) for policy in found[:limit]]
        more = f"{found[limit - 1].account}:{found[limit - 1].name}" if len(found) > limit else None
        return shown, more

    async def versions(self, caller: Caller, arn: str) -> Sequence[PolicyVersion]:
        """Its versions, the newest first."""
        return await self._versions(caller, arn, "iam:ListPolicyVersions")

    async def version(self, caller: Caller, arn: str, name: str) -> PolicyVersion:
        """One version, by a name such as v2; raises NoSuchEntity."""
        return _version(await self._versions(caller, arn, "iam:GetPolicyVersion"), arn, name)

    async def add_version(self, caller: Caller, arn: str, document: str, *, chosen: bool) -> PolicyVersion:
        """Add a version, and make it the default if it is `chosen`; raises EntityLimitExceeded."""
        async with self._changing(caller, arn, "iam:CreatePolicyVersion") as (unit, policy):
            check_document(document, PolicyKind.IDENTITY, most=MOST_MANAGED)
            if len(await unit.identities.versions(policy.id)) >= _MOST_VERSIONS:
                raise EntityLimitExceeded.of_versions(_MOST_VERSIONS)
            number, now = policy.attributes["next"], self._clock() // 1_000_000 * 1_000_000
            version = PolicyVersion(number, document, chosen, now)
            await unit.identities.add_version(policy.id, version)
            if chosen:
                await unit.identities.choose_version(policy.id, number)
            attributes = {**policy.attributes, "next": number + 1, "updated_at": now}
            await unit.identities.change(dataclasses.replace(policy, attributes=attributes))
        return version

    async def choose_version(self, caller: Caller, arn: str, name: str) -> None:
        """Let another version be the default; raises NoSuchEntity."""
        async with self._changing(caller, arn, "iam:SetDefaultPolicyVersion") as (unit, policy):
            version = _version(await unit.identities.versions(policy.id), arn, name)
            await unit.identities.choose_version(policy.id, version.number)

    async def delete_version(self, caller: Caller, arn: str, name: str) -> None:
        """Remove a version that is not the default; raises DeleteConflict and NoSuchEntity."""
        async with self._changing(caller, arn, "iam:DeletePolicyVersion") as (unit, policy):
            version = _version(await unit.identities.versions(policy.id), arn, name)
            if version.is_default:
                raise DeleteConflict("Cannot delete the default version of a policy.")
            await unit.identities.delete_version(policy.id, version.number)

    async def delete(self, caller: Caller, arn: str) -> None:
        """Remove a policy that nothing holds; raises DeleteConflict."""
        async with self._changing(caller, arn, "iam:DeletePolicy") as (unit, policy):
            if await unit.holdings.holders(policy.id) or await unit.identities.bounded_by(policy.arn):
                raise DeleteConflict("Cannot delete a policy attached to entities.")
            if len(await unit.identities.versions(policy.id)) > 1:
                raise DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                    "versions. The default version is deleted with the policy."
                )
            await unit.identities.delete(policy.id)

    async def holders(self, caller: Caller, arn: str) -> tuple[Sequence[Identity], Sequence[Identity]]:
        """What it is attached to, and what it bounds, of the caller's account."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:ListEntitiesForPolicy", account, arn)
        async with self._metadata.reading() as unit:
            policy = await _found(unit, caller, arn)
            attached = await unit.holdings.holders(arn if policy.account == _AWS else policy.id)
            bounded = await unit.identities.bounded_by(arn)
        return [one for one in attached if one.account == account], [one for one in bounded if one.account == account]

    async def tag(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None:
        """Put tags on it."""
        async with self._changing(caller, arn, "iam:TagPolicy") as (unit, policy):
            await unit.identities.change(with_tags(policy, tags))

    async def untag(self, caller: Caller, arn: str, names: Sequence[str]) -> None:
        """Take tags away."""
        async with self._changing(caller, arn, "iam:UntagPolicy") as (unit, policy):
            await unit.identities.change(without_tags(policy, names))

    async def _versions(self, caller: Caller, arn: str, action: str) -> Sequence[PolicyVersion]:
        await self._access.identity(caller, action, caller.principal.account, arn)
        managed = MANAGED.get(arn)
        if managed is not None:
            return [PolicyVersion(managed.version, managed.document, True, _day(managed))]
        async with self._metadata.reading() as unit:
            return await unit.identities.versions((await _found(unit, caller, arn)).id)

    async def _shown(self, unit: Unit, policy: Identity) -> Shown:
        managed = MANAGED.get(policy.arn)
        attached = len(await unit.holdings.holders(policy.arn if managed else policy.id))
        bounds = len(await unit.identities.bounded_by(policy.arn))
        if managed is not None:
            return Shown(policy, managed.version, attached, bounds, policy.created_at)
        versions = await unit.identities.versions(policy.id)
        default = next(version.number for version in versions if version.is_default)
        return Shown(policy, default, attached, bounds, policy.attributes["updated_at"])

    @contextlib.asynccontextmanager
    async def _changing(self, caller: Caller, arn: str, action: str) -> AsyncGenerator[tuple[Unit, Identity], None]:
        await self._access.identity(caller, action, caller.principal.account, arn)
        if arn in MANAGED:
            raise self._access.refusal(caller, action, f"policy {arn}", "because AWS managed policies are fixed")
        async with self._metadata.writing() as unit:
            found = await _found(unit, caller, arn)
            policy = await unit.identities.lock(found.account, Kind.POLICY, found.name)
            if policy is None or policy.id != found.id:
                raise _not_found(arn)
            yield unit, policy


async def _found(unit: Unit, caller: Caller, arn: str) -> Identity:
    managed = MANAGED.get(arn)
    if managed is not None:
        return _of_aws(managed)
    named = parse_identity_arn(arn)
    if named is None or named.kind is not Kind.POLICY or named.account != caller.principal.account:
        raise _not_found(arn)
    policy = await unit.identities.find(named.account, Kind.POLICY, named.name)
    if policy is None or policy.arn != arn:
        raise _not_found(arn)
    return policy


def _version(versions: Sequence[PolicyVersion], arn: str, name: str) -> PolicyVersion:
    for version in versions:
        if f"v{version.number}" == name:
            return version
    raise NoSuchEntity(f"Policy {arn} version {name} does not exist or is not attachable.")


def _not_found(arn: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {arn} was not found.")


def _by_name(name: str) -> ManagedPolicy:
    return next(policy for policy in MANAGED.values() if policy.name == name)


def _of_aws(managed: ManagedPolicy) -> Identity:
    return Identity(managed.id, _AWS, Kind.POLICY, managed.name, managed.path, _day(managed))


def _day(managed: ManagedPolicy) -> int:
    return int(datetime.fromisoformat(managed.created).replace(tzinfo=UTC).timestamp()) * 1_000_000
