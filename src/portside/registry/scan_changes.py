"""What a registry's other scanning configuration changes for its repositories, and announcing it (ecr-behaviour 11.1).

A registry may have 100,000 repositories, and two hundred filters to be tried on each name. So it is done twice: first
while nobody waits, to know what the filters make of each name, and then in the unit that makes the change, which reads
the repositories again and finds nearly all of them known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from portside.core.names import RegistryId
from portside.core.records import Repository
from portside.registry import events
from portside.registry.events import FrequencyChange
from portside.registry.scan_rules import ENHANCED, ScanningConfiguration, of_repository
from portside.storage.metadata.port import Metadata, Unit

_PAGE = 100
"""Repositories that are read at a time, and that one event tells of at the most."""
_TURN = 10
"""Names that filters are tried on before others have their turn."""


@dataclass(slots=True)
class ScanChanges:
    """What follows for repositories when one configuration takes the place of another."""

    before: ScanningConfiguration
    after: ScanningConfiguration
    _known: dict[tuple[str, bool], tuple[str, str]] = field(default_factory=dict[tuple[str, bool], tuple[str, str]])

    @property
    def are_told(self) -> bool:
        """Whether anybody is told: the event is one of enhanced scanning."""
        return self.after.type == ENHANCED and self.before != self.after

    async def foresee(self, metadata: Metadata, registry: RegistryId) -> None:
        """Look at the repositories that are there now, holding up nobody."""
        if not self.are_told:
            return
        page: Sequence[Repository] = ()
        while True:
            async with metadata.reading() as unit:
                page = await _next(unit, registry, page)
            await self._of(page)
            if len(page) < _PAGE:
                return

    async def announce(self, unit: Unit, registry: RegistryId, at: int) -> None:
        """Write the events into the unit that makes the change, and holds the registry."""
        if not self.are_told:
            return
        page: Sequence[Repository] = ()
        told: list[FrequencyChange] = []
        while True:
            page = await _next(unit, registry, page)
            told += await self._of(page)
            ended = len(page) < _PAGE
            while len(told) >= _PAGE or (ended and told):
                await events.announce(unit, registry, at, [events.scanned_otherwise(told[:_PAGE])])
                del told[:_PAGE]
            if ended:
                return
            await asyncio.sleep(0)

    async def _of(self, page: Sequence[Repository]) -> list[FrequencyChange]:
        found: list[FrequencyChange] = []
        for held in page:
            key = held.id.name, held.settings.scan_on_push
            if key not in self._known:
                self._known[key] = _frequency(held, self.before), _frequency(held, self.after)
                if len(self._known) % _TURN == 0:
                    await asyncio.sleep(0)
            previous, frequency = self._known[key]
            if frequency != previous:
                found.append(FrequencyChange(held.id, frequency, previous))
        return found


def _frequency(held: Repository, configuration: ScanningConfiguration) -> str:
    return of_repository(held.id.name, configuration, scan_on_push=held.settings.scan_on_push).frequency


async def _next(unit: Unit, registry: RegistryId, page: Sequence[Repository]) -> Sequence[Repository]:
    return await unit.repositories.page(registry, page[-1].id.name if page else "", _PAGE)
