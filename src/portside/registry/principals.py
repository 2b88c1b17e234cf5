"""From credentials to principals: whom an access key or a session speaks for, as long as it does.

A key that is gone or inactive speaks for nobody, and neither do the sessions that go back to it; a session ends with
its user or role, and with the revocation of all sessions that its role had until then. The same holds for every role
that it was assumed by way of, and for the provider that vouched for a web identity (design law 5).
"""

from __future__ import annotations

from portside.core.identities import Identity, Kind
from portside.identity.caller import Entity, Principal
from portside.identity.sessions import Temporary
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Unit

ROOT = "root"
SESSIONS_FROM = "sessions_from"
"""The attribute of a role before which its sessions are revoked, in microseconds since 1970."""


async def of_key(unit: Unit, key: AccessKeyRow) -> Principal | None:
    """The principal of a long-term key."""
    if not key.active:
        return None
    if key.principal == ROOT:
        return Principal.root(key.account, key.id)
    user = await unit.identities.get(key.principal)
    return None if user is None else Principal(user.account, user.arn, user.id, "User", key.id, entity_of(user))


async def of_session(unit: Unit, temporary: Temporary) -> Principal | None:
    """The principal of temporary credentials."""
    session, account = temporary.session, temporary.account
    if session.origin is not None:
        origin = await unit.accounts.access_key(session.origin)
        if origin is None or not origin.active:
            return None
    for identifier, since in session.lineage.items():
        if await _standing(unit, identifier, since) is None:
            return None
    entity = None
    if temporary.entity is not None:
        identity = await _standing(unit, temporary.entity, session.issued_at)
        if identity is None:
            return None
        entity = entity_of(identity)
    elif not await unit.accounts.exists(account):
        return None
    return _principal(temporary, entity)


async def _standing(unit: Unit, identifier: str, since: int) -> Identity | None:
    """A user, role or provider that is there, and whose sessions of then were not revoked."""
    found = await unit.identities.get(identifier)
    if found is None or since <= found.attributes.get(SESSIONS_FROM, 0):
        return None
    # A provider's id is its ARN, which another one of this name has again.
    return None if found.kind is Kind.PROVIDER and since < found.created_at else found


def entity_of(identity: Identity) -> Entity:
    """A user or role as a principal is one."""
    return Entity(identity.id, identity.arn, identity.name, identity.tags, identity.boundary)


def assumed_role_arn(account: str, role: str, session: str) -> str:
    """The ARN of a role's session; the role's path is not in it."""
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"


def _principal(temporary: Temporary, entity: Entity | None) -> Principal:
    session, account, key = temporary.session, temporary.account, temporary.access_key
    if temporary.standing == "federated":
        arn = f"arn:aws:sts::{account}:federated-user/{session.name}"
        return Principal(account, arn, f"{account}:{session.name}", "FederatedUser", key, entity, session)
    if entity is None:
        return Principal(account, f"arn:aws:iam::{account}:root", account, "Account", key, None, session)
    if temporary.standing == "role":
        arn = assumed_role_arn(account, entity.name, session.name)
        return Principal(account, arn, f"{entity.id}:{session.name}", "AssumedRole", key, entity, session)
    return Principal(account, entity.arn, entity.id, "User", key, entity, session)


def kind_of(principal: Principal) -> Kind | None:
    """Of what kind the entity of a principal is."""
    if principal.entity is None:
        return None
    return Kind.ROLE if principal.kind == "AssumedRole" else Kind.USER
