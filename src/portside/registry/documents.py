"""The documents that have a say about a caller and a resource, gathered and compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portside.core.identities import Kind
from portside.core.names import RegistryId, RepositoryId
from portside.identity.caller import Principal
from portside.identity.managed_policies import MANAGED
from portside.identity.policy import Policies, Policy, PolicyKind, compile_policy
from portside.registry.identity_arns import parse_identity_arn
from portside.storage.metadata.port import Unit

_NOTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'
"""What stands for a boundary or session policy that is gone: silence would be enough, and this says it aloud."""
_EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class OfCaller:
    """What a caller's own account says of it."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None


async def of_caller(unit: Unit, principal: Principal) -> OfCaller:
    """Gather a caller's identity policies, its boundary and its session policy."""
    entity = principal.entity
    session = await _of_session(unit, principal)
    if entity is None:
        # A federated user of the account's root has what the root has, as far as its session policy goes.
        federated = principal.kind == "FederatedUser"
        return OfCaller([_managed(_EVERYTHING, PolicyKind.IDENTITY)] if federated else (), None, session)
    held: list[Policy] = []
    for name, text in await unit.holdings.attached_documents(entity.id):
        held.append(_compiled(text, PolicyKind.IDENTITY, name) if text else _managed(name, PolicyKind.IDENTITY))
    inline = await unit.holdings.inline_documents(entity.id)
    held += [_compiled(document.text, PolicyKind.IDENTITY, document.name) for document in inline]
    boundary, account = entity.boundary, principal.account
    narrowed = None if boundary is None else await _by_arn(unit, boundary, account, PolicyKind.BOUNDARY)
    return OfCaller(held, narrowed, session)


async def of_registry(unit: Unit, registry: RegistryId) -> Policy | None:
    """The policy of a registry."""
    text = await unit.resource_policies.of_registry(registry)
    return None if text is None else _compiled(text, PolicyKind.REGISTRY, "registry policy")


async def of_repository(unit: Unit, repository: RepositoryId) -> tuple[Policy | None, Policy | None, Mapping[str, str]]:
    """The policy of a repository, that of its registry, and the repository's tags; of one that is not there, little."""
    own, whole, tags = await unit.resource_policies.about(repository)
    return (
        None if own is None else _compiled(own, PolicyKind.REPOSITORY, "repository policy"),
        None if whole is None else _compiled(whole, PolicyKind.REGISTRY, "registry policy"),
        tags,
    )


async def managed_text(unit: Unit, arn: str, account: str) -> str | None:
    """The default version of a managed policy, AWS's own or the account's; None when there is none."""
    managed = MANAGED.get(arn)
    if managed is not None:
        return managed.document
    named = parse_identity_arn(arn)
    if named is None or named.kind is not Kind.POLICY or named.account != account:
        return None
    policy = await unit.identities.find(named.account, Kind.POLICY, named.name)
    if policy is None or policy.arn != arn:
        return None
    return next((version.text for version in await unit.identities.versions(policy.id) if version.is_default), None)


def policies(caller: OfCaller, resource: Policy | None, registry: Policy | None) -> Policies:
    """All of them together."""
    return Policies(caller.identity, caller.boundary, caller.session, resource, registry)


async def _of_session(unit: Unit, principal: Principal) -> Sequence[Policy] | None:
    session = principal.session
    if session is None or (session.policies is None and not session.policy_arns):
        return None
    found = [_compiled(text, PolicyKind.SESSION, "session policy") for text in session.policies or ()]
    return [*found, *[await _by_arn(unit, arn, principal.account, PolicyKind.SESSION) for arn in session.policy_arns]]


async def _by_arn(unit: Unit, arn: str, account: str, kind: PolicyKind) -> Policy:
    return _compiled(await managed_text(unit, arn, account) or _NOTHING, kind, arn)


def _managed(arn: str, kind: PolicyKind) -> Policy:
    managed = MANAGED.get(arn)
    return _compiled(_NOTHING if managed is None else managed.document, kind, arn)


def _compiled(text: str, kind: PolicyKind, name: str) -> Policy:
    return compile_policy(text, kind).named(name)
