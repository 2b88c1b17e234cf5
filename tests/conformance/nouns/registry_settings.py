"""Creation templates, pull exclusions and events: what a registry as a whole keeps."""

from __future__ import annotations

import asyncio

from sqlalchemy import update

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.statements import prepare
from portside.storage.metadata.templates import TemplateRow
from tests.conformance.nouns.rows import ACCOUNT, NOW, REGISTRY, STRANGER, registry

ELSEWHERE = RegistryId(STRANGER, REGISTRY.region)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/scanner"


class RegistrySettingsConformance:
    async def test_a_prefix_has_one_template(self, metadata: Metadata) -> None:
        for account in (ACCOUNT, STRANGER):
            await registry(metadata, account)
        async with metadata.writing() as unit:
            assert await unit.templates.add(REGISTRY, row := TemplateRow("prod", "{}", NOW, NOW))
            assert not await unit.templates.add(REGISTRY, TemplateRow("prod", "{1}", NOW, NOW))
            assert await unit.templates.add(ELSEWHERE, TemplateRow("prod", "{2}", NOW, NOW))
            assert await unit.templates.lock(REGISTRY, "prod") == row
            await unit.templates.change(REGISTRY, "prod", "{3}", NOW + 1)
            assert await unit.templates.find(REGISTRY, "prod") == TemplateRow("prod", "{3}", NOW, NOW + 1)
            await unit.templates.delete(REGISTRY, "prod")
            assert await unit.templates.find(REGISTRY, "prod") is None
            assert await unit.templates.find(ELSEWHERE, "prod") is not None

    async def test_templates_are_listed_by_prefix(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for prefix in ("prod", "ROOT", "a/b"):
                await unit.templates.add(REGISTRY, TemplateRow(prefix, "{}", NOW, NOW))
            assert [row.prefix for row in await unit.templates.page(REGISTRY, "", 10)] == ["ROOT", "a/b", "prod"]
            assert [row.prefix for row in await unit.templates.page(REGISTRY, "ROOT", 1)] == ["a/b"]
            many = [*(f"x/{number}" for number in range(300)), "prod", "a/b", "prod"]
            assert {*(await unit.templates.among(REGISTRY, many))} == {"prod", "a/b"}
            assert not await unit.templates.among(ELSEWHERE, many)

    async def test_a_principal_is_excluded_once(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            assert not await unit.pull_exclusions.has(REGISTRY, ROLE)
            assert await unit.pull_exclusions.add(REGISTRY, ROLE, NOW)
            assert not await unit.pull_exclusions.add(REGISTRY, ROLE, NOW)
            assert await unit.pull_exclusions.add(REGISTRY, f"{ROLE}2", NOW)
            assert await unit.pull_exclusions.has(REGISTRY, ROLE)
            assert not await unit.pull_exclusions.has(ELSEWHERE, ROLE)
            assert await unit.pull_exclusions.count(REGISTRY) == 2
            assert await unit.pull_exclusions.page(REGISTRY, "", 1) == [ROLE]
            assert await unit.pull_exclusions.page(REGISTRY, ROLE, 10) == [f"{ROLE}2"]
            assert await unit.pull_exclusions.delete(REGISTRY, ROLE)
            assert not await unit.pull_exclusions.delete(REGISTRY, ROLE)

    async def test_events_are_read_in_the_order_they_were_written(self, metadata: Metadata) -> None:
        for at, documents in ((NOW, ["a"]), (NOW + 1, ["b", "c"]), (NOW + 1, [])):
            async with metadata.writing() as unit:
                await unit.events.add(REGISTRY, at, documents)
        async with metadata.reading() as unit:
            rows = await unit.events.after(-1, 0, 10)
            assert [row.document for row in rows] == ["a", "b", "c"]
            assert await unit.events.after(rows[0].unit, rows[0].number, 1) == [rows[1]]
            assert await unit.events.newest(2) == [rows[2], rows[1]]

    async def test_an_event_of_a_unit_that_is_open_holds_back_what_comes_later(
        self, metadata: Metadata, other: Metadata
    ) -> None:
        """Or whoever has read the later one would never see it. On SQLite the later unit waits itself."""

        async def later() -> None:
            async with other.writing() as unit:
                await unit.events.add(REGISTRY, NOW, ["later"])

        async with metadata.writing() as unit:
            await unit.events.add(REGISTRY, NOW, ["early"])
            waiting = asyncio.ensure_future(later())
            await asyncio.wait({waiting}, timeout=0.5)
            async with other.reading() as reader:
                assert await reader.events.after(-1, 0, 10) == []
        await waiting
        async with other.reading() as reader:
            assert [row.document for row in await reader.events.after(-1, 0, 10)] == ["early", "later"]

    async def test_events_of_a_database_that_was_restored_elsewhere_come_before_new_ones(
        self, metadata: Metadata
    ) -> None:
        async with metadata.writing() as unit:
            assert await unit.events.are_of_here()
            await unit.events.add(REGISTRY, NOW, ["a", "b"])
        async with metadata.writing() as unit:
            assert await unit.events.are_of_here()
            # As a dump has them from where many units had been.
            await unit.events._session.run(prepare(update(tables.events).values(unit=2**40)))
            assert not await unit.events.are_of_here()
            await unit.events.adopt()
            assert await unit.events.are_of_here()
        async with metadata.writing() as unit:
            await unit.events.add(REGISTRY, NOW, ["c"])
        async with metadata.reading() as unit:
            assert [row.document for row in await unit.events.after(-1, 0, 10)] == ["a", "b", "c"]

    async def test_old_events_are_removed_some_at_a_time_and_their_numbers_stay_taken(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            await unit.events.add(REGISTRY, NOW, ["a", "b", "c"])
        async with metadata.reading() as unit:
            [newest] = await unit.events.newest(1)
        async with metadata.writing() as unit:
            assert [await unit.events.prune(NOW + 1, 2) for _ in range(3)] == [2, 1, 0]
            await unit.events.add(REGISTRY, NOW, ["d"])
            assert await unit.events.prune(NOW, 10) == 0
        async with metadata.reading() as unit:
            assert (await unit.events.newest(1))[0].number > newest.number
