"""What whoever runs the registry does beside its API: accounts, their root keys, the end of a role's sessions.

Nobody is asked for permission here: these are the hands of whoever holds the database and the master key.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from portside.core.iam_errors import EntityAlreadyExists, InvalidInput, NoSuchEntity
from portside.core.identities import Kind
from portside.identity.keys import LONG_TERM, new_access_key_id, new_secret
from portside.registry.principals import ROOT, SESSIONS_FROM
from portside.registry.stores import Stores
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Metadata, Unit

_PAGE = 1000
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class RootKey:
    """An account's root key, with its secret for this once."""

    account: str
    access_key: str
    secret: str
    before: Sequence[str] = ()
    """The root keys that the account had."""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account that is here."""

    id: str
    created_at: int
    alias: str | None
    users: int
    roles: int


class Operators:
    """Done from the command line, beside a running server or without one."""

    def __init__(self, stores: Stores) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock

    async def create_account(self, account: str | None) -> RootKey:
        """Make an account, with a number at random unless one is given; raises EntityAlreadyExists."""
        chosen = account or str(secrets.randbelow(9 * 10 ** (_DIGITS - 1)) + 10 ** (_DIGITS - 1))
        row, key = await self._new_key(chosen)
        async with self._metadata.writing() as unit:
            if not await unit.accounts.add(chosen, self._clock()):
                raise EntityAlreadyExists(f"The account {chosen} exists.")
            await unit.access_keys.add(row, self._clock())
        return key

    async def accounts(self) -> Sequence[KnownAccount]:
        """Every account, in order."""
        found: list[KnownAccount] = []
        async with self._metadata.reading() as unit:
            while rows := await unit.accounts.page(found[-1].id if found else "", _PAGE):
                found += [await _known(unit, account, at) for account, at in rows]
        return found

    async def rotate_key(self, account: str | None, *, keep_old: bool) -> RootKey:
        """Give an account, the only one without a number, a new root key; old ones stop unless they are to be kept."""
        account = account or await only_account(self._metadata)
        row, key = await self._new_key(account)
        async with self._metadata.writing() as unit:
            if not await unit.accounts.exists(account):
                raise NoSuchEntity(f"There is no account {account}.")
            before = await unit.access_keys.of(account, ROOT)
            for old in () if keep_old else before:
                await unit.access_keys.delete(old.id)
            await unit.access_keys.add(row, self._clock())
        return dataclasses.replace(key, before=[old.id for old in before])

    async def revoke_sessions(self, account: str | None, role: str) -> str:
        """End every session that a role has now; the role's ARN. Raises NoSuchEntity."""
        account = account or await only_account(self._metadata)
        async with self._metadata.writing() as unit:
            found = await unit.identities.lock(account, Kind.ROLE, role)
            if found is None:
                raise NoSuchEntity(f"The account {account} has no role {role}.")
            attributes = {**found.attributes, SESSIONS_FROM: self._clock()}
            await unit.identities.change(dataclasses.replace(found, attributes=attributes))
        return found.arn

    async def _new_key(self, account: str) -> tuple[AccessKeyRow, RootKey]:
        identifier, secret = new_access_key_id(LONG_TERM, account), new_secret()
        sealed = (await self._keys.key_for("secret")).box.seal(secret.encode("ascii"), identifier.encode())
        return AccessKeyRow(identifier, account, ROOT, sealed, active=True), RootKey(account, identifier, secret)


async def only_account(metadata: Metadata) -> str:
    """The account that is meant where none is named; raises InvalidInput where there are several."""
    async with metadata.reading() as unit:
        found = await unit.accounts.page("", 2)
    if len(found) != 1:
        raise InvalidInput("There are several accounts: say which one with --of ACCOUNT.")
    return found[0][0]


async def _known(unit: Unit, account: str, at: int) -> KnownAccount:
    return KnownAccount(
        account,
        at,
        await unit.accounts.alias(account),
        await unit.identities.count(account, Kind.USER),
        await unit.identities.count(account, Kind.ROLE),
    )
