"""Data keys: made when first needed, kept wrapped as rows, opened once a process.

A purpose and an account have one key. Every node that needs one at the same moment ends with the same row.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from portside.identity.box import KEY_SIZE, Box
from portside.storage.errors import StorageUnusable
from portside.storage.keys.port import KeyKeeper
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.port import Metadata


@dataclass(frozen=True, slots=True)
class DataKey:
    """An opened data key."""

    id: str
    key: bytes
    box: Box

    def __repr__(self) -> str:
        return f"DataKey({self.id})"  # never the key


class KeyRing:
    """The data keys of a deployment."""

    def __init__(self, metadata: Metadata, keeper: KeyKeeper, clock: Callable[[], int]) -> None:
        self._metadata = metadata
        self._keeper = keeper
        self._clock = clock
        self._by_id: dict[str, DataKey] = {}
        self._by_purpose: dict[tuple[str, str], DataKey] = {}

    async def key_for(self, purpose: str, account: str = "") -> DataKey:
        """The key of a purpose; made when there is none. Raises Damaged under a wrong master key."""
        known = self._by_purpose.get((purpose, account))
        if known is not None:
            return known
        async with self._metadata.reading() as unit:
            row = await unit.accounts.data_key_for(purpose, account)
        if row is None:
            row = await self._make(purpose, account)
        return self._opened(row)

    async def key(self, identifier: str) -> DataKey:
        """A key by its id."""
        known = self._by_id.get(identifier)
        if known is not None:
            return known
        async with self._metadata.reading() as unit:
            row = await unit.accounts.data_key(identifier)
        if row is None:
            raise StorageUnusable(f"The data key {identifier} is missing from the database.")
        return self._opened(row)

    def opened(self, identifier: str) -> bytes:
        """The bytes of a key that `key` or `key_for` has given before: for callers that cannot wait."""
        return self._by_id[identifier].key

    async def _make(self, purpose: str, account: str) -> DataKeyRow:
        identifier = os.urandom(16).hex()
        wrapped = self._keeper.wrap(os.urandom(KEY_SIZE), _context(identifier, purpose, account))
        async with self._metadata.writing() as unit:
            row = DataKeyRow(identifier, purpose, account, wrapped)
            if await unit.accounts.add_data_key(row, self._clock()):
                return row
            found = await unit.accounts.data_key_for(purpose, account)
            assert found is not None
            return found

    def _opened(self, row: DataKeyRow) -> DataKey:
        key = self._keeper.unwrap(row.wrapped, _context(row.id, row.purpose, row.account))
        opened = DataKey(row.id, key, Box(key))
        self._by_id[row.id] = opened
        self._by_purpose[row.purpose, row.account] = opened
        return opened


def _context(identifier: str, purpose: str, account: str) -> bytes:
    return f"portside data key\n{identifier}\n{purpose}\n{account}".encode()
