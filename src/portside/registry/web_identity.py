"""AssumeRoleWithWebIdentity: a role for whoever brings a token of an issuer that the account trusts.

The order is that of trust: the issuer must be a provider of the role's account before its keys are asked for, the
signature must verify before any claim is looked at, and the role's trust policy speaks last (iam-behaviour 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from portside.core.iam_errors import IdentityTokenInvalid, NotAuthorizedToAssume
from portside.core.identities import Identity, Kind
from portside.identity import web_identity
from portside.identity.caller import Circumstances
from portside.identity.context import Value, tagging
from portside.identity.web_identity import Token
from portside.registry.access import Access
from portside.registry.identity_arns import parse_identity_arn
from portside.registry.sessions import Granted, Sessions, Wish
from portside.registry.stores import Stores

_ACTION = "sts:AssumeRoleWithWebIdentity"
_SCHEME = "https://"
_TAGS = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"
_SOURCE_FORM = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_KEY_FORM = re.compile(r"[\w\s.:/=+@-]{1,128}")
_VALUE_FORM = re.compile(r"[\w\s.:/=+@-]{0,256}")
"""As the service model has them for AssumeRole, where they are parameters."""


class Issuers(Protocol):
    """The keys of issuers. Raises IdentityProviderUnreachable."""

    async def keys(self, issuer: str, *, anew: bool = False) -> Sequence[Mapping[str, Any]]:
        """The JSON Web Keys of an issuer, `https://…`; `anew` when those that are remembered do not do."""
        ...


class WebIdentities:
    """Takes tokens for sessions."""

    def __init__(self, stores: Stores, access: Access, sessions: Sessions, issuers: Issuers) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access
        self._sessions = sessions
        self._issuers = issuers

    async def assume_role(
        self, circumstances: Circumstances, arn: str, name: str, text: str, wish: Wish
    ) -> tuple[Granted, str, str, str]:
        """The session, and subject, audience and provider of the token.

        Raises IdentityTokenInvalid, IdentityTokenExpired, IdentityProviderUnreachable and NotAuthorizedToAssume.
        """
        token = web_identity.parse(text)
        named = parse_identity_arn(arn)
        if named is None or named.kind is not Kind.ROLE:
            raise NotAuthorizedToAssume(_ACTION)
        async with self._metadata.reading() as unit:
            issuer = token.issuer.removeprefix(_SCHEME).rstrip("/")
            provider = await unit.identities.find(named.account, Kind.PROVIDER, issuer)
            role = await unit.identities.find(named.account, Kind.ROLE, named.name)
        # A slash at the end, which some issuers have, is not kept; no other spelling may be asked for keys.
        if provider is None or token.issuer not in (f"{_SCHEME}{provider.name}", f"{_SCHEME}{provider.name}/"):
            raise IdentityTokenInvalid(f"No OpenIDConnect provider found in your account for {token.issuer[:256]}")
        web_identity.verify(token, await self._key(token))
        audience = web_identity.check(token, provider.attributes["clients"], self._clock() / 1_000_000)
        if role is None or role.arn != arn:
            raise NotAuthorizedToAssume(_ACTION)
        wish = _with_claims(wish, token)
        context = _context(provider, token, audience)
        await self._admitted(circumstances, provider, role, {**context, "sts:rolesessionname": name}, wish)
        granted = await self._sessions.for_web_identity(role, name, wish, provider, context)
        return granted, token.claims["sub"], audience, provider.arn

    async def _key(self, token: Token) -> Mapping[str, Any]:
        for anew in (False, True):
            key = web_identity.key_for(token, await self._issuers.keys(token.issuer, anew=anew))
            if key is not None:
                return key
        raise IdentityTokenInvalid(
            "Couldn't retrieve verification key from your identity provider, please reference "
            "AssumeRoleWithWebIdentity documentation for requirements"
        )

    async def _admitted(
        self,
        circumstances: Circumstances,
        provider: Identity,
        role: Identity,
        context: Mapping[str, Value],
        wish: Wish,
    ) -> None:
        given = {**context, **tagging(dict(wish.tags))}
        if wish.transitive:
            given["sts:transitivetagkeys"] = list(wish.transitive)
        if wish.source_identity is not None:
            given["sts:sourceidentity"] = wish.source_identity
        actions = [_ACTION, *(["sts:TagSession"] if wish.tags else ())]
        actions += ["sts:SetSourceIdentity"] if wish.source_identity is not None else []
        for action in actions:
            if not await self._access.trusts(circumstances, provider.arn, action, role, given):
                raise NotAuthorizedToAssume(_ACTION)


def _context(provider: Identity, token: Token, audience: str) -> dict[str, Value]:
    """The claims as condition keys, under the issuer's name; those that are no text are left out."""
    found: dict[str, Value] = {"aws:federatedprovider": provider.arn}
    for name, value in token.claims.items():
        key = f"{provider.name}:{name}".lower()
        if isinstance(value, bool):
            found[key] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[key] = str(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value)):
            found[key] = cast("list[str]", value)
    found[f"{provider.name}:aud".lower()] = audience
    return found


def _with_claims(wish: Wish, token: Token) -> Wish:
    """The wish with the session tags and the source identity that the token itself carries."""
    source: Any = token.claims.get(_SOURCE_IDENTITY)
    if source is not None and not _is_of(_SOURCE_FORM, source):
        raise IdentityTokenInvalid("The source identity of the ID Token is malformed.")
    carried = _members(token.claims.get(_TAGS))
    pairs = [(key, _first(values)) for key, values in _members(carried.get("principal_tags")).items()]
    if not all(_is_of(_KEY_FORM, key) and _is_of(_VALUE_FORM, value) for key, value in pairs):
        raise IdentityTokenInvalid("The session tags of the ID Token are malformed.")
    transitive: Any = carried.get("transitive_tag_keys")
    return Wish(
        seconds=wish.seconds,
        policy=wish.policy,
        policy_arns=wish.policy_arns,
        tags=pairs,
        transitive=[str(key) for key in cast("list[Any]", transitive)] if isinstance(transitive, list) else [],
        source_identity=source,
    )


def _is_of(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _first(values: Any) -> Any:
    if isinstance(values, list):
        return cast("list[Any]", values)[0] if values else None
    return values
