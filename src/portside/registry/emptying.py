"""Emptying what is deleted: a repository that holds much is gone at once, and what it held goes step by step.

Law: a step is a unit. Rows, counts and events agree after each, so that whoever is cut off leaves whole steps behind,
and the next one goes on.
"""

from __future__ import annotations

import asyncio
import time

from portside.core.records import Repository
from portside.registry.removal import remove_some
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_LAYERS = 1000
"""Layers that one step lets go."""


class Emptying:
    """Who empties repositories that were deleted with very much in them."""

    def __init__(self, stores: Stores) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock

    async def run(self) -> int:
        """Empty all that there are, and remove them; how many."""
        count, after = 0, 0
        while True:
            async with self._metadata.reading() as unit:
                found = await unit.repositories.buried(after)
            if found is None:
                return count
            after = found.key
            while not await self._step(found.key):
                pass
            count += 1

    async def _step(self, key: int) -> bool:
        """Remove some of what a repository has, or at last itself; whether it is gone."""
        async with self._metadata.writing(durable=False) as unit:
            begun = time.monotonic()
            held = await unit.repositories.lock_buried(key)
            if held is None:
                return True  # another node was quicker
            gone = await emptied(unit, held, self._clock())
            if gone:
                await unit.repositories.delete(key)
        # As long as it took: whoever waits for the database, in whichever process, comes to it.
        await asyncio.sleep(time.monotonic() - begun)
        return gone


async def emptied(unit: Unit, held: Repository, now: int, steps: int = 1) -> bool:
    """Remove some of what a repository has, images before layers; whether nothing is left."""
    for _ in range(steps):
        if not await remove_some(unit, held, now) and await unit.layers.let_go(held.key, _LAYERS, now) < _LAYERS:
            return True
        await asyncio.sleep(0)  # others have their turn
    return False
