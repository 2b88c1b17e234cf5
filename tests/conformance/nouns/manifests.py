"""Manifests: their rows, their pages, and what they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from portside.core.records import Image
from portside.storage.metadata.port import Metadata, Unit
from tests.conformance.nouns.rows import NOW, SIZE, digest, image, key_of

FIRST = (-1, "")
BEGIN = (-1, "", "")


async def images_of(metadata: Metadata, key: int, status: str, limit: int) -> list[Image]:
    """All images, page after page."""
    found: list[Image] = []
    async with metadata.reading() as unit:
        after = FIRST
        while page := await unit.manifests.page(key, status, after, limit):
            assert len(page) <= limit
            found += page
            after = (page[-1].pushed_at, str(page[-1].digest))
    return found


async def identifiers_of(unit: Unit, key: int, status: str, limit: int) -> list[tuple[int, str]]:
    """All (digest, tag), page after page; digests as their numbers."""
    found: list[tuple[int, str]] = []
    after = BEGIN
    while page := await unit.manifests.identifiers(key, status, after, limit):
        assert len(page) <= limit
        found += [(int(one.hex, 16), tag or "") for one, tag, _ in page]
        after = _place(page[-1])
    return found


def _place(row: tuple[object, str | None, int]) -> tuple[int, str, str]:
    return row[2], str(row[0]), row[1] or ""


async def fill(metadata: Metadata, key: int, rows: Sequence[tuple[int, int, Sequence[str]]]) -> None:
    """Put images of (number, push time, tags)."""
    async with metadata.writing() as unit:
        for number, at, tags in rows:
            await unit.manifests.add(key, image(number, at), b"")
            for tag in tags:
                await unit.tags.put(key, tag, digest(number), NOW)


SHELF = [(4, NOW, ["b", "B", "a"]), (9, NOW, []), (2, NOW + 1, ["c"]), (3, NOW + 1, []), (1, NOW + 2, ["d"])]
"""In order of (push time, digest)."""
IDENTIFIERS = {
    "ANY": [(4, "B"), (4, "a"), (4, "b"), (9, ""), (2, "c"), (3, ""), (1, "d")],
    "TAGGED": [(4, "B"), (4, "a"), (4, "b"), (2, "c"), (1, "d")],
    "UNTAGGED": [(9, ""), (3, "")],
}


class ManifestsConformance:
    @pytest.mark.parametrize(
        "standing",
        [
            image(1),
            image(2, subject=digest(3)),
            replace(image(4), artifact_type=None, last_pull_at=NOW + 5),
            replace(image(5), media_type="t" * 5000),
            replace(image(6), status="ARCHIVED"),
        ],
    )
    async def test_a_manifest_is_found_as_it_was_added(self, metadata: Metadata, standing: Image) -> None:
        key, content = await key_of(metadata), bytes(range(256)) * 5000
        async with metadata.writing() as unit:
            assert await unit.manifests.add(key, standing, content)
        async with metadata.reading() as unit:
            assert await unit.manifests.find(key, standing.digest) == standing
            assert await unit.manifests.content(key, standing.digest) == (standing.media_type, content)

    async def test_a_manifest_is_added_once(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            assert await unit.manifests.add(key, image(1), b"first")
            assert not await unit.manifests.add(key, image(1, NOW + 1), b"second")
            assert await unit.manifests.find(key, digest(1)) == image(1)
            assert await unit.manifests.content(key, digest(1)) == (image(1).media_type, b"first")

    async def test_a_manifest_is_one_repositorys(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"")
            assert await unit.manifests.find(other, digest(1)) is None
            assert await unit.manifests.content(other, digest(1)) is None
            assert await unit.manifests.page(other, "ANY", FIRST, 10) == []
            await unit.manifests.delete(other, digest(1))
            assert await unit.manifests.find(key, digest(1)) == image(1)

    @pytest.mark.parametrize("count", [0, 1, 100, 101])
    async def test_of_however_many_manifests_the_sizes_are_told_at_once(self, metadata: Metadata, count: int) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        held = [number for number in range(count) if number % 3]
        async with metadata.writing() as unit:
            for number in held:
                await unit.manifests.add(key, replace(image(number), content_size=SIZE + number), b"")
        async with metadata.reading() as unit:
            asked = [digest(number) for number in range(count)]
            assert await unit.manifests.sizes(key, asked) == {digest(number): SIZE + number for number in held}
            assert await unit.manifests.sizes(other, asked) == {}

    async def test_a_pull_is_remembered(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"")
            await unit.manifests.add(key, image(2), b"")
            await unit.manifests.pulled(key, digest(1), NOW + 7)
            assert await unit.manifests.find(key, digest(1)) == replace(image(1), last_pull_at=NOW + 7)
            assert await unit.manifests.find(key, digest(2)) == image(2)

    @pytest.mark.parametrize("limit", [1, 2, 100])
    @pytest.mark.parametrize(
        ("status", "expected"), [("ANY", [4, 9, 2, 3, 1]), ("TAGGED", [4, 2, 1]), ("UNTAGGED", [9, 3])]
    )
    async def test_pages_are_in_order_of_push_time_and_digest(
        self, metadata: Metadata, status: str, expected: list[int], limit: int
    ) -> None:
        await fill(metadata, key := await key_of(metadata), SHELF)
        await fill(metadata, await key_of(metadata, "other"), SHELF)
        assert [int(one.digest.hex, 16) for one in await images_of(metadata, key, status, limit)] == expected

    @pytest.mark.parametrize("limit", [1, 2, 100])
    @pytest.mark.parametrize("status", ["ANY", "TAGGED", "UNTAGGED"])
    async def test_identifiers_are_one_a_tag(self, metadata: Metadata, status: str, limit: int) -> None:
        await fill(metadata, key := await key_of(metadata), SHELF)
        await fill(metadata, await key_of(metadata, "other"), SHELF)
        async with metadata.reading() as unit:
            assert await identifiers_of(unit, key, status, limit) == IDENTIFIERS[status]

    @pytest.mark.parametrize(
        ("status", "expected"), [("ANY", [4, 9, 2, 3, 1]), ("ACTIVE", [4, 3, 1]), ("ARCHIVED", [9, 2]), ("x", [])]
    )
    async def test_images_of_a_status_are_listed_alone(
        self, metadata: Metadata, status: str, expected: list[int]
    ) -> None:
        await fill(metadata, key := await key_of(metadata), SHELF)
        async with metadata.writing() as unit:
            for number in (9, 2):
                await unit.manifests.set_status(key, digest(number), "ARCHIVED", NOW)
        async with metadata.reading() as unit:
            images = await unit.manifests.page(key, "ANY", FIRST, 10, status=status)
            listed = await unit.manifests.identifiers(key, "ANY", BEGIN, 10, status=status)
        assert [int(one.digest.hex, 16) for one in images] == expected
        assert list(dict.fromkeys(int(one.hex, 16) for one, _, _ in listed)) == expected
        assert {one.status for one in images} <= {"ACTIVE", "ARCHIVED"}

    async def test_identifiers_tell_the_push_time(self, metadata: Metadata) -> None:
        await fill(metadata, key := await key_of(metadata), SHELF)
        async with metadata.reading() as unit:
            rows = await unit.manifests.identifiers(key, "UNTAGGED", BEGIN, 10)
        assert rows == [(digest(9), None, NOW), (digest(3), None, NOW + 1)]

    @pytest.mark.parametrize("turn", range(7))
    async def test_identifiers_page_on_while_rows_come_and_go(self, metadata: Metadata, turn: int) -> None:
        """What stands all the while is listed exactly once, whatever happens around it."""
        await fill(metadata, key := await key_of(metadata), SHELF)
        seen: list[tuple[int, str]] = []
        after = BEGIN
        for number in range(20):
            if number == turn:
                await self._disturb(metadata, key)
            async with metadata.reading() as unit:
                for row in await unit.manifests.identifiers(key, "ANY", after, 1):
                    seen.append((int(row[0].hex, 16), row[1] or ""))
                    after = _place(row)
        standing = [(4, "a"), (4, "b"), (2, "c"), (1, "d")]
        assert [one for one in seen if one in standing] == standing
        assert len(seen) == len(set(seen))

    async def _disturb(self, metadata: Metadata, key: int) -> None:
        await fill(metadata, key, [(5, NOW, ["e"]), (6, NOW - 1, []), (7, NOW + 9, ["a0"])])
        async with metadata.writing() as unit:
            await unit.tags.put(key, "new", digest(3), NOW)
            await unit.tags.delete(key, "B")
            await unit.manifests.delete(key, digest(9))

    async def test_a_deleted_manifest_is_gone_with_its_references(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            for number in (1, 2, 3):
                await unit.manifests.add(key, image(number), b"")
            for parent in (1, 2):
                await unit.manifests.refer(key, digest(parent), digest(3), is_image=True)
            await unit.manifests.delete(key, digest(1))
            assert await unit.manifests.find(key, digest(1)) is None
            assert await unit.manifests.content(key, digest(1)) is None
            assert await unit.manifests.parents(key, digest(3)) == [digest(2)]

    @pytest.mark.parametrize("kind", [None, "a", "b", "c"])
    async def test_referrers_page_in_order_of_digest(self, metadata: Metadata, kind: str | None) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        kinds = {1: "b", 3: "a", 2: "b", 9: None, 4: "b", 5: "a"}
        async with metadata.writing() as unit:
            for number, one in kinds.items():
                await unit.manifests.add(key, replace(image(number, subject=digest(8)), artifact_type=one), b"")
            await unit.manifests.add(key, image(6, subject=digest(7)), b"")
            await unit.manifests.add(key, image(7), b"")
            await unit.manifests.add(other, image(8, subject=digest(8)), b"")
        found: list[int] = []
        async with metadata.reading() as unit:
            after = ""
            while page := await unit.manifests.referrers(key, digest(8), kind, after, 2):
                found += [int(one.digest.hex, 16) for one in page]
                after = str(page[-1].digest)
        assert found == sorted(number for number, one in kinds.items() if kind in {None, one})

    async def test_parents_are_the_indexes_that_list_a_manifest(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            for parent in (7, 5, 6):
                await unit.manifests.refer(key, digest(parent), digest(1), is_image=True)
            await unit.manifests.refer(key, digest(5), digest(1), is_image=True)
            await unit.manifests.refer(key, digest(8), digest(1), is_image=False)
            await unit.manifests.refer(key, digest(9), digest(2), is_image=True)
            await unit.manifests.refer(other, digest(4), digest(1), is_image=True)
            assert await unit.manifests.parents(key, digest(1)) == [digest(5), digest(6), digest(7)]
            assert await unit.manifests.parents(key, digest(1), limit=2) == [digest(5), digest(6)]
            assert await unit.manifests.parents(key, digest(3)) == []
