from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.core.errors import (
    ContentDamaged,
    LayerInaccessible,
    LayerNotFound,
    LayerReferenced,
    RegistryTokenInvalid,
    RepositoryNotFound,
)
from portside.identity.caller import Circumstances
from portside.registry.content import PIECE
from portside.storage.blobs.port import SEGMENT
from portside.storage.errors import Damaged
from tests.registry.fakes import Blobs, Gate, Rows, fail_from, full_disk
from tests.registry.house import APP, HOME, KEY, LAYER_TYPE, Clock, House, image_of, noise, opened

OTHER = HOME.repository("team/other")
LARGE = noise(3 * PIECE + 12_345)
NOWHERE = Circumstances(0, "", secure=False, user_agent="")


def damage(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def blob_file(house: House) -> Path:
    [path] = [path for path in house.files() if "blobs" in path.parts]
    return path


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, PIECE - 1, PIECE, PIECE + 1, len(LARGE)])
async def test_a_layer_is_read_back_as_it_was_pushed(app: House, size: int) -> None:
    content = noise(size)
    digest = await app.push(content)
    assert await app.read(digest) == content
    layer = await app.registry.layers.look(app.caller, APP, digest)
    assert (layer.size, layer.media_type, layer.referenced) == (size, None, False)


@pytest.mark.parametrize("sealing", [True, False])
async def test_any_range_is_read(tmp_path: Path, clock: Clock, *, sealing: bool) -> None:
    async with opened(tmp_path, clock, sealing=sealing) as house:
        await house.create()
        digest = await house.push(LARGE)
        edges = [0, 1, SEGMENT - 1, SEGMENT, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, len(LARGE) - 1, len(LARGE)]
        for start in edges:
            for stop in edges:
                if start < stop:
                    assert await house.read(digest, start=start, stop=stop) == LARGE[start:stop]


