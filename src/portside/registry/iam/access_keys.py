"""Access keys of users, and of an account's root: two each, shown once with their secret, switched off at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portside.core.iam_errors import EntityLimitExceeded, NoSuchEntity
from portside.core.identities import AccessKey, Kind, arn_of
from portside.identity.caller import Caller
from portside.identity.keys import LONG_TERM, new_access_key_id, new_secret
from portside.registry.access import Access
from portside.registry.iam.directory import missing
from portside.registry.principals import ROOT
from portside.registry.stores import Stores
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Unit

_MOST = 2


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose keys they are."""

    account: str
    id: str
    """A user's unique id, or `root`."""
    name: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which is never shown again."""

    holder: Holder
    key: AccessKey
    secret: str


class AccessKeys:
    """The access keys of every account."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._access = access

    async def create(self, caller: Caller, user: str | None) -> NewKey:
        """Give a user another key, the caller itself without a name; raises EntityLimitExceeded."""
        holder = await self._admitted(caller, user, "iam:CreateAccessKey")
        secret, identifier = new_secret(), new_access_key_id(LONG_TERM, holder.account)
        sealed = (await self._keys.key_for("secret")).box.seal(secret.encode("ascii"), identifier.encode())
        async with self._metadata.writing() as unit:
            if holder.id != ROOT and await unit.identities.lock(holder.account, Kind.USER, holder.name) is None:
                raise missing(Kind.USER, holder.name)
            if len(await unit.access_keys.of(holder.account, holder.id)) >= _MOST:
                raise EntityLimitExceeded("AccessKeysPerUser", _MOST)
            now = self._clock() // 1_000_000 * 1_000_000
            await unit.access_keys.add(AccessKeyRow(identifier, holder.account, holder.id, sealed, active=True), now)
        return NewKey(holder, AccessKey(identifier, holder.account, holder.id, True, now), secret)

    async def of(self, caller: Caller, user: str | None) -> tuple[Holder, Sequence[AccessKey]]:
        """The keys of a user, without their secrets."""
        holder = await self._admitted(caller, user, "iam:ListAccessKeys")
        async with self._metadata.reading() as unit:
            return holder, await unit.access_keys.of(holder.account, holder.id)

    async def set_active(self, caller: Caller, user: str | None, key: str, *, active: bool) -> None:
        """Switch a key on or off: with it, at the next request, everything that was given on its account."""
        holder = await self._admitted(caller, user, "iam:UpdateAccessKey")
        async with self._metadata.writing() as unit:
            await _own(unit, holder, key)
            await unit.access_keys.set_active(key, active=active)

    async def delete(self, caller: Caller, user: str | None, key: str) -> None:
        """Remove a key; raises NoSuchEntity."""
        holder = await self._admitted(caller, user, "iam:DeleteAccessKey")
        async with self._metadata.writing() as unit:
            await _own(unit, holder, key)
            await unit.access_keys.delete(key)

    async def last_used(self, caller: Caller, key: str) -> tuple[str, AccessKey]:
        """The name of whom a key belongs to, and when it was used last; raises NoSuchEntity."""
        account = caller.principal.account
        async with self._metadata.reading() as unit:
            found = await unit.access_keys.get(key)
            held = found is not None and found.account == account
            user = await unit.identities.get(found.principal) if found is not None and held else None
        resource = "*" if user is None else user.arn
        await self._access.identity(caller, "iam:GetAccessKeyLastUsed", account, resource)
        if found is None or not held:
            raise NoSuchEntity(f"The Access Key with id {key} cannot be found.")
        return ROOT if user is None else user.name, found

    async def _admitted(self, caller: Caller, user: str | None, action: str) -> Holder:
        principal = caller.principal
        if user is None:
            if principal.kind == "User" and principal.entity is not None:
                user = principal.entity.name
            elif principal.kind == "Account":
                await self._access.identity(caller, action, principal.account, principal.arn)
                return Holder(principal.account, ROOT, ROOT)
            else:
                raise NoSuchEntity("Must specify userName when calling with non-User credentials")
        async with self._metadata.reading() as unit:
            found = await unit.identities.find(principal.account, Kind.USER, user)
        arn = arn_of(principal.account, Kind.USER, user) if found is None else found.arn
        await self._access.identity(caller, action, principal.account, arn)
        if found is None:
            raise missing(Kind.USER, user)
        return Holder(found.account, found.id, found.name)


async def _own(unit: Unit, holder: Holder, key: str) -> None:
    found = await unit.access_keys.get(key)
    if found is None or (found.account, found.principal) != (holder.account, holder.id):
        raise NoSuchEntity(f"The Access Key with id {key} cannot be found.")
