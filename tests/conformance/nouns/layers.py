"""Layers: where blobs lie, who holds them, who refers to them."""

from __future__ import annotations

import asyncio

import pytest

from portside.core.names import RegistryId
from portside.core.records import Layer
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.layers import BlobRow
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.counts import assert_counted, holders, images
from tests.conformance.nouns.rows import ACCOUNT, KEY, NOW, REGISTRY, SIZE, STRANGER, digest, image, key_of

PLACE = f"{KEY}/one"
TYPE = "application/vnd.oci.image.layer.v1.tar"


async def layer(metadata: Metadata, key: int, number: int = 1) -> None:
    """Let a repository hold a blob."""
    async with metadata.writing() as unit:
        await unit.layers.add_blob(KEY, digest(number), PLACE, SIZE, NOW)
        await unit.layers.link(key, KEY, digest(number), NOW)


async def push(metadata: Metadata, key: int, parent: int, *layers: int) -> None:
    """Put an image that refers to layers, as the registry does."""
    async with metadata.writing() as unit:
        await unit.manifests.add(key, image(parent), b"")
        for number in layers:
            await unit.manifests.refer(key, digest(parent), digest(number), is_image=False)
            await unit.layers.refer(key, digest(number), TYPE, NOW)


async def remove(metadata: Metadata, key: int, parent: int) -> None:
    """Remove an image, as the registry does."""
    async with metadata.writing() as unit:
        await unit.layers.release(key, digest(parent), NOW)
        await unit.manifests.delete(key, digest(parent))


