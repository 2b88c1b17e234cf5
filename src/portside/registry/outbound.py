"""GetWebIdentityToken: principals of an account prove to others who they are, where the account allows it."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from portside.core.iam_errors import FederationDisabled, FederationEnabled, SessionDurationEscalation, TokensDisabled
from portside.core.names import RegistryId
from portside.identity import outbound
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.identity.outbound import Algorithm
from portside.registry.access import Access
from portside.registry.content import Threads
from portside.registry.stores import Stores

_KEYS = "OUTBOUND_WEB_IDENTITY_KEYS"
_ENABLED = "OUTBOUND_WEB_IDENTITY"
_ANYWHERE = "global"
"""The region of settings that an account has as a whole."""
_SECOND = 1_000_000
_DEFAULT = 300


class OutboundIdentities:
    """Issues tokens in the name of accounts."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._threads: Threads = stores.threads
        self._recollection = stores.recollection
        self._clock = stores.clock
        self._access = access

    async def enable(self, caller: Caller) -> None:
        """Let the account issue tokens, under the keys it had before if there are some; raises FederationEnabled."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:EnableOutboundWebIdentityFederation", account, "*")
        made = await self._threads.run(outbound.new_keys)
        sealed = (await self._keys.key_for("issuer")).box.seal(made.encode(), account.encode())
        place = RegistryId(account, _ANYWHERE)
        async with self._metadata.writing() as unit:
            if await unit.settings.value(place, _ENABLED) == "yes":
                raise FederationEnabled
            if await unit.settings.value(place, _KEYS) is None:
                await unit.settings.put(place, _KEYS, b64encode(sealed).decode("ascii"))
            await unit.settings.put(place, _ENABLED, "yes")

    async def disable(self, caller: Caller) -> None:
        """Let the account issue no more tokens; raises FederationDisabled."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:DisableOutboundWebIdentityFederation", account, "*")
        place = RegistryId(account, _ANYWHERE)
        async with self._metadata.writing() as unit:
            if await unit.settings.value(place, _ENABLED) != "yes":
                raise FederationDisabled
            await unit.settings.put(place, _ENABLED, "no")

    async def look(self, caller: Caller) -> None:
        """Whether the account issues tokens; raises FederationDisabled where it does not."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:GetOutboundWebIdentityFederationInfo", account, "*")
        if await self._private(account) is None:
            raise FederationDisabled

    async def token(
        self,
        caller: Caller,
        issuer: str,
        audiences: Sequence[str],
        *,
        algorithm: Algorithm,
        seconds: int | None,
        tags: Mapping[str, str],
        region: str,
    ) -> tuple[str, int]:
        """A token and its end; raises TokensDisabled and SessionDurationEscalation."""
        principal, lasts = caller.principal, seconds or _DEFAULT
        asked: dict[str, Any] = {
            "sts:identitytokenaudience": list(audiences),
            "sts:durationseconds": str(lasts),
            "sts:signingalgorithm": algorithm,
            **tagging(tags),
        }
        await self._access.identity(caller, "sts:GetWebIdentityToken", principal.account, "*", context=asked)
        keys = await self._private(principal.account)
        if keys is None:
            raise TokensDisabled
        now = self._clock() // _SECOND
        if principal.session is not None and (now + lasts) * _SECOND > principal.session.expires_at:
            raise SessionDurationEscalation
        claims = {
            "iss": issuer,
            "sub": principal.policy_arn,
            "aud": audiences[0] if len(audiences) == 1 else list(audiences),
            "iat": now,
            "exp": now + lasts,
            "jti": secrets.token_urlsafe(16),
            "https://sts.amazonaws.com/": {
                "aws_account": principal.account,
                "source_region": region,
                "principal_id": principal.arn,
                **({"request_tags": dict(tags)} if tags else {}),
            },
        }
        signed = await self._threads.run(partial(outbound.sign, keys, algorithm, claims))
        return signed, (now + lasts) * _SECOND

    async def key_set(self, account: str) -> Mapping[str, Any] | None:
        """The public keys of an account; None where it issues no tokens."""
        keys = await self._private(account)
        if keys is None:
            return None  # and nothing is remembered of it: strangers may name any account
        return await self._recollection.recall(("issuer", account), lambda: self._public(keys))

    async def _public(self, keys: str) -> Mapping[str, Any]:
        return await self._threads.run(partial(outbound.key_set, keys))

    async def _private(self, account: str) -> str | None:
        place = RegistryId(account, _ANYWHERE)
        async with self._metadata.reading() as unit:
            if await unit.settings.value(place, _ENABLED) != "yes":
                return None
            sealed = await unit.settings.value(place, _KEYS)
        if sealed is None:
            return None
        return (await self._keys.key_for("issuer")).box.open(b64decode(sealed), account.encode()).decode()
