"""Callers: who signed a request, who holds a token, and the tokens that callers are given."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from portside.core.errors import (
    AuthenticationError,
    RegistryTokenExpired,
    RegistryTokenInvalid,
    SecurityTokenExpired,
    SecurityTokenInvalid,
)
from portside.core.names import RegistryId, RepositoryId
from portside.identity import sessions, sigv4, tokens
from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.sessions import Temporary
from portside.identity.tokens import TokenBearer
from portside.registry import principals
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
    """Establishes callers. Credentials that no longer speak for anybody end all that was given on their account."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._recollection = stores.recollection
        self._uses = stores.uses
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
        if authorization.token is None:
            if await self._active(authorization.access_key) is None:
                raise SecurityTokenInvalid
        else:
            await self._temporary(authorization, authorization.token)
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
        now = datetime.fromtimestamp(circumstances.at / 1_000_000, UTC)
        secret, principal = await self._claimed(authorization)
        if principal is None:
            with contextlib.suppress(AuthenticationError):
                sigv4.verify(request, authorization, secret, now=now, services=services, regions=regions)
            raise SecurityTokenInvalid
        sigv4.verify(request, authorization, secret, now=now, services=services, regions=regions)
        if principal.session is None:
            self._uses.note(authorization.access_key, authorization.region, authorization.service)
        elif circumstances.at >= principal.session.expires_at:
            raise SecurityTokenExpired
        return Caller(principal, circumstances)

    async def by_token(self, authorization: str, circumstances: Circumstances) -> Bearer:
        """Read an Authorization header of the data plane; raises RegistryTokenInvalid or RegistryTokenExpired."""
        # Under its hash: whoever can read this process's memory should not find passwords lying about.
        name = hashlib.sha256(authorization.encode()).digest()
        bearer, principal = await self._recollection.recall_authority(
            name, lambda: self._redeemed(authorization, circumstances)
        )
        if circumstances.at >= bearer.expires_at:
            raise RegistryTokenExpired
        return Bearer(Caller(principal, circumstances), bearer.region)

    async def by_ticket(
        self, ticket: str, name: str, digest: str, circumstances: Circumstances
    ) -> tuple[Caller, RepositoryId]:
        """Read a download ticket; raises RegistryTokenInvalid or RegistryTokenExpired."""
        key = await self._keys.key_for("token")
        bearer, repository = tokens.redeem_ticket(key.box, ticket, name, digest, circumstances.at)
        return Caller(await self._holder(bearer), circumstances), repository

    async def issue_token(self, caller: Caller, region: str) -> RegistryToken:
        """Carry out GetAuthorizationToken."""
        principal = caller.principal
        await self._access.registry(caller, "ecr:GetAuthorizationToken", RegistryId(principal.account, region))
        key = await self._keys.key_for("token")
        bearer = tokens.bearer_of(principal, region, self._clock() + tokens.LIFETIME)
        return RegistryToken(tokens.issue(key.box, bearer), bearer.expires_at)

    async def identify(self, caller: Caller) -> Principal:
        """Carry out GetCallerIdentity, which needs no permission (iam-behaviour 2.6)."""
        return caller.principal

    async def _redeemed(self, authorization: str, circumstances: Circumstances) -> tuple[TokenBearer, Principal]:
        key = await self._keys.key_for("token")
        bearer = tokens.redeem(key.box, tokens.basic_password(authorization), circumstances.at)
        return bearer, await self._holder(bearer)

    async def _holder(self, bearer: TokenBearer) -> Principal:
        async with self._metadata.reading() as unit:
            if bearer.temporary is not None:
                found = await principals.of_session(unit, bearer.temporary)
            else:
                row = await unit.accounts.access_key(bearer.access_key)
                found = None if row is None else await principals.of_key(unit, row)
        if found is None:
            raise RegistryTokenInvalid
        return found

    async def _claimed(self, authorization: sigv4.Authorization) -> tuple[str, Principal | None]:
        """Whom the credentials of a request speak for, and the secret that proves it."""
        if authorization.token is not None:
            return await self._claimed_by_session(authorization, authorization.token)
        row = await self._active(authorization.access_key)
        if row is None:
            return _NOBODYS_SECRET, None
        async with self._metadata.reading() as unit:
            principal = await principals.of_key(unit, row)
        return await self._secret(row), principal

    async def _claimed_by_session(self, authorization: sigv4.Authorization, token: str) -> tuple[str, Principal | None]:
        try:
            temporary = await self._temporary(authorization, token)
        except SecurityTokenInvalid:
            return _NOBODYS_SECRET, None
        async with self._metadata.reading() as unit:
            principal = await principals.of_session(unit, temporary)
        key = await self._keys.key_for("session")
        return sessions.secret_of(key.key, token), principal

    async def _temporary(self, authorization: sigv4.Authorization, token: str) -> Temporary:
        """Open a session token; raises SecurityTokenInvalid for one that does not belong to the access key."""
        temporary = sessions.unseal((await self._keys.key_for("session")).box, token)
        if temporary.access_key != authorization.access_key:
            raise SecurityTokenInvalid
        return temporary

    async def _active(self, access_key: str) -> AccessKeyRow | None:
        async with self._metadata.reading() as unit:
            row = await unit.accounts.access_key(access_key)
        return row if row is not None and row.active else None

    async def _secret(self, row: AccessKeyRow) -> str:
        key = await self._keys.key_for("secret")
        return key.box.open(row.secret, row.id.encode()).decode("ascii")
