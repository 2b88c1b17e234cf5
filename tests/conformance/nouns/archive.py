from __future__ import annotations

from portside.core.digest import Digest
from portside.storage.metadata.archive import ActivatingImage, ArchivedImage, MovableBlob
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import KEY, NOW, REGISTRY, SIZE, digest, image, key_of

FIRST = ArchivedImage(0, 0, "")
MOST = 100


def blob(number: int) -> MovableBlob:
    return MovableBlob(KEY, str(digest(number)), f"{KEY}/{number:032x}", SIZE)


async def hold(metadata: Metadata, repository: int, *numbers: int) -> None:
    """Let a repository hold blobs."""
    async with metadata.writing() as unit:
        for number in numbers:
            await unit.layers.add_blob(KEY, digest(number), blob(number).location, SIZE, NOW)
            await unit.layers.link(repository, KEY, digest(number), NOW)


async def push(metadata: Metadata, repository: int, number: int, *blobs: int) -> Digest:
    """Let a repository hold an image of blobs that it holds."""
    async with metadata.writing() as unit:
        await unit.manifests.add(repository, image(number), b"")
        for one in blobs:
            await unit.manifests.refer(repository, digest(number), digest(one), is_image=False)
            await unit.layers.refer(repository, digest(one), "type", NOW)
    return digest(number)


async def be(metadata: Metadata, repository: int, number: int, status: str, at: int = NOW) -> None:
    async with metadata.writing() as unit:
        await unit.manifests.set_status(repository, digest(number), status, at)


async def lie(metadata: Metadata, *numbers: int, away: bool = True) -> None:
    async with metadata.writing() as unit:
        for number in numbers:
            await unit.archive.set_away(blob(number), away=away)


async def going(metadata: Metadata) -> set[MovableBlob]:
    async with metadata.reading() as unit:
        images = await unit.archive.images(FIRST, MOST)
        return {one for image in images for one in await unit.archive.going(image, MOST)}


