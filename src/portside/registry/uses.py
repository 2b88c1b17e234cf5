"""When access keys were last used, and for what: GetAccessKeyLastUsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from portside.registry.behind import Behind
from portside.storage.metadata.port import Metadata, Unit

_GRAIN = 900 * 1_000_000
"""Microseconds that pass between two records of one key, service and region."""
_MOST = 100_000


class Uses:
    """The uses that are not recorded yet, and those that were recorded lately."""

    def __init__(self, metadata: Metadata, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._behind = Behind(metadata, "uses of access keys", _write)
        self._lately: dict[str, tuple[int, str, str]] = {}

    def note(self, key: str, region: str, service: str) -> None:
        """A key signed a request now."""
        now = self._clock()
        at, *last = self._lately.get(key, (0, "", ""))
        if now - at <= _GRAIN and last == [region, service]:
            return
        if len(self._lately) >= _MOST:
            self._lately.clear()
        self._lately[key] = (now, region, service)
        self._behind.note(key, (now, region, service))

    async def close(self) -> None:
        """Record what was noted, and wait for nothing more."""
        await self._behind.close()


async def _write(unit: Unit, noted: Mapping[str, tuple[int, str, str]]) -> None:
    for key, (at, region, service) in noted.items():
        await unit.access_keys.used(key, at, region, service)
