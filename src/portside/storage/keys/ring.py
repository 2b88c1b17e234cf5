"""Data keys: made when first needed, kept wrapped as rows, opened once a process.

A purpose and an account have one key. Every node that needs one at the same moment ends with the same row.

Law: a data key under a KMS key is given only while that key stands, however often it was given before. What it seals is
sealed under the KMS key first and wrapped under the master key then, so neither of the two opens it alone.
"""

from __future__ import annotations

import os
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from portside.core.names import RegistryId
from portside.identity.box import KEY_SIZE, Box, BoxError, DoubleBox
from portside.storage.errors import Damaged, StorageUnusable
from portside.storage.keys.identifiers import new_identifier, seals_twice
from portside.storage.keys.kms import KmsBoxes
from portside.storage.keys.port import KeyKeeper
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.kms_keys import KmsKeyRow
from portside.storage.metadata.port import Metadata

_ONCE, _TWICE = "kms", "dsse"
"""Purposes of keys that lie under a KMS key, which the purpose ends with."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """An opened data key."""

    id: str
    key: bytes
    """32 bytes for each time that it seals."""
    box: Box
    kms_key: str | None = None
    """The id of the KMS key that it lies under."""

    def __repr__(self) -> str:
        return f"DataKey({self.id})"  # never the key


class KeyRing:
    """The data keys of a deployment."""

    def __init__(self, metadata: Metadata, keeper: KeyKeeper, clock: Callable[[], int]) -> None:
        self._metadata = metadata
        self._keeper = keeper
        self._clock = clock
        self._kms = KmsBoxes(metadata, keeper)
        self._by_id: dict[str, DataKey] = {}
        self._by_purpose: dict[tuple[str, str], DataKey] = {}

    async def key_for(self, purpose: str, account: str = "") -> DataKey:
        """The key of a purpose; made when there is none. Raises Damaged under a wrong master key, and KeyDisabled."""
        known = self._by_purpose.get((purpose, account))
        if known is not None:
            return await self._allowed(known)
        async with self._metadata.reading() as unit:
            row = await unit.accounts.data_key_for(purpose, account)
        if row is None:
            row = await self._make(purpose, account)
        return await self._opened(row)

    async def key_under(self, kms_key: str, account: str, *, twice: bool) -> DataKey:
        """The key for an account's content under a KMS key, which seals once or twice. Raises as `key_for`."""
        # 22 letters, since a purpose has no more than 32.
        packed = urlsafe_b64encode(uuid.UUID(kms_key).bytes).decode("ascii").rstrip("=")
        return await self.key_for(f"{_TWICE if twice else _ONCE}:{packed}", account)

    def new_kms_key(self, registry: RegistryId, alias: str | None, *, managed: bool) -> KmsKeyRow:
        """A new KMS key, which stands once its row does."""
        return self._kms.make(registry, alias, managed=managed, created_at=self._clock())

    async def key(self, identifier: str) -> DataKey:
        """A key by its id. Raises Damaged under a wrong master key, and KeyDisabled."""
        known = self._by_id.get(identifier)
        if known is not None:
            return await self._allowed(known)
        async with self._metadata.reading() as unit:
            row = await unit.accounts.data_key(identifier)
        if row is None:
            raise StorageUnusable(f"The data key {identifier} is missing from the database.")
        return await self._opened(row)

    def given(self, identifier: str) -> DataKey:
        """A key that `key` or `key_for` has given for this same work: for callers that cannot wait."""
        return self._by_id[identifier]

    def opened(self, identifier: str) -> bytes:
        """The bytes of what is `given`."""
        return self._by_id[identifier].key

    async def _allowed(self, known: DataKey) -> DataKey:
        if known.kms_key is not None:
            await self._kms.box(known.kms_key)
        return known

    async def _make(self, purpose: str, account: str) -> DataKeyRow:
        kind, kms_key = _parts(purpose)
        twice = kind == _TWICE
        identifier = new_identifier(twice=twice)
        context = _context(identifier, purpose, account)
        key = os.urandom(2 * KEY_SIZE if twice else KEY_SIZE)
        if kms_key:
            key = (await self._kms.box(kms_key)).seal(key, context)
        wrapped = self._keeper.wrap(key, context)
        async with self._metadata.writing() as unit:
            row = DataKeyRow(identifier, purpose, account, wrapped)
            if await unit.accounts.add_data_key(row, self._clock()):
                return row
            found = await unit.accounts.data_key_for(purpose, account)
            assert found is not None
            return found

    async def _opened(self, row: DataKeyRow) -> DataKey:
        _, kms_key = _parts(row.purpose)
        context = _context(row.id, row.purpose, row.account)
        key = self._keeper.unwrap(row.wrapped, context)
        if kms_key:
            try:
                key = (await self._kms.box(kms_key)).open(key, context)
            except BoxError:
                raise Damaged("A data key does not open under its KMS key.") from None
        opened = DataKey(row.id, key, DoubleBox(key) if seals_twice(row.id) else Box(key), kms_key)
        self._by_id[row.id] = opened
        self._by_purpose[row.purpose, row.account] = opened
        return opened


def _parts(purpose: str) -> tuple[str, str | None]:
    """The kind of a purpose, and the KMS key in it."""
    kind, _, packed = purpose.partition(":")
    if kind not in {_ONCE, _TWICE} or not packed:
        return purpose, None
    return kind, str(uuid.UUID(bytes=urlsafe_b64decode(f"{packed}==")))


def _context(identifier: str, purpose: str, account: str) -> bytes:
    return f"portside data key\n{identifier}\n{purpose}\n{account}".encode()
