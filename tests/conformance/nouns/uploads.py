"""Uploads: one writer at a time, and a stale one notices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from portside.core.records import Upload
from portside.storage.metadata.port import Metadata, Unit
from tests.conformance.nouns.rows import NOW, SIZE, digest, key_of, upload

UNTIL = NOW + 15
Step = Callable[[Unit, Upload], Awaitable[bool]]
STEPS: dict[str, Step] = {
    "extend": lambda unit, row: unit.uploads.extend(row, UNTIL + 100),
    "move": lambda unit, row: unit.uploads.move(replace(row, location="elsewhere")),
    "release": lambda unit, row: unit.uploads.release(row, NOW),
    "complete": lambda unit, row: unit.uploads.complete(row, digest(1), NOW),
}


async def held(unit: Unit, key: int, now: int = NOW, until: int = UNTIL) -> Upload:
    """Hold the upload."""
    assert await unit.uploads.hold(key, "one", now, until)
    found = await unit.uploads.find(key, "one")
    assert found is not None
    return found


class UploadsConformance:
    @pytest.mark.parametrize(
        "changes",
        [{}, {"received": SIZE, "remainder": bytes(range(256)), "parts": 4, "last_part": SIZE, "undersized": True}],
    )
    async def test_an_upload_is_found_as_it_was_begun(self, metadata: Metadata, changes: dict[str, int]) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        begun = replace(upload(key), **changes)
        async with metadata.writing() as unit:
            await unit.uploads.add(begun)
            found = await unit.uploads.find(key, "one")
            assert found == begun
            assert found.undersized is begun.undersized
            assert await unit.uploads.find(key, "two") is None
            assert await unit.uploads.find(other, "one") is None

    async def test_one_holds_at_a_time(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            assert await unit.uploads.hold(key, "one", NOW, UNTIL)
            assert not await unit.uploads.hold(key, "one", NOW + 1, UNTIL + 1)
            assert not await unit.uploads.hold(key, "one", UNTIL - 1, UNTIL + 1)
            assert await unit.uploads.hold(key, "one", UNTIL, UNTIL + 1)

    async def test_only_what_is_there_is_held(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            assert not await unit.uploads.hold(key, "two", NOW, UNTIL)
            assert not await unit.uploads.hold(other, "one", NOW, UNTIL)

    async def test_every_hold_is_another_turn(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            turns = []
            for _ in range(3):
                mine = await held(unit, key)
                turns.append(mine.turn)
                assert await unit.uploads.release(mine, NOW)
        assert turns == [1, 2, 3]

    async def test_a_hold_is_extended(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = await held(unit, key)
            assert await unit.uploads.extend(mine, UNTIL + 10)
            assert not await unit.uploads.hold(key, "one", UNTIL + 9, UNTIL + 20)
            assert await unit.uploads.hold(key, "one", UNTIL + 10, UNTIL + 20)

    async def test_a_hold_says_until_when(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = await held(unit, key)
            assert mine.held_until == UNTIL
            await unit.uploads.extend(mine, UNTIL + 10)
            assert await unit.uploads.find(key, "one") == replace(mine, held_until=UNTIL + 10)

    async def test_what_was_received_moves(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = await held(unit, key)
            moved = replace(mine, location="elsewhere", remainder=b"sealed anew")
            assert await unit.uploads.move(moved)
            assert await unit.uploads.find(key, "one") == moved

    async def test_letting_go_records_what_was_received(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = await held(unit, key)
            grown = replace(mine, received=SIZE, remainder=b"rest", parts=2, last_part=7, undersized=True)
            assert await unit.uploads.release(grown, NOW)
            assert await unit.uploads.find(key, "one") == replace(grown, held_until=0)
            assert await unit.uploads.hold(key, "one", NOW, UNTIL)

    @pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
    async def test_one_whose_hold_ran_out_changes_nothing(self, metadata: Metadata, step: Step) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            stale = replace(await held(unit, key), received=1)
            standing = await held(unit, key, UNTIL, UNTIL + 15)
            assert not await step(unit, stale)
            assert await unit.uploads.find(key, "one") == standing
            assert not await unit.uploads.hold(key, "one", UNTIL + 14, UNTIL + 30)
            assert await unit.uploads.hold(key, "one", UNTIL + 15, UNTIL + 30)

    async def test_a_hold_that_ran_out_unnoticed_still_records(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = replace(await held(unit, key), received=5)
            assert await unit.uploads.release(mine, UNTIL + 100)
            assert await unit.uploads.find(key, "one") == replace(mine, held_until=0)

    async def test_a_completed_upload_says_what_it_became(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = replace(await held(unit, key), received=SIZE, remainder=b"rest")
            assert await unit.uploads.complete(mine, digest(1), NOW)
            assert await unit.uploads.find(key, "one") == replace(
                mine, remainder=b"", held_until=0, completed=digest(1)
            )

    async def test_a_completed_upload_takes_no_more(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            mine = await held(unit, key)
            assert await unit.uploads.complete(mine, digest(1), NOW)
            assert not await unit.uploads.complete(mine, digest(2), NOW)
            assert not await unit.uploads.release(mine, NOW)
            assert not await unit.uploads.extend(mine, UNTIL)
            assert not await unit.uploads.move(mine)
            assert not await unit.uploads.hold(key, "one", UNTIL + 1, UNTIL + 2)

    async def test_an_upload_is_deleted_once(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            assert not await unit.uploads.delete(other, "one")
            assert await unit.uploads.delete(key, "one")
            assert not await unit.uploads.delete(key, "one")
            assert await unit.uploads.find(key, "one") is None

    async def test_a_repositorys_uploads_are_deleted_and_their_bytes_named(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            for identifier in ("one", "two", "three"):
                await unit.uploads.add(upload(key, identifier))
            await unit.uploads.add(upload(other, "kept"))
            await unit.uploads.complete(await held(unit, key), digest(1), NOW)
            left = await unit.uploads.delete_of(key)
            assert sorted(left) == [upload(key, "three").location, upload(key, "two").location]
            assert await unit.uploads.find(key, "one") is None
            assert await unit.uploads.find(other, "kept") == upload(other, "kept")

    async def test_stale_uploads_go_but_for_those_that_are_held(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            for identifier in ("one", "two", "three"):
                await unit.uploads.add(upload(key, identifier))
            await unit.uploads.add(upload(other, "kept"))
            assert await unit.uploads.hold(key, "two", NOW, NOW + 10)
            assert await unit.uploads.delete_stale(key, NOW, NOW + 5) == []
            left = await unit.uploads.delete_stale(key, NOW + 1, NOW + 5)
            assert sorted(left) == [upload(key, "one").location, upload(key, "three").location]
            assert await unit.uploads.find(key, "two") is not None
            assert await unit.uploads.find(other, "kept") is not None
