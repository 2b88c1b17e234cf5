"""How a registry's images are to be scanned: kept and shown. The engine that scans comes in a later step.

The configuration is one of the registry's settings, a JSON document under a name that no account setting has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from portside.core.errors import InvalidParameter
from portside.core.names import RegistryId, RepositoryId
from portside.core.records import Repository
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.scan_changes import ScanChanges
from portside.registry.scan_rules import (
    FREQUENCIES,
    RepositoryScanning,
    ScanningConfiguration,
    ScanRule,
    of_repository,
)
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_NAME = "registry scanning"


class Scanning:
    """The scanning configuration of every registry here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def get(self, caller: Caller, registry: RegistryId) -> ScanningConfiguration:
        """A registry's configuration; basic and without rules until one was put."""
        await self._access.registry(caller, "ecr:GetRegistryScanningConfiguration", registry)
        async with self._metadata.reading() as unit:
            return await _kept(unit, registry)

    async def put(
        self, caller: Caller, registry: RegistryId, configuration: ScanningConfiguration
    ) -> ScanningConfiguration:
        """Replace it whole, and tell of repositories that are scanned otherwise from now on.

        Raises InvalidParameter for a rule that its type of scanning does not have.
        """
        await self._access.registry(caller, "ecr:PutRegistryScanningConfiguration", registry)
        _must_make_sense(configuration)
        async with self._metadata.reading() as unit:
            changes = ScanChanges(await _kept(unit, registry), configuration)
        await changes.foresee(self._metadata, registry)
        async with self._metadata.writing() as unit:
            # So that of two who put one at once the later tells what changes after the other.
            await unit.repositories.hold(registry)
            standing = await _kept(unit, registry)
            if standing != changes.before:
                changes = ScanChanges(standing, configuration)
            await unit.settings.put(registry, _NAME, _packed(configuration))
            await changes.announce(unit, registry, self._clock())
        return configuration

    async def of_repositories(
        self, caller: Caller, registry: RegistryId, names: Sequence[str]
    ) -> list[tuple[RepositoryId, RepositoryScanning | None]]:
        """What follows for each repository of these names; None for one that there is not."""
        asked = [registry.repository(name) for name in names]
        for repository in asked:
            await self._access.repository(caller, "ecr:BatchGetRepositoryScanningConfiguration", repository)
        async with self._metadata.reading() as unit:
            configuration = await _kept(unit, registry)
            found = [await unit.repositories.find(repository) for repository in asked]
        return [(one, _decided(held, configuration)) for one, held in zip(asked, found, strict=True)]


def _decided(held: Repository | None, configuration: ScanningConfiguration) -> RepositoryScanning | None:
    if held is None:
        return None
    return of_repository(held.id.name, configuration, scan_on_push=held.settings.scan_on_push)


def _must_make_sense(configuration: ScanningConfiguration) -> None:
    allowed = FREQUENCIES[configuration.type]
    frequencies = [rule.frequency for rule in configuration.rules]
    for frequency in frequencies:
        if frequency not in allowed:
            reason = f"Member must satisfy enum value set for scanType {configuration.type}: [{', '.join(allowed)}]"
            raise InvalidParameter("scanFrequency", reason)
    if len(set(frequencies)) != len(frequencies):
        raise InvalidParameter("rules", "Member must have one rule for each scanFrequency")


async def _kept(unit: Unit, registry: RegistryId) -> ScanningConfiguration:
    packed = await unit.settings.value(registry, _NAME)
    if packed is None:
        return ScanningConfiguration()
    found: dict[str, Any] = json.loads(packed)
    rules = tuple(ScanRule(frequency, tuple(filters)) for frequency, filters in found["rules"])
    return ScanningConfiguration(found["type"], rules)


def _packed(configuration: ScanningConfiguration) -> str:
    rules = [[rule.frequency, list(rule.filters)] for rule in configuration.rules]
    return json.dumps({"type": configuration.type, "rules": rules}, separators=(",", ":"))
