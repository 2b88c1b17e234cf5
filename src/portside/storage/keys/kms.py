"""KMS keys held here: rows whose key is wrapped under the master key, and which an operator can switch off.

Law: a key that is switched off opens nothing from the next request on, on every node. Whether it stands is read again
whenever the metadata's epoch has moved, which every commit of any process does.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Hashable

from portside.core.names import RegistryId
from portside.identity.box import KEY_SIZE, Box
from portside.storage.errors import KeyDisabled, StorageUnusable
from portside.storage.keys.port import KeyKeeper
from portside.storage.metadata.kms_keys import KmsKeyRow
from portside.storage.metadata.port import Metadata


class KmsBoxes:
    """What seals under KMS keys, as long as they may be used."""

    def __init__(self, metadata: Metadata, keeper: KeyKeeper) -> None:
        self._metadata = metadata
        self._keeper = keeper
        self._standing: dict[str, tuple[Hashable, Box]] = {}

    async def box(self, identifier: str) -> Box:
        """What seals under this key now. Raises KeyDisabled; Damaged under a wrong master key."""
        # Before the row: a change between the two moves the epoch, and the next to ask reads again.
        epoch = await self._metadata.epoch()
        known = self._standing.get(identifier)
        if known is not None and known[0] == epoch:
            return known[1]
        async with self._metadata.reading() as unit:
            row = await unit.kms_keys.find(identifier)
        if row is None:
            raise StorageUnusable(f"The KMS key {identifier} is missing from the database.")
        if not row.enabled:
            self._standing.pop(identifier, None)
            raise KeyDisabled(row.arn)
        box = Box(self._keeper.unwrap(row.wrapped, _context(row.id, row.registry)))
        self._standing[identifier] = epoch, box
        return box

    def make(self, registry: RegistryId, alias: str | None, *, managed: bool, created_at: int) -> KmsKeyRow:
        """A new key, which stands once its row does."""
        identifier = str(uuid.uuid4())
        wrapped = self._keeper.wrap(os.urandom(KEY_SIZE), _context(identifier, registry))
        return KmsKeyRow(identifier, registry, alias, True, managed, wrapped, created_at)


def _context(identifier: str, registry: RegistryId) -> bytes:
    return f"portside kms key\n{identifier}\n{registry.account}\n{registry.region}".encode()