def test_ranges_agree_with_slices(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        scope = opened(tmp_path, Clock())
        house = runner.run(scope.__aenter__())
        runner.run(house.create())
        digest = runner.run(house.push(LARGE))

        @given(st.integers(0, len(LARGE)), st.integers(0, len(LARGE)))
        @settings(max_examples=50, deadline=None)
        def check(start: int, stop: int) -> None:
            if start <= stop:
                assert runner.run(house.read(digest, start=start, stop=stop)) == LARGE[start:stop]

        check()
        runner.run(scope.__aexit__(None, None, None))


async def test_a_layer_is_sealed_at_rest(app: House) -> None:
    await app.push(LARGE)
    stored = blob_file(app).read_bytes()
    assert LARGE[:32] not in stored
    assert len(stored) == len(LARGE) + 28 * -(-len(LARGE) // SEGMENT)


async def test_a_layer_of_another_repository_is_not_seen(app: House) -> None:
    await app.create(OTHER)
    digest = await app.push(b"layer")
    assert await app.registry.layers.availability(app.caller, OTHER, [digest]) == [None]
    with pytest.raises(LayerNotFound) as caught:
        await app.registry.layers.open(app.caller, OTHER, digest)
    assert caught.value.message == (
        f"The layer with digest '{digest}' does not exist within the repository with name 'team/other' "
        "in the registry with id '123456789012'"
    )


async def test_availability_answers_in_the_order_asked(app: House) -> None:
    one, two = await app.push(b"1"), await app.push(b"22")
    answers = await app.registry.layers.availability(app.caller, APP, [two, Digest.of(b"none"), one, two])
    assert [answer and answer.size for answer in answers] == [2, None, 1, 2]


@pytest.mark.parametrize("at", [0, 20, SEGMENT + 500, -1])
async def test_a_damaged_layer_is_never_served_counts_as_missing_and_heals(app: House, at: int) -> None:
    digest = await app.push(LARGE)
    damage(blob_file(app), at)
    with pytest.raises(ContentDamaged) as caught:
        await app.read(digest)
    assert caught.value.message == f"The stored content of {digest} is damaged. Push it again to replace it."
    with pytest.raises(LayerNotFound):
        await app.registry.layers.look(app.caller, APP, digest)
    await app.push(LARGE)
    assert await app.read(digest) == LARGE
    assert await app.rows("SELECT holders, damaged FROM blobs") == [(1, 0)]
    assert len(app.files()) == 1


@pytest.mark.parametrize("length", [0, 1, SEGMENT, len(LARGE)])
async def test_a_layer_cut_short_is_damaged(app: House, length: int) -> None:
    digest = await app.push(LARGE)
    path = blob_file(app)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ContentDamaged):
        await app.read(digest)


async def test_what_was_sent_before_the_damage_is_right(app: House) -> None:
    digest = await app.push(LARGE)
    damage(blob_file(app), -1)
    content = await app.registry.layers.open(app.caller, APP, digest)
    pieces = content.read(0, len(LARGE))
    assert LARGE.startswith(b"".join([await anext(pieces) for _ in range(3)]))
    with pytest.raises(ContentDamaged):
        await anext(pieces)


async def test_a_lost_file_is_damage_and_pushing_again_heals_without_a_read(app: House) -> None:
    digest = await app.push(LARGE)
    blob_file(app).unlink()
    await app.push(LARGE)
    assert await app.read(digest) == LARGE
    assert len(app.files()) == 1


async def test_damage_heals_for_every_repository_that_holds_the_layer(app: House) -> None:
    await app.create(OTHER)
    digest = await app.push(LARGE)
    await app.push(LARGE, OTHER)
    damage(blob_file(app), 0)
    with pytest.raises(ContentDamaged):
        await app.read(digest)
    assert not await app.holds(digest, OTHER)
    await app.push(LARGE, OTHER)
    assert await app.read(digest) == LARGE
    assert await app.rows("SELECT holders FROM blobs") == [(2,)]


async def test_an_image_with_a_damaged_layer_is_not_accepted_again(app: House) -> None:
    await app.image("v1", config=LARGE)
    damage(blob_file(app), 0)
    with pytest.raises(ContentDamaged):
        await app.read(Digest.of(LARGE))
    assert not await app.holds(Digest.of(LARGE))
    await app.push(LARGE)
    assert not (await app.put(image_of(LARGE), "v1")).changed


async def test_a_healed_layer_stays_healed_while_an_old_reader_finds_the_damage(tmp_path: Path, clock: Clock) -> None:
    gate = Gate()
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        digest = await house.push(LARGE)
        damage(blob_file(house), 0)
        blobs = house.stores.blobs
        assert isinstance(blobs, Blobs)
        blobs.near = False
        blobs.before["read"] = gate
        late = asyncio.ensure_future(house.read(digest))
        await asyncio.to_thread(gate.reached.wait)
        async with opened(tmp_path, clock) as other:
            with pytest.raises(ContentDamaged):
                await other.read(digest)
            await other.push(LARGE)
        gate.open()
        with pytest.raises(ContentDamaged):
            await late
        assert await house.read(digest) == LARGE


async def test_of_two_who_push_the_same_at_once_the_first_stays(tmp_path: Path, clock: Clock) -> None:
    gate = Gate()
    async with opened(tmp_path, clock, blobs=Blobs) as late, opened(tmp_path, clock) as early:
        await early.create()
        blobs = late.stores.blobs
        assert isinstance(blobs, Blobs)
        blobs.before["publish"] = gate
        pushing = asyncio.ensure_future(late.push(LARGE))
        await asyncio.to_thread(gate.reached.wait)
        digest = await early.push(LARGE)
        before = blob_file(early)
        gate.open()
        await pushing
        assert blob_file(early) == before
        assert await early.read(digest) == LARGE


async def test_of_two_who_record_the_same_at_once_the_first_stays(tmp_path: Path, clock: Clock) -> None:
    """The second looks before the first has a row, and records after it has."""
    async with opened(tmp_path, clock, metadata=Rows) as late, opened(tmp_path, clock) as early:
        await early.create()
        rows = late.stores.metadata
        assert isinstance(rows, Rows)
        rows.pausing = True
        pushing = asyncio.ensure_future(late.push(LARGE))
        await rows.reached.wait()
        digest = await early.push(LARGE)
        content = await early.registry.layers.open(early.caller, APP, digest)
        rows.go_on.set()
        await pushing
        assert b"".join([piece async for piece in content.read(0, len(LARGE))]) == LARGE
        assert len(early.files()) == 1


async def test_the_alarm_is_raised_even_when_the_damage_cannot_be_recorded(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, clock, metadata=Rows) as house:
        await house.create()
        digest = await house.push(LARGE)
        damage(blob_file(house), 0)
        rows = house.stores.metadata
        assert isinstance(rows, Rows)
        rows.failure = full_disk()
        with pytest.raises(type(rows.failure)):
            await house.read(digest)
    assert "layer damaged" in capsys.readouterr().out


async def test_a_layer_that_no_image_refers_to_gets_no_ticket(app: House) -> None:
    digest = await app.push(LARGE)
    with pytest.raises(LayerInaccessible):
        await app.registry.layers.download_ticket(app.caller, APP, digest)
    with pytest.raises(LayerNotFound):
        await app.registry.layers.download_ticket(app.caller, APP, Digest.of(b"none"))


async def test_a_ticket_is_for_one_layer_of_one_repository(app: House) -> None:
    await app.image("v1", config=LARGE)
    digest = str(Digest.of(LARGE))
    ticket = await app.registry.layers.download_ticket(app.caller, APP, Digest.of(LARGE))
    at = Circumstances(app.clock(), "", secure=False, user_agent="")
    caller, repository = await app.registry.callers.by_ticket(ticket, APP.name, digest, at)
    assert (caller.principal.access_key, repository) == (KEY, APP)
    for name, other in ((OTHER.name, digest), (APP.name, str(Digest.of(b"")))):
        with pytest.raises(RegistryTokenInvalid):
            await app.registry.callers.by_ticket(ticket, name, other, at)


async def test_storage_that_fails_otherwise_marks_nothing_as_damaged(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        digest = await house.push(LARGE)
        blobs = house.stores.blobs
        assert isinstance(blobs, Blobs)
        blobs.before["read"] = fail_from(1, full_disk())
        with pytest.raises(type(full_disk())):
            await house.read(digest)
        del blobs.before["read"]
        assert await house.read(digest) == LARGE
        blobs.before["read"] = fail_from(1, Damaged("Segment 0 does not authenticate."))
        with pytest.raises(ContentDamaged):
            await house.read(digest)
        assert not await house.holds(digest)


async def test_another_type_is_kept_when_another_image_gives_it(app: House) -> None:
    await app.push(LARGE)
    await app.push(b"{}")
    await app.put(image_of(b"{}", LARGE))
    assert (await app.registry.layers.look(app.caller, APP, Digest.of(LARGE))).media_type == LAYER_TYPE


async def test_many_readers_are_given_small_pieces_and_few_of_them_large_ones(app: House) -> None:
    """What each of them holds at a time must not add up to much."""
    content = noise(2 * PIECE)
    digest = await app.push(content)
    opened_layer = await app.registry.layers.open(app.caller, APP, digest)

    async def first_piece() -> tuple[AsyncGenerator[bytes], int]:
        reader = cast("AsyncGenerator[bytes]", opened_layer.read(0, len(content)))
        return reader, len(await anext(reader))

    readers = [await first_piece() for _ in range(20)]
    sizes = [size for _, size in readers]
    assert sizes[:16] == [PIECE] * 16
    assert max(sizes[16:]) <= PIECE // 4
    late, size = readers[-1]
    assert content[size:] == b"".join([piece async for piece in late])
    for reader, _ in readers:
        await reader.aclose()
    reader, size = await first_piece()
    assert size == PIECE
    await reader.aclose()


# --- deletion ---------------------------------------------------------------------------------------------------------


async def test_a_deleted_layer_is_gone_from_one_repository_and_comes_back(app: House) -> None:
    await app.create(OTHER)
    digest = await app.push(b"layer")
    await app.push(b"layer", OTHER)
    await app.registry.layers.delete(app.caller, APP, digest)
    assert (await app.holds(digest), await app.holds(digest, OTHER)) == (False, True)
    with pytest.raises(LayerNotFound):
        await app.registry.layers.delete(app.caller, APP, digest)
    await app.push(b"layer")
    assert await app.read(digest) == b"layer"
    assert await app.rows("SELECT holders FROM blobs") == [(2,)]


async def test_a_layer_that_goes_between_looking_and_reading_is_not_there(app: House) -> None:
    """A sweep may remove its bytes then; they are not called damaged."""
    digest = await app.push(b"layer")
    content = await app.registry.layers.open(app.caller, APP, digest)
    await app.registry.layers.delete(app.caller, APP, digest)
    blob_file(app).unlink()
    with pytest.raises(LayerNotFound):
        await anext(content.read(0, 5))
    await app.registry.repositories.delete(app.caller, APP, force=True)
    with pytest.raises(RepositoryNotFound):
        await anext(content.read(0, 5))


async def test_a_layer_stays_until_its_last_image_goes(app: House) -> None:
    digest = await app.push(b"layer")
    await app.push(b"{}")
    for tag in ("a", "b"):
        await app.put(image_of(b"{}", b"layer", annotations={"tag": tag}), tag)
    for image in await app.identifiers():
        with pytest.raises(LayerReferenced):
            await app.registry.layers.delete(app.caller, APP, digest)
        await app.delete(image)
    await app.registry.layers.delete(app.caller, APP, digest)
    assert not await app.holds(digest)
