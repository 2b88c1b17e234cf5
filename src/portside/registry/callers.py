"""Callers: who signed a request, who holds a token, and the tokens that callers are given."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from portside.core.errors import AuthenticationError, RegistryTokenExpired, RegistryTokenInvalid, SecurityTokenInvalid
from portside.core.names import RegistryId, RepositoryId
from portside.identity import sigv4, tokens
from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.tokens import TokenBearer
from portside.registry.access import Access
from portside.registry.stores import Stores
from portside.storage.metadata.accounts import AccessKeyRow

# Compared with when there is no such key, so that the time taken does not say which keys exist.
_NOBODYS_SECRET = "0" * 40


@dataclass(frozen=True, slots=True)
class RegistryToken:
    """A password for `docker login`."""

    password: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who came with a token, and to which region it was given."""

    caller: Caller
    region: str


class Callers:
    """Establishes callers. A key that is gone or inactive ends all that was given on its account, at once."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._recollection = stores.recollection
        self._access = access

    async def admit(
        self,
        request: sigv4.Request,
        authorization: sigv4.Authorization,
        circumstances: Circumstances,
        *,
        services: frozenset[str],
        regions: frozenset[str],
    ) -> None:
        """Refuse what cannot become a caller, before anybody waits for its body and keeps it in memory."""
        if await self._active(authorization.access_key) is None:
            raise SecurityTokenInvalid
        now = datetime.fromtimestamp(circumstances.at / 1_000_000, UTC)
        sigv4.check(request, authorization, now=now, services=services, regions=regions)

    async def by_signature(
        self,
        request: sigv4.Request,
        authorization: sigv4.Authorization,
        circumstances: Circumstances,
        *,
        services: frozenset[str],
        regions: frozenset[str],
    ) -> Caller:
        """Verify a signed request; raises the AuthenticationError that says what is wrong with it."""
        row = await self._active(authorization.access_key)
        secret = _NOBODYS_SECRET if row is None else await self._secret(row)
        now = datetime.fromtimestamp(circumstances.at / 1_000_000, UTC)
        if row is None or authorization.token is not None:
            # Temporary credentials do not exist yet: a session token belongs to none of our keys.
            with contextlib.suppress(AuthenticationError):
                sigv4.verify(request, authorization, secret, now=now, services=services, regions=regions)
            raise SecurityTokenInvalid
        sigv4.verify(request, authorization, secret, now=now, services=services, regions=regions)
        return Caller(_principal(row), circumstances)

    async def by_token(self, authorization: str, circumstances: Circumstances) -> Bearer:
        """Read an Authorization header of the data plane; raises RegistryTokenInvalid or RegistryTokenExpired."""
        # Under its hash: whoever can read this process's memory should not find passwords lying about.
        name = hashlib.sha256(authorization.encode()).digest()
        bearer, principal = await self._recollection.recall(name, lambda: self._redeemed(authorization, circumstances))
        if circumstances.at >= bearer.expires_at:
            raise RegistryTokenExpired
        return Bearer(Caller(principal, circumstances), bearer.region)

    async def by_ticket(
        self, ticket: str, name: str, digest: str, circumstances: Circumstances
    ) -> tuple[Caller, RepositoryId]:
        """Read a download ticket; raises RegistryTokenInvalid or RegistryTokenExpired."""
        key = await self._keys.key_for("token")
        access_key, repository = tokens.redeem_ticket(key.box, ticket, name, digest, circumstances.at)
        return await self._holder(access_key, circumstances), repository

    async def issue_token(self, caller: Caller, region: str) -> RegistryToken:
        """Carry out GetAuthorizationToken."""
        principal = caller.principal
        await self._access.registry(caller, "ecr:GetAuthorizationToken", RegistryId(principal.account, region))
        key = await self._keys.key_for("token")
        expires_at = self._clock() + tokens.LIFETIME
        password = tokens.issue(key.box, tokens.TokenBearer(principal.access_key, region, expires_at))
        return RegistryToken(password, expires_at)

    async def identify(self, caller: Caller) -> Principal:
        """Carry out GetCallerIdentity, which needs no permission (iam-behaviour 2.6)."""
        return caller.principal

    async def _redeemed(self, authorization: str, circumstances: Circumstances) -> tuple[TokenBearer, Principal]:
        key = await self._keys.key_for("token")
        bearer = tokens.redeem(key.box, tokens.basic_password(authorization), circumstances.at)
        return bearer, (await self._holder(bearer.access_key, circumstances)).principal

    async def _holder(self, access_key: str, circumstances: Circumstances) -> Caller:
        row = await self._active(access_key)
        if row is None:
            raise RegistryTokenInvalid
        return Caller(_principal(row), circumstances)

    async def _active(self, access_key: str) -> AccessKeyRow | None:
        async with self._metadata.reading() as unit:
            row = await unit.accounts.access_key(access_key)
        return row if row is not None and row.active else None

    async def _secret(self, row: AccessKeyRow) -> str:
        key = await self._keys.key_for("secret")
        return key.box.open(row.secret, row.id.encode()).decode("ascii")


def _principal(row: AccessKeyRow) -> Principal:
    return Principal.root(row.account, row.id)
