"""Temporary credentials: roles assumed, users' and federated users' sessions (iam-behaviour 1.8, 2.6, 4.3)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portside.core.errors import AccessDenied
from portside.core.iam_errors import (
    InvalidSessionParameter,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationFailed,
)
from portside.core.identities import Identity, Kind
from portside.identity import keys, sessions
from portside.identity.caller import Caller, Principal, Session
from portside.identity.context import tagging
from portside.identity.policy import PolicyKind
from portside.identity.sessions import MOST_PACKED, Temporary
from portside.registry.access import Access
from portside.registry.iam.policy_documents import check_document, policy_id
from portside.registry.identity_arns import parse_identity_arn
from portside.registry.principals import of_session
from portside.registry.stores import Stores

_SECOND = 1_000_000
_HOUR = 3600
_LONGEST_CHAINED = 3600
_LONGEST_OF_ROOT = 3600
_MOST_TAGS = 50
_MOST_POLICIES = 10
_LONGEST_LINEAGE = 20
"""Roles that a session may have been assumed by way of; each makes its token longer."""
_ASSUME = "sts:AssumeRole"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a session is asked to be like."""

    seconds: int | None = None
    policy: str | None = None
    policy_arns: Sequence[str] = ()
    tags: Sequence[tuple[str, str]] = ()
    transitive: Sequence[str] = ()
    source_identity: str | None = None
    external_id: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether policies or tags are packed into it."""
        return bool(self.policy is not None or self.policy_arns or self.tags)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs with, once."""

    access_key: str
    secret: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Granted:
    """A session that was given."""

    credentials: Credentials
    principal: Principal
    packed_percent: int
    session: Session = field(repr=False)


