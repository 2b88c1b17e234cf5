"""KMS keys in the hands of whoever runs the registry: making, listing, switching off and on again.

Nobody is asked for permission here, as in registry/iam/operators.py. A key is never removed: nothing that lies under it
could be read again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portside.core.iam_errors import EntityAlreadyExists, InvalidInput, NoSuchEntity, UnmodifiableEntity
from portside.core.names import RegistryId
from portside.registry.encryption import KEY_ID, MANAGED, named
from portside.registry.iam.operators import only_account
from portside.registry.stores import Stores
from portside.storage.metadata.kms_keys import KmsKeyRow

_PAGE = 1000
_PREFIX = "alias/"
_ALIAS = re.compile(r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A KMS key, without the key."""

    id: str
    arn: str
    alias: str | None
    account: str
    region: str
    enabled: bool
    managed: bool
    """Whether the registry made it, for repositories that ask for KMS and name no key."""
    created_at: int


class KmsOperators:
    """Done from the command line, beside a running server or without one."""

    def __init__(self, stores: Stores) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys

    async def create(self, account: str | None, region: str, alias: str | None) -> KnownKey:
        """Make a key for an account, the only one without a number; raises EntityAlreadyExists for an alias."""
        alias = None if alias is None else _alias(alias)
        account = account or await only_account(self._metadata)
        row = self._keys.new_kms_key(RegistryId(account, region), alias, managed=False)
        async with self._metadata.writing() as unit:
            if not await unit.accounts.exists(account):
                raise NoSuchEntity(f"There is no account {account}.")
            if not await unit.kms_keys.add(row):
                raise EntityAlreadyExists(f"The account {account} has a key {alias} in {region}.")
        return _known(row)

    async def keys(self) -> Sequence[KnownKey]:
        """Every key, by account and region, the oldest first."""
        rows: list[KmsKeyRow] = []
        async with self._metadata.reading() as unit:
            while page := await unit.kms_keys.page(rows[-1].id if rows else "", _PAGE):
                rows += page
        rows.sort(key=lambda row: (row.registry.account, row.registry.region, row.created_at, row.id))
        return [_known(row) for row in rows]

    async def switch(self, account: str | None, region: str, key: str, *, on: bool) -> KnownKey:
        """Let a key be used, or no more; `key` is an id, an ARN, or an alias of the account and region.

        Raises NoSuchEntity, and UnmodifiableEntity for the registry's own key.
        """
        if _ALIAS.fullmatch(_PREFIX + key) and not key.startswith(_PREFIX) and not KEY_ID.fullmatch(key):
            key = _PREFIX + key  # as it may be written where a key is made
        if key.startswith(_PREFIX):
            account = account or await only_account(self._metadata)
        async with self._metadata.writing() as unit:
            row = await named(unit, RegistryId(account or "", region), key)
            if row is None:
                place = f" in {region}" if key.startswith(_PREFIX) else ""
                raise NoSuchEntity(f"There is no KMS key {key}{place}.")
            if row.managed and not on:
                raise UnmodifiableEntity(f"{row.arn} is {MANAGED}, the registry's own key, and cannot be disabled.")
            await unit.kms_keys.enable(row.id, on=on)
            changed = await unit.kms_keys.find(row.id)
        assert changed is not None
        return _known(changed)


def _alias(text: str) -> str:
    """An alias, with the prefix that all of them have."""
    alias = text if text.startswith(_PREFIX) else _PREFIX + text
    if _ALIAS.fullmatch(alias) is None:
        raise InvalidInput(
            f"'{text}' is not an alias: up to 250 letters, digits, '/', '_' and '-', and not beginning with aws/."
        )
    return alias


def _known(row: KmsKeyRow) -> KnownKey:
    account, region = row.registry.account, row.registry.region
    return KnownKey(row.id, row.arn, row.alias, account, region, row.enabled, row.managed, row.created_at)
