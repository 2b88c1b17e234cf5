"""Identity providers: whose tokens this account's roles may trust (iam-behaviour 4.5)."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from portside.core.iam_errors import EntityAlreadyExists, EntityLimitExceeded, InvalidInput, NoSuchEntity
from portside.core.identities import Identity, Kind, arn_of
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.registry.access import Access
from portside.registry.iam.directory import check_tags, with_tags, without_tags
from portside.registry.identity_arns import parse_identity_arn
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_MOST = 100
_MOST_CLIENTS = 100
_MOST_THUMBPRINTS = 5
_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}")


class Providers:
    """The identity providers of every account."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def create(
        self, caller: Caller, url: str, *, clients: Sequence[str], thumbprints: Sequence[str], tags: Mapping[str, str]
    ) -> Identity:
        """Trust an issuer; raises InvalidInput, EntityAlreadyExists and EntityLimitExceeded."""
        account, issuer = caller.principal.account, issuer_of(url)
        arn = arn_of(account, Kind.PROVIDER, issuer)
        action = "iam:CreateOpenIDConnectProvider"
        await self._access.identity(caller, action, account, arn, context=tagging(tags))
        check_tags(tags)
        _check_lists(clients, thumbprints)
        attributes = {"clients": list(clients), "thumbprints": list(thumbprints), "tags": dict(tags)}
        at = self._clock() // 1_000_000 * 1_000_000
        provider = Identity(arn, account, Kind.PROVIDER, issuer, "/", at, attributes)
        async with self._metadata.writing() as unit:
            if not await unit.identities.add(provider):
                raise EntityAlreadyExists(f"Provider with url {url} already exists.")
            if await unit.identities.count(account, Kind.PROVIDER) > _MOST:
                raise EntityLimitExceeded("OpenIdConnectProvidersPerAccount", _MOST)
        return provider

    async def get(self, caller: Caller, arn: str, action: str = "iam:GetOpenIDConnectProvider") -> Identity:
        """One provider; raises NoSuchEntity."""
        await self._access.identity(caller, action, caller.principal.account, arn)
        async with self._metadata.reading() as unit:
            return await _found(unit, caller, arn)

    async def all(self, caller: Caller) -> Sequence[Identity]:
        """All of the caller's account."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:ListOpenIDConnectProviders", account, "*")
        async with self._metadata.reading() as unit:
            return await unit.identities.page(account, Kind.PROVIDER, prefix="/", after="", limit=_MOST)

    async def delete(self, caller: Caller, arn: str) -> None:
        """Trust it no longer; one that is not there is no mistake."""
        await self._access.identity(caller, "iam:DeleteOpenIDConnectProvider", caller.principal.account, arn)
        async with self._metadata.writing() as unit:
            with contextlib.suppress(NoSuchEntity):
                await unit.identities.delete((await _found(unit, caller, arn)).id)

    async def set_thumbprints(self, caller: Caller, arn: str, thumbprints: Sequence[str]) -> None:
        """Let these be the certificates that its server may show; raises InvalidInput."""
        _check_lists((), thumbprints)
        await self._change(caller, arn, "iam:UpdateOpenIDConnectProviderThumbprint", thumbprints=list(thumbprints))

    async def add_client(self, caller: Caller, arn: str, client: str) -> None:
        """Let tokens be for this audience too; again is no mistake."""
        async with self._changing(caller, arn, "iam:AddClientIDToOpenIDConnectProvider") as (unit, provider):
            clients = list(dict.fromkeys([*provider.attributes["clients"], client]))
            _check_lists(clients, ())
            await unit.identities.change(_with(provider, clients=clients))

    async def remove_client(self, caller: Caller, arn: str, client: str) -> None:
        """Let tokens be for this audience no longer; one that it does not have is no mistake."""
        async with self._changing(caller, arn, "iam:RemoveClientIDFromOpenIDConnectProvider") as (unit, provider):
            clients = [one for one in provider.attributes["clients"] if one != client]
            await unit.identities.change(_with(provider, clients=clients))

    async def tag(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None:
        """Put tags on it."""
        async with self._changing(caller, arn, "iam:TagOpenIDConnectProvider") as (unit, provider):
            await unit.identities.change(with_tags(provider, tags))

    async def untag(self, caller: Caller, arn: str, names: Sequence[str]) -> None:
        """Take tags away."""
        async with self._changing(caller, arn, "iam:UntagOpenIDConnectProvider") as (unit, provider):
            await unit.identities.change(without_tags(provider, names))

    async def _change(self, caller: Caller, arn: str, action: str, **attributes: Any) -> None:
        async with self._changing(caller, arn, action) as (unit, provider):
            await unit.identities.change(_with(provider, **attributes))

    @contextlib.asynccontextmanager
    async def _changing(self, caller: Caller, arn: str, action: str) -> AsyncGenerator[tuple[Unit, Identity], None]:
        await self._access.identity(caller, action, caller.principal.account, arn)
        async with self._metadata.writing() as unit:
            found = await _found(unit, caller, arn)
            locked = await unit.identities.lock(found.account, Kind.PROVIDER, found.name)
            yield unit, locked or found


def issuer_of(url: str) -> str:
    """A provider's URL without its scheme, which is what ARNs and condition keys hold; raises InvalidInput."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise InvalidInput("Invalid Open ID Connect Provider URL: it is https://HOST[/PATH], without a query.")
    return url.removeprefix("https://").rstrip("/")


async def _found(unit: Unit, caller: Caller, arn: str) -> Identity:
    named = parse_identity_arn(arn)
    if named is not None and named.kind is Kind.PROVIDER and named.account == caller.principal.account:
        found = await unit.identities.find(named.account, Kind.PROVIDER, named.name)
        if found is not None:
            return found
    raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {arn}")


def _with(provider: Identity, **attributes: Any) -> Identity:
    return dataclasses.replace(provider, attributes={**provider.attributes, **attributes})


def _check_lists(clients: Sequence[str], thumbprints: Sequence[str]) -> None:
    if len(clients) > _MOST_CLIENTS:
        raise EntityLimitExceeded("ClientIdsPerOpenIdConnectProvider", _MOST_CLIENTS)
    if len(thumbprints) > _MOST_THUMBPRINTS:
        raise InvalidInput(f"Thumbprint list must contain fewer than {_MOST_THUMBPRINTS} entries.")
    if not all(_THUMBPRINT.fullmatch(one) for one in thumbprints):
        raise InvalidInput("A thumbprint is forty hexadecimal digits.")
