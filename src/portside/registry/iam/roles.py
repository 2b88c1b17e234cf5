"""Roles, as far as they differ from users and groups: who may assume them, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portside.core.iam_errors import InvalidInput, MalformedPolicyDocument
from portside.core.identities import Identity, Kind, arn_of
from portside.identity.caller import Caller
from portside.identity.policy import PolicyKind
from portside.registry.access import Access
from portside.registry.iam.directory import Directory
from portside.registry.iam.policy_documents import MOST_TRUST, check_document
from portside.registry.stored_principals import UnknownPrincipal, to_shown, to_stored
from portside.registry.stores import Stores

_SERVICE_ROLES: Mapping[str, str] = {
    "replication.ecr.amazonaws.com": "AWSServiceRoleForECRReplication",
    "pullthroughcache.ecr.amazonaws.com": "AWSServiceRoleForECRPullThroughCache",
    "ecr.amazonaws.com": "AWSServiceRoleForECRTemplate",
}
"""The services that have a role of their own here (iam-behaviour 3.3)."""


class Roles:
    """The roles of every account."""

    def __init__(self, stores: Stores, access: Access, directory: Directory) -> None:
        self._metadata = stores.metadata
        self._access = access
        self._directory = directory

    async def create(self, caller: Caller, name: str, *, trust: str, path: str, **more: Any) -> Identity:
        """Make a role; raises MalformedPolicyDocument besides what `Directory.create` raises."""
        # Before the principals of the trust policy are looked up: who may not ask learns nothing of who there is.
        account = caller.principal.account
        await self._access.identity(caller, "iam:CreateRole", account, arn_of(account, Kind.ROLE, name, path))
        attributes = {**more.pop("attributes"), "trust": await self._stored(trust)}
        return await self._directory.create(caller, Kind.ROLE, name, path=path, attributes=attributes, **more)

    async def set_trust(self, caller: Caller, name: str, trust: str) -> None:
        """Let others assume it; raises MalformedPolicyDocument."""
        action = "iam:UpdateAssumeRolePolicy"
        await self._directory.admitted(caller, Kind.ROLE, name, action)
        await self._directory.change(caller, Kind.ROLE, name, action, {"trust": await self._stored(trust)})

    async def shown_trust(self, role: Identity) -> str:
        """A role's trust policy with principals by ARN."""
        async with self._metadata.reading() as unit:
            return await to_shown(unit, role.attributes["trust"])

    async def create_for_service(self, caller: Caller, service: str, suffix: str | None, description: str) -> Identity:
        """Make the role of a service of ECR; raises InvalidInput for others, and for a name of one's own."""
        name = _SERVICE_ROLES.get(service)
        if name is None:
            raise InvalidInput(f"Service linked roles are not supported for {service}.")
        if suffix is not None:
            raise InvalidInput(f"Custom suffix is not allowed for {service}")
        trust = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
            f'"Principal": {{"Service": "{service}"}}, "Action": "sts:AssumeRole"}}]}}'
        )
        attributes = {"trust": trust, "description": description}
        path = f"/aws-service-role/{service}/"
        return await self._directory.create(
            caller, Kind.ROLE, name, path=path, attributes=attributes, action="iam:CreateServiceLinkedRole"
        )

    async def _stored(self, trust: str) -> str:
        check_document(trust, PolicyKind.TRUST, most=MOST_TRUST, quota="ACLSizePerRole")
        try:
            async with self._metadata.reading() as unit:
                return await to_stored(unit, trust)
        except UnknownPrincipal as unknown:
            raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{unknown.name}"') from None