class LayersConformance:
    async def test_a_blob_is_where_it_was_recorded(self, metadata: Metadata) -> None:
        await key_of(metadata)
        async with metadata.writing() as unit:
            assert await unit.layers.blob(KEY, digest(1)) is None
            assert await unit.layers.add_blob(KEY, digest(1), PLACE, SIZE, NOW)
            assert await unit.layers.blob(KEY, digest(1)) == BlobRow(PLACE, SIZE, damaged=False)
            assert await unit.layers.blob(KEY, digest(2)) is None

    async def test_a_blob_is_recorded_once(self, metadata: Metadata) -> None:
        await key_of(metadata)
        async with metadata.writing() as unit:
            assert await unit.layers.add_blob(KEY, digest(1), PLACE, SIZE, NOW)
            assert not await unit.layers.add_blob(KEY, digest(1), "elsewhere", 1, NOW)
            assert await unit.layers.blob(KEY, digest(1)) == BlobRow(PLACE, SIZE, damaged=False)

    async def test_a_blob_is_one_content_keys(self, metadata: Metadata) -> None:
        await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.accounts.add_data_key(DataKeyRow("another", "kms", ACCOUNT, b""), NOW)
            assert await unit.layers.add_blob(KEY, digest(1), PLACE, SIZE, NOW)
            assert await unit.layers.blob("another", digest(1)) is None
            assert await unit.layers.add_blob("another", digest(1), "elsewhere", SIZE, NOW)

    async def test_a_layer_is_held_once_it_was_linked(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.layers.add_blob(KEY, digest(1), PLACE, SIZE, NOW)
            assert await unit.layers.find(key, digest(1)) is None
            assert await unit.layers.link(key, KEY, digest(1), NOW)
            assert not await unit.layers.link(key, KEY, digest(1), NOW)
            assert await unit.layers.find(key, digest(1)) == Layer(digest(1), SIZE, PLACE, None, referenced=False)
            assert await unit.layers.find(other, digest(1)) is None

    async def test_holders_are_the_repositories_that_hold_it(self, metadata: Metadata) -> None:
        for name in ("one", "two"):
            key = await key_of(metadata, name)
            await layer(metadata, key)
            await layer(metadata, key)
        assert await holders(metadata) == {digest(1): 2}

    async def test_images_are_the_manifests_that_refer_to_it(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        await layer(metadata, key, 1)
        await layer(metadata, key, 2)
        await push(metadata, key, 10, 1, 2)
        await push(metadata, key, 11, 1)
        assert await images(metadata) == {(key, digest(1)): 2, (key, digest(2)): 1}
        await remove(metadata, key, 10)
        assert await images(metadata) == {(key, digest(1)): 1, (key, digest(2)): 0}
        await assert_counted(metadata)

    async def test_a_layer_knows_whether_an_image_refers_to_it(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))
        await push(metadata, key, 10, 1)
        async with metadata.reading() as unit:
            assert await unit.layers.find(key, digest(1)) == Layer(digest(1), SIZE, PLACE, TYPE, referenced=True)
        await remove(metadata, key, 10)
        async with metadata.reading() as unit:
            found = await unit.layers.find(key, digest(1))
        assert found is not None
        assert not found.referenced

    async def test_a_layer_is_archived_with_all_of_its_images(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))

        async def archived() -> bool:
            async with metadata.reading() as unit:
                found = await unit.layers.find(key, digest(1))
            assert found is not None
            return found.archived

        async def be(parent: int, status: str) -> None:
            async with metadata.writing() as unit:
                await unit.manifests.set_status(key, digest(parent), status, NOW)

        assert not await archived()
        for parent in (10, 11):
            await push(metadata, key, parent, 1)
        await be(10, "ARCHIVED")
        assert not await archived()
        await be(11, "ARCHIVED")
        assert await archived()
        await be(10, "ACTIVE")
        assert not await archived()
        await remove(metadata, key, 10)
        assert await archived()
        await remove(metadata, key, 11)
        assert not await archived()

    async def test_who_holds_a_blob(self, metadata: Metadata) -> None:
        for name in ("one", "two", "three"):
            await layer(metadata, await key_of(metadata, name))
        await layer(metadata, await key_of(metadata, "other"), 2)
        async with metadata.reading() as unit:
            found = await unit.layers.holders(REGISTRY, KEY, digest(1), 10)
            assert {one.name for one in found} == {"one", "two", "three"}
            assert len(await unit.layers.holders(REGISTRY, KEY, digest(1), 2)) == 2
            assert await unit.layers.holders(REGISTRY, "another", digest(1), 10) == []
            assert await unit.layers.holders(RegistryId(ACCOUNT, "us-east-1"), KEY, digest(1), 10) == []
            assert await unit.layers.holders(RegistryId(STRANGER, REGISTRY.region), KEY, digest(1), 10) == []

    async def test_an_index_counts_no_layers(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))
        async with metadata.writing() as unit:
            await unit.manifests.refer(key, digest(20), digest(1), is_image=True)
        await remove(metadata, key, 20)
        assert await images(metadata) == {(key, digest(1)): 0}

    async def test_images_of_one_repository_count_in_it_alone(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        for one in (key, other):
            await layer(metadata, one)
            await push(metadata, one, 10, 1)
        await remove(metadata, other, 10)
        assert await images(metadata) == {(key, digest(1)): 1, (other, digest(1)): 0}

    async def test_a_repository_lets_go_of_everything(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        for one, number in ((key, 1), (key, 2), (other, 1)):
            await layer(metadata, one, number)
        async with metadata.writing() as unit:
            assert [await unit.layers.let_go(key, 1, NOW) for _ in range(3)] == [1, 1, 0]
            await unit.repositories.delete(key)
        assert await holders(metadata) == {digest(1): 1, digest(2): 0}
        assert await images(metadata) == {(other, digest(1)): 0}

    async def test_a_repository_lets_go_of_what_no_image_needs(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (1, 2, 3):
            await layer(metadata, key, number)
        await push(metadata, key, 10, 2)
        async with metadata.writing() as unit:
            assert await unit.layers.let_go(key, 10, NOW + 1) == 2
        assert await holders(metadata) == {digest(1): 0, digest(2): 1, digest(3): 0}
        assert await images(metadata) == {(key, digest(2)): 1}

    async def test_images_up_to_a_digest_are_removed_with_all_that_counts_them(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        for one in (key, other):
            for number in (1, 2):
                await layer(metadata, one, number)
            for number in (10, 11, 12):
                await push(metadata, one, number, 1)
            await push(metadata, one, 13, 1, 2)
            async with metadata.writing() as unit:
                for number in (10, 13):
                    await unit.tags.put(one, f"t{number}", digest(number), NOW)
        async with metadata.writing() as unit:
            await unit.tags.delete_through(key, digest(12))
            await unit.layers.release_through(key, digest(12), NOW)
            await unit.manifests.delete_through(key, digest(12))
            left = [number for number in (10, 11, 12, 13) if await unit.manifests.find(key, digest(number))]
            assert left == [number for number in (10, 11, 12, 13) if str(digest(number)) > str(digest(12))]
            assert [await unit.tags.find(key, f"t{number}") is None for number in (10, 13)] == [
                number not in left for number in (10, 13)
            ]
            assert await unit.manifests.find(other, digest(12))
        await assert_counted(metadata)

    async def test_repositories_that_share_blobs_let_go_at_once(self, metadata: Metadata, other: Metadata) -> None:
        """They wait for each other, and never in a circle."""
        for name, order in (("one", range(40)), ("two", range(40, -1, -1))):
            key = await key_of(metadata, name)
            for number in order:
                await layer(metadata, key, number)

        async def delete(adapter: Metadata, name: str) -> None:
            async with adapter.writing() as unit:
                found = await unit.repositories.lock(REGISTRY.repository(name))
                assert found is not None
                while await unit.layers.let_go(found.key, 7, NOW):
                    pass
                await unit.repositories.delete(found.key)

        await asyncio.gather(delete(metadata, "one"), delete(other, "two"))
        assert {*(await holders(metadata)).values()} == {0}

    async def test_a_damaged_blob_counts_as_missing_until_it_is_pushed_again(self, metadata: Metadata) -> None:
        await layer(metadata, key := await key_of(metadata))
        async with metadata.writing() as unit:
            assert await unit.layers.damage(KEY, digest(1), PLACE)
            assert await unit.layers.find(key, digest(1)) is None
            assert await unit.layers.blob(KEY, digest(1)) == BlobRow(PLACE, SIZE, damaged=True)
            await unit.layers.move_blob(KEY, digest(1), "healed", SIZE, NOW)
            assert await unit.layers.blob(KEY, digest(1)) == BlobRow("healed", SIZE, damaged=False)
            found = await unit.layers.find(key, digest(1))
        assert found is not None
        assert found.location == "healed"

    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
    async def test_of_however_many_layers_the_places_are_told_at_once(self, metadata: Metadata, count: int) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        held = [number for number in range(count) if number % 3]
        async with metadata.writing() as unit:
            for number in held:
                await unit.layers.add_blob(KEY, digest(number), f"{KEY}/{number}", SIZE + number, NOW)
                await unit.layers.link(key, KEY, digest(number), NOW)
        async with metadata.reading() as unit:
            asked = [digest(number) for number in range(count)]
            assert await unit.layers.places(key, asked) == {
                digest(number): BlobRow(f"{KEY}/{number}", SIZE + number, damaged=False) for number in held
            }
            assert await unit.layers.places(other, asked) == {}

    async def test_a_damaged_blob_has_no_place_among_many(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (1, 2):
            await layer(metadata, key, number)
        async with metadata.writing() as unit:
            assert await unit.layers.damage(KEY, digest(1), PLACE)
            found = await unit.layers.places(key, [digest(1), digest(2), digest(3)])
        assert found == {digest(2): BlobRow(PLACE, SIZE, damaged=False)}

    async def test_some_blobs_are_any_that_are_not_damaged(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (1, 2, 3):
            await layer(metadata, key, number)
        async with metadata.writing() as unit:
            assert await unit.layers.damage(KEY, digest(1), PLACE)
            assert await unit.layers.some_blobs(9) == [BlobRow(PLACE, SIZE, damaged=False)] * 2
            assert len(await unit.layers.some_blobs(1)) == 1

    async def test_damage_elsewhere_does_not_touch_healed_bytes(self, metadata: Metadata) -> None:
        await layer(metadata, await key_of(metadata))
        async with metadata.writing() as unit:
            await unit.layers.move_blob(KEY, digest(1), "healed", SIZE, NOW)
            assert not await unit.layers.damage(KEY, digest(1), PLACE)
            assert await unit.layers.blob(KEY, digest(1)) == BlobRow("healed", SIZE, damaged=False)

    async def test_a_layer_that_comes_after_its_images_is_counted_all_the_same(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        for parent in (11, 12):
            await push(metadata, key, parent, 1)
        await push(metadata, other, 13, 1)
        await layer(metadata, key)
        assert await images(metadata) == {(key, digest(1)): 2}
        await assert_counted(metadata)
        await remove(metadata, key, 11)
        await remove(metadata, key, 12)
        assert await images(metadata) == {(key, digest(1)): 0}

    async def test_a_layer_is_let_go_when_no_manifest_refers_to_it(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        await layer(metadata, key)
        await layer(metadata, other)
        await push(metadata, key, 11, 1)
        async with metadata.writing() as unit:
            assert not await unit.layers.unlink(key, KEY, digest(1), NOW)
            assert not await unit.layers.unlink(key, KEY, digest(2), NOW)
        await remove(metadata, key, 11)
        async with metadata.writing() as unit:
            assert await unit.layers.unlink(key, KEY, digest(1), NOW)
            assert not await unit.layers.unlink(key, KEY, digest(1), NOW)
            assert await unit.layers.find(key, digest(1)) is None
            assert await unit.layers.find(other, digest(1)) is not None
        assert await holders(metadata) == {digest(1): 1}
        await assert_counted(metadata)
