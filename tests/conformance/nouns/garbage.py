"""Garbage: what may go goes, unless it came to be needed, and whoever else works on it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from portside.storage.metadata.garbage import EndedUpload, UnreferencedLayer
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.counts import assert_counted, holders, images
from tests.conformance.nouns.layers import PLACE, layer, push, remove
from tests.conformance.nouns.rows import KEY, NOW, REGISTRY, SIZE, digest, key_of, upload

LATER = NOW + 1


def one(key: int, number: int = 1) -> UnreferencedLayer:
    return UnreferencedLayer(key, KEY, str(digest(number)))


class GarbageConformance:
    async def test_layers_that_no_image_refers_to_are_found_the_oldest_first(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in range(1, 5):
            async with metadata.writing() as unit:
                await unit.layers.add_blob(KEY, digest(number), PLACE, SIZE, NOW)
                await unit.layers.link(key, KEY, digest(number), NOW - number)
        await push(metadata, key, 10, 2)
        async with metadata.reading() as unit:
            assert await unit.garbage.unreferenced(NOW, 10) == [one(key, 4), one(key, 3), one(key, 1)]
            assert await unit.garbage.unreferenced(NOW, 2) == [one(key, 4), one(key, 3)]
            assert await unit.garbage.unreferenced(NOW - 3, 10) == [one(key, 4)]
            assert await unit.garbage.count_layers(NOW) == 3

    async def test_a_layer_is_let_go_and_its_blob_counts_a_holder_fewer(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        await layer(metadata, key)
        await layer(metadata, other)
        async with metadata.writing() as unit:
            assert await unit.garbage.drop_layers([one(key)], LATER, LATER) == 1
            assert await unit.garbage.drop_layers([one(key)], LATER, LATER) == 0
            assert await unit.layers.find(key, digest(1)) is None
        assert await holders(metadata) == {digest(1): 1}
        await assert_counted(metadata)

    async def test_a_layer_that_came_to_be_needed_stays(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        await layer(metadata, key, 1)
        await layer(metadata, key, 2)
        await push(metadata, key, 10, 1)
        async with metadata.writing() as unit:
            await unit.layers.link(key, KEY, digest(2), LATER)
            assert await unit.garbage.drop_layers([one(key, 1), one(key, 2)], LATER, LATER) == 0
        assert await holders(metadata) == {digest(1): 1, digest(2): 1}

    async def test_an_image_that_goes_begins_the_time_of_its_layers(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))
        await push(metadata, key, 10, 1)
        async with metadata.reading() as unit:
            assert await unit.garbage.unreferenced(LATER, 10) == []
        await remove(metadata, key, 10)
        assert await images(metadata) == {(key, digest(1)): 0}
        async with metadata.reading() as unit:
            assert await unit.garbage.unreferenced(NOW, 10) == []
            assert await unit.garbage.unreferenced(LATER, 10) == [one(key)]

    async def test_an_ageing_layer_is_renewed(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))
        async with metadata.writing() as unit:
            assert not await unit.garbage.is_ageing(key, digest(1), NOW)
            assert await unit.garbage.is_ageing(key, digest(1), LATER)
            await unit.garbage.renew(key, digest(1), LATER, LATER + 10)
            assert not await unit.garbage.is_ageing(key, digest(1), LATER)
            assert await unit.garbage.unreferenced(LATER + 10, 10) == []
            assert await unit.garbage.unreferenced(LATER + 11, 10) == [one(key)]

    async def test_blobs_go_that_no_repository_holds(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        await layer(metadata, key, 1)
        async with metadata.writing() as unit:
            await unit.layers.add_blob(KEY, digest(2), f"{KEY}/two", SIZE, NOW)
            await unit.layers.add_blob(KEY, digest(3), f"{KEY}/three", SIZE, LATER)
            assert await unit.garbage.count_blobs(LATER) == (1, SIZE)
            assert await unit.garbage.drop_blobs(LATER, 10) == [(f"{KEY}/two", SIZE)]
            assert await unit.garbage.drop_blobs(LATER, 10) == []
        assert await holders(metadata) == {digest(1): 1, digest(3): 0}

    async def test_silent_uploads_end_and_only_unfinished_ones_name_what_is_staged(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for identifier in ("one", "two", "held"):
                await unit.uploads.add(replace(upload(key, identifier), received=7))
            await unit.uploads.hold(key, "two", NOW, NOW)
            two = await unit.uploads.find(key, "two")
            assert two is not None
            await unit.uploads.complete(two, digest(1), NOW)
            await unit.uploads.hold(key, "held", NOW, LATER + 1)
            assert await unit.garbage.count_uploads(LATER, LATER) == (1, 7)
            ended = await unit.garbage.end_uploads(LATER, LATER, 10)
            assert {*ended} == {EndedUpload(None, 7), EndedUpload(f"{KEY}/one", 7)}
            assert await unit.uploads.find(key, "one") is None
            assert await unit.uploads.find(key, "held") is not None
            assert await unit.garbage.end_uploads(NOW, LATER + 1, 10) == []

    async def test_the_locations_of_blobs_and_uploads_are_named(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for number, name in enumerate(("a", "c", "e")):
                await unit.layers.add_blob(KEY, digest(number), f"{KEY}/{name}", SIZE, NOW)
            for name in ("b", "f"):
                await unit.uploads.add(upload(key, name))
            assert await unit.garbage.named(f"{KEY}/b", f"{KEY}/e") == {f"{KEY}/{name}" for name in "bce"}
            assert await unit.garbage.named(f"{KEY}/d", f"{KEY}/d") == frozenset()

    async def test_sweeps_and_the_deletion_of_repositories_never_wait_in_a_circle(
        self, metadata: Metadata, other: Metadata
    ) -> None:
        numbers = range(1, 41)
        for name in ("one", "two", "three"):
            key = await key_of(metadata, name)
            for number in numbers if name == "one" else reversed(numbers):
                await layer(metadata, key, number)

        async def delete(adapter: Metadata, name: str) -> None:
            async with adapter.writing() as unit:
                found = await unit.repositories.lock(REGISTRY.repository(name))
                assert found is not None
                while await unit.layers.let_go(found.key, 100, NOW):
                    pass
                await unit.repositories.delete(found.key)

        async def sweep(adapter: Metadata, name: str) -> None:
            async with adapter.reading() as unit:
                found = await unit.repositories.find(REGISTRY.repository(name))
            if found is not None:
                async with adapter.writing() as unit:
                    mine = [one(found.key, number) for number in reversed(numbers)]
                    await unit.garbage.drop_layers(mine, LATER, NOW)
            async with adapter.writing() as unit:
                await unit.garbage.drop_blobs(LATER, 10)

        await asyncio.gather(
            delete(metadata, "one"), sweep(other, "one"), sweep(metadata, "two"), sweep(other, "two"),
            sweep(other, "three"), delete(metadata, "three"),
        )  # fmt: skip
        async with metadata.writing() as unit:
            await unit.garbage.drop_blobs(LATER, 100)
        assert await holders(metadata) == {}
        await assert_counted(metadata)

    async def test_a_blob_in_the_hands_of_a_push_is_passed_over_and_stays(
        self, metadata: Metadata, other: Metadata
    ) -> None:
        """On SQLite the sweep waits for the push; on PostgreSQL it goes on to the next."""
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.layers.add_blob(KEY, digest(1), PLACE, SIZE, NOW)

        async def sweep() -> object:
            async with other.writing() as unit:
                return await unit.garbage.drop_blobs(LATER, 10)

        async with metadata.writing() as unit:
            assert await unit.layers.blob(KEY, digest(1)) is not None
            sweeping = asyncio.ensure_future(sweep())
            await asyncio.sleep(0)
            await unit.layers.link(key, KEY, digest(1), NOW)
        assert await sweeping == []
        assert await holders(metadata) == {digest(1): 1}