class Sessions:
    """Gives out temporary credentials."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._access = access

    async def assume_role(self, caller: Caller, arn: str, name: str, wish: Wish) -> Granted:
        """Carry out AssumeRole; raises AccessDenied, also for a role that is not there."""
        principal = caller.principal
        if principal.kind in {"Account", "FederatedUser"}:
            who = "root accounts" if principal.kind == "Account" else "federated users"
            raise self._access.refusal(caller, _ASSUME, arn, f"because roles may not be assumed by {who}")
        role = await self._role(arn)
        if role is None:
            # In the words for a role that trusts somebody else: nobody is told which roles there are.
            reason = f"because no resource-based policy allows the {_ASSUME} action"
            raise self._access.refusal(caller, _ASSUME, arn, reason)
        tags, transitive = _inherited(principal, wish)
        wish = replace(wish, source_identity=_source_identity(principal, wish, arn))
        await self._admitted(caller, role, name, wish, tags)
        limit = role.attributes.get("max_session", _HOUR)
        chained = principal.session is not None and principal.kind == "AssumedRole"
        seconds = _duration(wish.seconds, limit, _LONGEST_CHAINED if chained else limit)
        session = self._session(name, seconds, wish, tags, transitive)
        origin = principal.access_key if principal.session is None else principal.session.origin
        session = replace(session, origin=origin, source_identity=wish.source_identity, lineage=_lineage(principal))
        return await self._granted(role.account, "role", role.id, session, wish)

    async def get_session_token(self, caller: Caller, seconds: int | None) -> Granted:
        """Carry out GetSessionToken, for which long-term keys are enough; raises AccessDenied for sessions."""
        principal = caller.principal
        if principal.session is not None:
            reason = "because it is asked for with a session"
            raise self._access.refusal(caller, "sts:GetSessionToken", "*", reason)
        most = _LONGEST_OF_ROOT if principal.kind == "Account" else 129_600
        wanted = min(seconds or 43_200, most)
        session = replace(self._session("", wanted, Wish(), {}, ()), origin=principal.access_key)
        entity = None if principal.entity is None else principal.entity.id
        return await self._granted(principal.account, "root" if entity is None else "user", entity, session, Wish())

    async def get_federation_token(self, caller: Caller, name: str, wish: Wish) -> Granted:
        """Carry out GetFederationToken; raises AccessDenied."""
        principal = caller.principal
        action, arn = "sts:GetFederationToken", f"arn:aws:sts::{principal.account}:federated-user/{name}"
        if principal.session is not None:
            raise self._access.refusal(caller, action, arn, "because it is asked for with a session")
        tags = _tags(wish)
        await self._access.identity(caller, action, principal.account, arn, context=tagging(tags))
        most = _LONGEST_OF_ROOT if principal.kind == "Account" else 129_600
        session = self._session(name, min(wish.seconds or 43_200, most), wish, tags, ())
        session = replace(session, origin=principal.access_key)
        entity = None if principal.entity is None else principal.entity.id
        return await self._granted(principal.account, "federated", entity, session, wish)

    async def for_web_identity(
        self, role: Identity, name: str, wish: Wish, provider: Identity, claims: Mapping[str, Any]
    ) -> Granted:
        """A session of a role for whoever a provider vouched for; who may have it was decided before."""
        seconds = _duration(wish.seconds, role.attributes.get("max_session", _HOUR), 12 * _HOUR)
        session = self._session(name, seconds, wish, _tags(wish), wish.transitive)
        session = replace(
            session,
            source_identity=wish.source_identity,
            provider=provider.arn,
            claims=_kept(claims),
            lineage={provider.id: session.issued_at},
        )
        return await self._granted(role.account, "role", role.id, session, wish)

    async def _role(self, arn: str) -> Identity | None:
        named = parse_identity_arn(arn)
        if named is None or named.kind is not Kind.ROLE:
            raise ValidationFailed.of(f"{arn} is invalid")
        async with self._metadata.reading() as unit:
            found = await unit.identities.find(named.account, Kind.ROLE, named.name)
        return found if found is not None and found.arn == arn else None

    async def _admitted(self, caller: Caller, role: Identity, name: str, wish: Wish, tags: Mapping[str, str]) -> None:
        context: dict[str, Any] = {"sts:rolesessionname": name, **tagging(tags)}
        if wish.external_id is not None:
            context["sts:externalid"] = wish.external_id
        if wish.transitive:
            context["sts:transitivetagkeys"] = list(wish.transitive)
        if wish.source_identity is not None:
            context["sts:sourceidentity"] = wish.source_identity
        context |= {
            f"{prefix}:resourcetag/{key.lower()}": v for key, v in role.tags.items() for prefix in ("aws", "iam")
        }
        await self._access.assume(caller, _ASSUME, role, context)
        # What goes with it is asked for too, be it handed down or new, and both policies must say so.
        if tags:
            await self._access.assume(caller, "sts:TagSession", role, context)
        if wish.source_identity is not None:
            await self._access.assume(caller, "sts:SetSourceIdentity", role, context)

    def _session(
        self, name: str, seconds: int, wish: Wish, tags: Mapping[str, str], transitive: Sequence[str]
    ) -> Session:
        if len(wish.policy_arns) > _MOST_POLICIES:
            raise ValidationFailed.of(f"More than {_MOST_POLICIES} session policies cannot be passed.")
        now = self._clock()
        narrowed = wish.policy is not None or wish.policy_arns
        return Session(
            id=secrets.token_urlsafe(12),
            name=name,
            issued_at=now,
            expires_at=now // _SECOND * _SECOND + seconds * _SECOND,
            policies=None if not narrowed else (wish.policy,) if wish.policy is not None else (),
            policy_arns=tuple(wish.policy_arns),
            tags=dict(tags),
            transitive_tags=tuple(transitive),
        )

    async def _granted(
        self, account: str, standing: sessions.Standing, entity: str | None, session: Session, wish: Wish
    ) -> Granted:
        if wish.policy is not None:
            try:
                check_document(wish.policy, PolicyKind.SESSION)
            except MalformedPolicyDocument:
                raise MalformedPolicyDocument("The session policy is not a valid policy document.") from None
        async with self._metadata.reading() as unit:
            for arn in wish.policy_arns:
                if await policy_id(unit, arn, account) is None:
                    raise MalformedPolicyDocument(f"The session policy {arn} does not exist.")
        percent = 100 * sessions.packed_size(session) // MOST_PACKED
        if percent > 100:  # noqa: PLR2004 - percent
            raise PackedPolicyTooLarge(percent)
        temporary = Temporary(keys.new_access_key_id(keys.TEMPORARY, account), account, standing, entity, session)
        key = await self._keys.key_for("session")
        token = sessions.seal(key.box, temporary)
        async with self._metadata.reading() as unit:
            principal = await of_session(unit, temporary)
        if principal is None:  # revoked or removed while it was made
            raise AccessDenied(account, _ASSUME, entity or account, "because it is there no longer")
        credentials = Credentials(temporary.access_key, sessions.secret_of(key.key, token), token, session.expires_at)
        return Granted(credentials, principal, percent if wish.narrows else 0, session)


def _lineage(principal: Principal) -> Mapping[str, int]:
    """What a session goes back to that this principal assumes; of a role that is in it twice, the older session."""
    session, entity = principal.session, principal.entity
    if session is None or entity is None:
        return {}
    found = {entity.id: session.issued_at, **session.lineage}
    if len(found) > _LONGEST_LINEAGE:
        raise ValidationFailed.of(f"More than {_LONGEST_LINEAGE} roles cannot be chained.")
    return found


def _source_identity(principal: Principal, wish: Wish, arn: str) -> str | None:
    """The source identity of a session that this principal assumes: once set, it stays the same down the chain."""
    inherited = None if principal.session is None else principal.session.source_identity
    if inherited is not None and wish.source_identity not in (None, inherited):
        reason = "because a source identity stays as it was set first"
        raise AccessDenied(principal.arn, "sts:SetSourceIdentity", arn, reason)
    return inherited if wish.source_identity is None else wish.source_identity


def _kept(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims that go on being condition keys of the session: who it is, for whom, and how it was shown."""
    return {key: value for key, value in claims.items() if key.endswith((":sub", ":aud", ":amr"))}


def _duration(wanted: int | None, limit: int, most: int) -> int:
    seconds = min(_HOUR, most) if wanted is None else wanted
    if seconds > limit:
        raise ValidationFailed.of("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if seconds > most:
        raise ValidationFailed.of(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    return seconds


def _inherited(principal: Principal, wish: Wish) -> tuple[Mapping[str, str], Sequence[str]]:
    """The tags of a session that another one assumes: its own, and those that are handed down and stay as they are."""
    own = _tags(wish)
    session = principal.session
    passed: set[str] = set() if session is None else {key.lower() for key in session.transitive_tags}
    handed = {} if session is None else {key: value for key, value in session.tags.items() if key.lower() in passed}
    if {key.lower() for key in handed} & {key.lower() for key in own}:
        raise InvalidSessionParameter(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session."
        )
    return {**handed, **own}, [*handed, *wish.transitive]


def _tags(wish: Wish) -> Mapping[str, str]:
    found = dict(wish.tags)
    if len({key.lower() for key in found}) != len(wish.tags):
        raise InvalidSessionParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if len(found) > _MOST_TAGS:
        raise InvalidSessionParameter(f"More than {_MOST_TAGS} tags cannot be passed.")
    if not {key.lower() for key in wish.transitive} <= {key.lower() for key in found}:
        raise InvalidSessionParameter("The specified transitive tag key must be included in the requested tags.")
    return found
