"""Quotas, where they are held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter, LimitExceeded, RepositoryAlreadyExists
from portside.core.names import ImageId, RegistryId, parse_tag
from portside.registry.rules import Quotas, Rules
from tests.conformance.nouns.counts import assert_counted
from tests.registry.house import ACCOUNT, APP, HOME, Clock, House, image_of, in_pieces, noise, opened

MIB = 1024 * 1024
QUOTAS = Quotas(
    repositories=2,
    images=2,
    tags=2,
    layer_bytes=3 * MIB,
    layer_parts=3,
    smallest_part=100,
    largest_part=1000,
    manifest_bytes=2000,
)


@pytest.fixture
async def small(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """A registry of few things, with one repository."""
    async with opened(tmp_path, clock, rules=Rules(QUOTAS)) as house:
        await house.create()
        yield house


def test_the_defaults_are_those_of_ecr() -> None:
    assert Quotas() == Quotas(100_000, 100_000, 1_000, 54_525_952_000, 4_200, 5_242_880, 20_971_520, 4_194_304)


# --- repositories -----------------------------------------------------------------------------------------------------


async def test_a_registry_has_so_many_repositories(small: House) -> None:
    await small.create(HOME.repository("two"))
    with pytest.raises(LimitExceeded) as caught:
        await small.create(HOME.repository("three"))
    assert caught.value.message == (
        f"The registry with id '{ACCOUNT}' already has the maximum allowed number of repositories which is '2'"
    )
    assert await small.rows("SELECT count(*) FROM repositories") == [(2,)]
    await assert_counted(small.stores.metadata)


async def test_a_full_registry_still_says_what_exists(small: House) -> None:
    await small.create(HOME.repository("two"))
    with pytest.raises(RepositoryAlreadyExists):
        await small.create()


async def test_a_repository_that_went_makes_room(small: House) -> None:
    await small.create(HOME.repository("two"))
    await small.registry.repositories.delete(small.caller, APP, force=True)
    await small.create(HOME.repository("three"))


async def test_another_region_has_its_own(small: House) -> None:
    await small.create(HOME.repository("two"))
    await small.create(RegistryId(ACCOUNT, "us-east-1").repository("three"))


async def test_of_requests_that_race_for_the_last_place_one_wins(small: House) -> None:
    asked = [small.create(HOME.repository(f"new/{number}")) for number in range(5)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, LimitExceeded) for one in outcomes) == 4


# --- images and tags --------------------------------------------------------------------------------------------------


async def test_a_repository_holds_so_many_images(small: House) -> None:
    for config in (b"{}", b"{ }"):
        await small.image(config=config)
    with pytest.raises(LimitExceeded) as caught:
        await small.image(config=b"{  }")
    assert caught.value.message == (
        f"The repository with name '{APP.name}' in registry with id '{ACCOUNT}' already has the maximum allowed "
        "number of images which is '2'"
    )
    assert len(await small.identifiers()) == 2
    await assert_counted(small.stores.metadata)


async def test_a_full_repository_takes_what_it_has_again_and_tags_it(small: House) -> None:
    for config in (b"{}", b"{ }"):
        await small.image(config=config)
    assert (await small.put(image_of(b"{}"), "v1")).changed


async def test_an_image_that_went_makes_room(small: House) -> None:
    digest = await small.image()
    await small.image(config=b"{ }")
    await small.delete(ImageId(digest=digest))
    await small.image(config=b"{  }")


async def test_of_images_that_race_for_the_last_place_one_wins(small: House) -> None:
    await small.image()
    asked = [small.image(config=b"{" + b" " * number + b"}") for number in range(1, 6)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, LimitExceeded) for one in outcomes) == 4


async def test_an_image_has_so_many_tags(small: House) -> None:
    digest = await small.image("v1")
    await small.put(image_of(b"{}"), "v2")
    with pytest.raises(LimitExceeded) as caught:
        await small.put(image_of(b"{}"), "v3")
    assert caught.value.message == (
        f"Adding tag 'v3' to an image in the repository with name '{APP.name}' in registry with id '{ACCOUNT}' "
        "exceeds the maximum allowed number of tags per image which is '2'"
    )
    assert await small.tags_of(digest) == ["v1", "v2"]


async def test_a_tag_that_stands_is_not_one_more(small: House) -> None:
    await small.image("v1")
    for tag in ("v2", "v1", "v2"):
        await small.put(image_of(b"{}"), tag)


async def test_a_tag_that_moves_away_makes_room(small: House) -> None:
    first = await small.image("v1")
    await small.put(image_of(b"{}"), "v2")
    await small.image("v2", config=b"{ }")
    await small.put(image_of(b"{}"), "v3")
    assert await small.tags_of(first) == ["v1", "v3"]


async def test_a_tag_cannot_move_to_a_full_image(small: House) -> None:
    await small.image("v1")
    await small.put(image_of(b"{}"), "v2")
    other = await small.image("v3", config=b"{ }")
    with pytest.raises(LimitExceeded):
        await small.put(image_of(b"{}"), "v3")
    assert await small.tags_of(other) == [parse_tag("v3")]


async def test_a_manifest_has_so_many_bytes(small: House) -> None:
    await small.push(b"{}")
    whole = image_of(b"{}")
    await small.put(whole.ljust(2000))
    with pytest.raises(InvalidParameter) as caught:
        await small.put(whole.ljust(2001))
    assert caught.value.message == (
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
        "'Member must have length less than or equal to 2000'"
    )


# --- layers -----------------------------------------------------------------------------------------------------------


async def test_a_layer_has_so_many_bytes(small: House) -> None:
    await small.push(noise(3 * MIB))
    with pytest.raises(LimitExceeded) as caught:
        await small.push(noise(3 * MIB + 1))
    assert caught.value.message == "The layer exceeds the maximum allowed size which is '3145728' bytes"


async def test_a_layer_that_grows_too_large_is_stopped_while_it_comes(small: House) -> None:
    upload = await small.registry.uploads.begin(small.caller, APP)
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(MIB)

    with pytest.raises(LimitExceeded):
        await small.registry.uploads.receive(small.caller, APP, upload.id, endless())
    assert taken == 4
    standing = await small.registry.uploads.status(small.caller, APP, upload.id)
    assert standing.received == 0


async def test_what_was_acknowledged_before_stays(small: House) -> None:
    upload = await small.registry.uploads.begin(small.caller, APP)
    content = noise(2 * MIB)
    await small.registry.uploads.receive(small.caller, APP, upload.id, in_pieces(content))
    for ask in (
        small.registry.uploads.receive(small.caller, APP, upload.id, in_pieces(noise(2 * MIB, 1))),
        small.registry.uploads.complete(
            small.caller, APP, upload.id, [Digest.of(b"")], body=in_pieces(noise(2 * MIB, 1))
        ),
    ):
        with pytest.raises(LimitExceeded):
            await ask
    done = await small.registry.uploads.complete(small.caller, APP, upload.id, [Digest.of(content)])
    assert await small.read(done.digest) == content


async def test_a_range_beyond_the_largest_layer_is_refused_before_its_bytes(small: House) -> None:
    upload = await small.registry.uploads.begin(small.caller, APP)

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    with pytest.raises(LimitExceeded):
        await small.registry.uploads.receive(small.caller, APP, upload.id, unread(), first=0, last=3 * MIB)


async def part(house: House, upload: str, first: int, size: int) -> None:
    await house.registry.uploads.receive(
        house.caller, APP, upload, in_pieces(bytes(size)), first=first, last=first + size - 1, through_api=True
    )


async def test_an_upload_has_so_many_parts(small: House) -> None:
    upload = (await small.registry.uploads.begin(small.caller, APP)).id
    for number in range(3):
        await part(small, upload, number * 100, 100)
    with pytest.raises(LimitExceeded, match="3 parts"):
        await part(small, upload, 300, 100)


async def test_a_part_has_so_many_bytes(small: House) -> None:
    upload = (await small.registry.uploads.begin(small.caller, APP)).id
    await part(small, upload, 0, 1000)
    with pytest.raises(InvalidParameter) as caught:
        await part(small, upload, 1000, 1001)
    assert caught.value.message == (
        "Invalid parameter at 'layerPartBlob' failed to satisfy constraint: "
        "'Member must have length less than or equal to 1000'"
    )


async def test_dockers_chunks_are_no_parts(small: House) -> None:
    upload = (await small.registry.uploads.begin(small.caller, APP)).id
    for _ in range(5):
        await small.registry.uploads.receive(small.caller, APP, upload, in_pieces(b"x"))
    await small.registry.uploads.complete(small.caller, APP, upload, [Digest.of(b"xxxxx")])