class ArchiveConformance:
    """Images on their way to and from the archive."""

    async def test_an_index_that_is_not_archived_is_told(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (1, 10, 11):
            await push(metadata, key, number)
        async with metadata.writing() as unit:
            for parent in (10, 11):
                await unit.manifests.refer(key, digest(parent), digest(1), is_image=True)
        for archived, told in ((None, digest(10)), (10, digest(11)), (11, None)):
            if archived is not None:
                await be(metadata, key, archived, "ARCHIVED")
            async with metadata.reading() as unit:
                assert await unit.archive.listing_index(key, digest(1)) == told

    async def test_blobs_go_when_all_of_their_images_are_archived(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "team/other")
        await hold(metadata, key, 1, 2, 3)
        await hold(metadata, other, 2)
        await push(metadata, key, 10, 1, 2)
        await push(metadata, key, 11, 1)
        await push(metadata, other, 10, 2)
        expected: tuple[tuple[int, int, str, set[MovableBlob]], ...] = (
            (key, 10, "ARCHIVED", set()),
            (key, 11, "ARCHIVED", {blob(1)}),
            (other, 10, "ARCHIVED", {blob(1), blob(2)}),
            (other, 10, "ACTIVATING", {blob(1)}),
            (key, 11, "ACTIVE", set()),
        )
        for repository, number, status, found in expected:
            await be(metadata, repository, number, status)
            assert await going(metadata) == found
            async with metadata.reading() as unit:
                assert {one for one in (blob(1), blob(2), blob(3)) if await unit.archive.may_go(one)} - {
                    blob(3)
                } == found

    async def test_a_layer_that_waits_keeps_its_blob(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "team/other")
        await hold(metadata, key, 1)
        await hold(metadata, other, 1)
        await push(metadata, key, 10, 1)
        await be(metadata, key, 10, "ARCHIVED")
        assert await going(metadata) == set()
        async with metadata.writing() as unit:
            await unit.layers.unlink(other, KEY, digest(1), NOW)
        assert await going(metadata) == {blob(1)}

    async def test_what_lies_away_or_is_damaged_does_not_go(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        await hold(metadata, key, 1, 2)
        await push(metadata, key, 10, 1, 2)
        await be(metadata, key, 10, "ARCHIVED")
        await lie(metadata, 1)
        async with metadata.writing() as unit:
            await unit.layers.damage(KEY, digest(2), blob(2).location)
        assert await going(metadata) == set()

    async def test_archived_images_come_in_the_order_of_their_times(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (10, 11, 12, 13):
            await push(metadata, key, number)
        for number, at in ((10, NOW + 2), (11, NOW + 1), (12, NOW + 1)):
            await be(metadata, key, number, "ARCHIVED", at)
        ordered = [ArchivedImage(NOW + at, key, str(digest(number))) for number, at in ((11, 1), (12, 1), (10, 2))]
        async with metadata.reading() as unit:
            assert await unit.archive.images(FIRST, MOST) == ordered
            assert await unit.archive.images(FIRST, 2) == ordered[:2]
            assert await unit.archive.images(ordered[0], MOST) == ordered[1:]

    async def test_activating_images_come_page_by_page(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        for number in (10, 11, 12):
            await push(metadata, key, number)
            await be(metadata, key, number, "ACTIVATING" if number != 11 else "ARCHIVED")
        images = [ActivatingImage(key, REGISTRY.repository("team/app"), digest(number)) for number in (10, 12)]
        async with metadata.reading() as unit:
            assert await unit.archive.activating((0, ""), MOST) == images
            assert await unit.archive.activating((0, ""), 1) == images[:1]
            assert await unit.archive.activating((key, str(digest(10))), MOST) == images[1:]

    async def test_blobs_that_lie_away_are_known_by_image_and_by_key(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        await hold(metadata, key, 1, 2, 3)
        await push(metadata, key, 10, 1, 2)
        await push(metadata, key, 11, 3)
        await be(metadata, key, 10, "ARCHIVED")
        async with metadata.reading() as unit:
            assert not await unit.archive.is_used()
        await lie(metadata, 1, 3)
        async with metadata.reading() as unit:
            assert await unit.archive.is_used()
            assert await unit.archive.away(key, digest(10), MOST) == [blob(1)]
            assert await unit.archive.away(key, digest(11), MOST) == [blob(3)]
            assert await unit.archive.coming(("", ""), MOST) == [(blob(1), False), (blob(3), True)]
            assert await unit.archive.coming((KEY, str(digest(1))), MOST) == [(blob(3), True)]
            assert await unit.archive.at(blob(1).location) == (blob(1), True)
            assert await unit.archive.at(blob(2).location) == (blob(2), False)
            assert await unit.archive.at("nowhere") is None

    async def test_only_the_row_that_names_the_bytes_is_locked_and_changed(self, metadata: Metadata) -> None:
        await hold(metadata, await key_of(metadata), 1)
        elsewhere = MovableBlob(KEY, str(digest(1)), "elsewhere", SIZE)
        async with metadata.writing() as unit:
            assert await unit.archive.lock(blob(1)) is False
            assert await unit.archive.lock(elsewhere) is None
            assert await unit.archive.lock(blob(2)) is None
            await unit.archive.set_away(elsewhere, away=True)
            assert await unit.archive.lock(blob(1)) is False
            await unit.archive.set_away(blob(1), away=True)
            assert await unit.archive.lock(blob(1)) is True
            await unit.archive.set_away(blob(1), away=False)
            assert await unit.archive.lock(blob(1)) is False

    async def test_new_bytes_lie_in_the_main_place(self, metadata: Metadata) -> None:
        await hold(metadata, await key_of(metadata), 1)
        await lie(metadata, 1)
        async with metadata.writing() as unit:
            await unit.layers.move_blob(KEY, digest(1), "healed", SIZE, NOW)
            assert not await unit.archive.is_used()
