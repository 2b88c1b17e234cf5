"""Tags: what they point at, in which order they are listed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portside.storage.metadata.port import Metadata, Unit
from tests.conformance.nouns.rows import NOW, digest, image, key_of

TAGS = ["1", "1-a", "1.0", "10", "2", "A", "B", "_a", "a", "a-b", "a.b", "aB", "ab", "b"]
"""In order of their bytes, which is not how English sorts them."""


class TagsConformance:
    async def test_a_tag_points_at_what_it_was_put_to(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.tags.put(key, "latest", digest(1), NOW)
            assert await unit.tags.find(key, "latest") == digest(1)
            assert await unit.tags.find(key, "Latest") is None
            assert await unit.tags.find(key, "lates") is None

    async def test_a_tag_moves(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.tags.put(key, "latest", digest(1), NOW)
            await unit.tags.put(key, "latest", digest(2), NOW + 1)
            assert await unit.tags.find(key, "latest") == digest(2)
            assert await unit.tags.of(key, digest(1)) == ()
            assert await unit.tags.of(key, digest(2)) == ("latest",)

    async def test_an_image_knows_its_tags(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for tag in reversed(TAGS):
                await unit.tags.put(key, tag, digest(1), NOW)
            await unit.tags.put(key, "other", digest(2), NOW)
            assert list(await unit.tags.of(key, digest(1))) == TAGS
            assert await unit.tags.reach(key, digest(1), len(TAGS))
            assert not await unit.tags.reach(key, digest(1), len(TAGS) + 1)
            assert await unit.tags.reach(key, digest(2), 1)
            assert not await unit.tags.reach(key, digest(3), 1)

    async def test_an_image_knows_the_tags_of_the_indexes_it_is_pulled_by(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            # 1 is listed by 2 and 3; 4 lists both; 5 lists 4 and, as nobody can push it, is listed by 2.
            for parent, child in ((2, 1), (3, 1), (4, 2), (4, 3), (5, 4), (2, 5), (7, 6)):
                await unit.manifests.refer(key, digest(parent), digest(child), is_image=True)
            await unit.manifests.refer(key, digest(8), digest(1), is_image=False)
            await unit.manifests.refer(other, digest(9), digest(1), is_image=True)
            for number in range(1, 10):
                await unit.tags.put(key, f"tag-{number}", digest(number), NOW)
                await unit.tags.put(other, f"other-{number}", digest(number), NOW)
            await unit.tags.put(key, "B", digest(3), NOW)
            assert await unit.tags.of_indexes(key, digest(1)) == ("B", "tag-2", "tag-3", "tag-4", "tag-5")
            assert await unit.tags.of_indexes(key, digest(6)) == ("tag-7",)
            assert await unit.tags.of_indexes(key, digest(7)) == ()
            assert await unit.tags.of_indexes(other, digest(1)) == ("other-9",)

    @pytest.mark.parametrize("limit", [1, 5, 100])
    async def test_tags_are_paged_in_order_of_bytes(self, metadata: Metadata, limit: int) -> None:
        key, found = await key_of(metadata), list[str]()
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"")
            for tag in reversed(TAGS):
                await unit.tags.put(key, tag, digest(1), NOW)
        async with metadata.reading() as unit:
            while page := await unit.tags.page(key, found[-1] if found else "", limit):
                assert len(page) <= limit
                found += [tag for tag, _ in page]
        assert found == TAGS

    async def test_a_page_says_what_each_tags_image_is(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for tag, number, status in (("a", 1, "ACTIVE"), ("b", 2, "ARCHIVED"), ("c", 3, "ACTIVATING")):
                await unit.manifests.add(key, replace(image(number), status=status), b"")
                await unit.tags.put(key, tag, digest(number), NOW)
            assert await unit.tags.page(key, "", 10) == [("a", "ACTIVE"), ("b", "ARCHIVED"), ("c", "ACTIVATING")]

    async def test_an_image_knows_whether_it_has_a_tag(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")

        async def untagged(unit: Unit) -> list[int]:
            page = await unit.manifests.page(key, "UNTAGGED", (-1, ""), 10)
            listed = await unit.manifests.identifiers(key, "UNTAGGED", (-1, "", ""), 10)
            assert [one.digest for one in page] == [name for name, _, _ in listed]
            return [number for number in (1, 2) if digest(number) in {one.digest for one in page}]

        async with metadata.writing() as unit:
            for number in (1, 2):
                await unit.manifests.add(key, image(number), b"")
                await unit.manifests.add(other, image(number), b"")
            assert await untagged(unit) == [1, 2]
            await unit.tags.put(other, "a", digest(2), NOW)
            await unit.tags.put(key, "a", digest(1), NOW)
            await unit.tags.put(key, "b", digest(1), NOW)
            assert await untagged(unit) == [2]
            await unit.tags.put(key, "a", digest(2), NOW)
            assert await untagged(unit) == []
            await unit.tags.put(key, "a", digest(2), NOW)
            await unit.tags.put(key, "b", digest(2), NOW)
            assert await untagged(unit) == [1]
            await unit.tags.delete(key, "a")
            assert await untagged(unit) == [1]
            await unit.tags.delete(key, "b")
            assert await untagged(unit) == [1, 2]
            assert [one.digest for one in await unit.manifests.page(other, "TAGGED", (-1, ""), 10)] == [digest(2)]

    async def test_a_tag_is_deleted_once(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.tags.put(key, "latest", digest(1), NOW)
            await unit.tags.put(key, "kept", digest(1), NOW)
            assert await unit.tags.delete(key, "latest")
            assert not await unit.tags.delete(key, "latest")
            assert await unit.tags.of(key, digest(1)) == ("kept",)

    async def test_all_tags_of_an_image_are_deleted(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for tag, number in (("a", 1), ("b", 1), ("c", 2)):
                await unit.tags.put(key, tag, digest(number), NOW)
            await unit.tags.delete_of(key, digest(1))
            assert [await unit.tags.find(key, tag) for tag in ("a", "b", "c")] == [None, None, digest(2)]

    async def test_tags_are_one_repositorys(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.tags.put(key, "latest", digest(1), NOW)
            await unit.tags.put(other, "latest", digest(2), NOW)
            await unit.tags.delete_of(other, digest(1))
            assert await unit.tags.find(key, "latest") == digest(1)
            assert await unit.tags.delete(other, "latest")
            assert await unit.tags.of(key, digest(1)) == ("latest",)
            assert not await unit.tags.reach(other, digest(1), 1)
