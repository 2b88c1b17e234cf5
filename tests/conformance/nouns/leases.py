"""Leases: one holder at a time, until a time."""

from __future__ import annotations

import asyncio

from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import NOW

UNTIL = NOW + 10


class LeasesConformance:
    async def test_one_holds_a_lease_until_it_runs_out(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert await unit.leases.until("sweep") == 0
            assert await unit.leases.take("sweep", "one", NOW, UNTIL)
            assert not await unit.leases.take("sweep", "two", UNTIL - 1, UNTIL + 10)
            assert not await unit.leases.take("sweep", "one", UNTIL - 1, UNTIL + 10)
            assert await unit.leases.until("sweep") == UNTIL
            assert await unit.leases.take("sweep", "two", UNTIL, UNTIL + 10)
            assert await unit.leases.until("sweep") == UNTIL + 10

    async def test_one_that_lasts_longer_than_any_can_is_taken(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert await unit.leases.take("sweep", "one", NOW, UNTIL)
            assert not await unit.leases.take("sweep", "two", NOW, UNTIL, UNTIL)
            assert await unit.leases.take("sweep", "two", NOW, NOW + 1, UNTIL - 1)
            assert await unit.leases.until("sweep") == NOW + 1

    async def test_only_its_holder_extends_a_lease(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert not await unit.leases.extend("sweep", "one", UNTIL)
            await unit.leases.take("sweep", "one", NOW, UNTIL)
            assert await unit.leases.extend("sweep", "one", UNTIL + 5)
            assert not await unit.leases.extend("sweep", "two", UNTIL + 50)
            assert await unit.leases.until("sweep") == UNTIL + 5

    async def test_leases_of_other_names_are_others(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert await unit.leases.take("sweep", "one", NOW, UNTIL)
            assert await unit.leases.take("scrub", "two", NOW, UNTIL)
            assert await unit.leases.extend("sweep", "one", UNTIL + 5)
            assert await unit.leases.until("scrub") == UNTIL

    async def test_of_two_who_take_it_at_once_one_has_it(self, metadata: Metadata, other: Metadata) -> None:
        async def take(adapter: Metadata, holder: str) -> bool:
            async with adapter.writing() as unit:
                return await unit.leases.take("sweep", holder, NOW, UNTIL)

        assert sorted(await asyncio.gather(take(metadata, "one"), take(other, "two"))) == [False, True]
