from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import (
    BodyTruncated,
    EmptyUpload,
    InvalidLayer,
    InvalidLayerPart,
    LayerPartTooSmall,
    LimitExceeded,
    RepositoryNotFound,
    UploadBusy,
    UploadNotFound,
)
from portside.core.names import RepositoryId
from portside.core.records import Upload
from portside.registry.content import PIECE
from portside.registry.uploads import Completed
from portside.storage.blobs.port import SEGMENT
from portside.storage.errors import Missing, NoSpace, StorageUnavailable
from tests.registry.fakes import Blobs, Gate, Rows, fail_from, full_disk
from tests.registry.house import APP, HOME, MEBIBYTE, Clock, House, image_of, in_pieces, noise, opened

OTHER = HOME.repository("team/other")
LARGE = noise(3 * PIECE + 12_345)
WRONG = Digest.of(b"wrong")


class Line:
    """A client's connection: what it sends, and when, is up to the test."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._more = asyncio.Condition()
        self.read = 0

    def send(self, data: bytes) -> None:
        self._queue.put_nowait(data)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def body(self) -> AsyncIterator[bytes]:
        while (data := await self._queue.get()) is not None:
            yield data
            async with self._more:
                self.read += len(data)
                self._more.notify_all()

    async def is_read(self, size: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: self.read >= size)


async def cut(content: bytes) -> AsyncIterator[bytes]:
    """A body whose client hangs up."""
    async for piece in in_pieces(content):
        yield piece
    raise BodyTruncated


async def begin(house: House, repository: RepositoryId = APP) -> str:
    return (await house.registry.uploads.begin(house.caller, repository)).id


async def receive(house: House, upload: str, content: bytes, **wanted: object) -> Upload:
    return await house.registry.uploads.receive(house.caller, APP, upload, in_pieces(content), **wanted)  # type: ignore[arg-type]


async def complete(house: House, upload: str, *digests: Digest, **wanted: object) -> Completed:
    return await house.registry.uploads.complete(house.caller, APP, upload, digests, **wanted)  # type: ignore[arg-type]


async def status(house: House, upload: str) -> Upload:
    return await house.registry.uploads.status(house.caller, APP, upload)


def blobs_of(house: House) -> Blobs:
    assert isinstance(house.stores.blobs, Blobs)
    return house.stores.blobs


def rows_of(house: House) -> Rows:
    assert isinstance(house.stores.metadata, Rows)
    return house.stores.metadata


def staged(house: House) -> list[Path]:
    return [path for path in house.files() if "uploads" in path.parts]


# --- the way in -------------------------------------------------------------------------------------------------------


async def test_an_upload_begins_empty(app: House) -> None:
    upload = await app.registry.uploads.begin(app.caller, APP)
    assert (upload.received, upload.completed) == (0, None)
    assert await status(app, upload.id) == upload


async def test_no_upload_begins_in_a_missing_repository(house: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await begin(house)


async def test_a_streamed_upload_is_completed_without_a_body(app: House) -> None:
    upload = await begin(app)
    assert (await receive(app, upload, LARGE)).received == len(LARGE)
    assert await complete(app, upload, Digest.of(LARGE)) == Completed(Digest.of(LARGE), len(LARGE), existed=False)
    assert await app.read(Digest.of(LARGE)) == LARGE
    assert staged(app) == []


@pytest.mark.parametrize("size", [1000, SEGMENT, 300_000, PIECE, PIECE + 1])
async def test_chunks_of_any_size_make_the_same_layer(app: House, size: int) -> None:
    upload = await begin(app)
    for at in range(0, len(LARGE) if size > 1000 else 20_000, size):
        await receive(app, upload, LARGE[at : at + size], first=at, last=min(at + size, len(LARGE)) - 1)
    content = LARGE[: (await status(app, upload)).received]
    await complete(app, upload, Digest.of(content))
    assert await app.read(Digest.of(content)) == content


async def test_the_last_chunk_may_come_with_the_completion(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE[:MEBIBYTE])
    await complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE[MEBIBYTE:]), first=MEBIBYTE)
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_an_empty_layer_is_a_layer(app: House) -> None:
    upload = await begin(app)
    assert await complete(app, upload, Digest.of(b"")) == Completed(Digest.of(b""), 0, existed=False)
    assert await app.read(Digest.of(b"")) == b""


async def test_sha512_names_a_layer_too(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE)
    digest = Digest.of(LARGE, "sha512")
    await complete(app, upload, WRONG, digest)
    assert await app.read(digest) == LARGE


async def test_any_of_several_digests_may_be_right(app: House) -> None:
    upload = await begin(app)
    done = await complete(app, upload, WRONG, Digest.of(LARGE), body=in_pieces(LARGE))
    assert done.digest == Digest.of(LARGE)


async def test_what_is_received_is_sealed_at_rest(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, b"secret" * 50_000)
    [(remainder,)] = await app.rows("SELECT remainder FROM uploads")
    assert b"secret" not in remainder
    assert b"secret" not in b"".join(path.read_bytes() for path in staged(app))


# --- going on ---------------------------------------------------------------------------------------------------------


async def test_what_came_before_the_cut_is_kept(app: House) -> None:
    upload = await begin(app)
    with pytest.raises(BodyTruncated):
        await app.registry.uploads.receive(app.caller, APP, upload, cut(LARGE[:2_000_000]))
    assert (await status(app, upload)).received == 2_000_000
    await receive(app, upload, LARGE[2_000_000:], first=2_000_000)
    await complete(app, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_a_cut_completion_keeps_what_came_and_completes_nothing(app: House) -> None:
    upload = await begin(app)
    with pytest.raises(BodyTruncated):
        await complete(app, upload, Digest.of(LARGE), body=cut(LARGE[:2_000_000]))
    assert (await status(app, upload)).received == 2_000_000
    await complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE[2_000_000:]))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_a_cut_that_gives_the_whole_is_still_a_cut(app: House) -> None:
    upload = await begin(app)
    with pytest.raises(BodyTruncated):
        await complete(app, upload, Digest.of(LARGE), body=cut(LARGE))
    assert not await app.holds(Digest.of(LARGE))


async def test_another_process_goes_on(app: House) -> None:
    upload = await begin(app)
    async with opened(app.folder, app.clock) as other:
        houses = [app, other, app, app, other]
        size = len(LARGE) // len(houses) + 1
        for number, house in enumerate(houses):
            await receive(house, upload, LARGE[number * size : (number + 1) * size], first=number * size)
        await complete(app, upload, Digest.of(LARGE))
        assert await other.read(Digest.of(LARGE)) == LARGE


async def test_an_upload_outlives_its_process(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE)
    async with opened(tmp_path, clock) as house:
        await complete(house, upload, Digest.of(LARGE))
        assert await house.read(Digest.of(LARGE)) == LARGE


async def test_the_hash_is_counted_along_and_nothing_read_twice(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE[:MEBIBYTE])
        await receive(house, upload, LARGE[MEBIBYTE:])
        await complete(house, upload, Digest.of(LARGE))
        assert "read" not in blobs_of(house).calls


@pytest.mark.parametrize("parts", [1, 3])
async def test_sha512_that_is_told_early_is_counted_along_too(tmp_path: Path, clock: Clock, parts: int) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload, size = await begin(house), len(LARGE) // parts + 1
        for at in range(0, len(LARGE), size):
            await receive(house, upload, LARGE[at : at + size], algorithm="sha512")
        await complete(house, upload, Digest.of(LARGE, "sha512"))
        assert "read" not in blobs_of(house).calls
        assert await house.read(Digest.of(LARGE, "sha512")) == LARGE


async def test_sha512_of_a_whole_body_is_counted_along(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        await complete(house, await begin(house), Digest.of(LARGE, "sha512"), body=in_pieces(LARGE))
        assert "read" not in blobs_of(house).calls


@pytest.mark.parametrize(("told", "meant"), [("sha512", "sha256"), ("sha256", "sha512")])
async def test_another_algorithm_than_was_told_is_counted_at_the_end(app: House, told: str, meant: str) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE[:MEBIBYTE], algorithm=told)
    await receive(app, upload, LARGE[MEBIBYTE:], algorithm=meant)
    await complete(app, upload, Digest.of(LARGE, meant))
    assert await app.read(Digest.of(LARGE, meant)) == LARGE


async def test_a_gap_is_refused_with_the_first_byte_that_is_wanted(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, b"12345")
    for ask in (receive(app, upload, b"x", first=0), complete(app, upload, WRONG, body=in_pieces(b"x"), first=0)):
        with pytest.raises(InvalidLayerPart) as caught:
            await ask
        assert caught.value.message == "First byte of the layer part is 0 instead of 5"
        assert (caught.value.received, caught.value.upload, caught.value.repository) == (5, upload, APP)
    assert (await status(app, upload)).received == 5


@pytest.mark.parametrize("last", [8, 10, 2_000_000])
async def test_a_part_that_is_not_as_long_as_its_range_is_dropped(app: House, last: int) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE[:5])
    content = LARGE[5:10] if last < 100 else LARGE
    for ask in (
        receive(app, upload, content, first=5, last=last),
        complete(app, upload, Digest.of(LARGE[:5] + content), body=in_pieces(content), first=5, last=last),
    ):
        with pytest.raises(InvalidLayerPart):
            await ask
    await receive(app, upload, LARGE[5:], first=5, last=len(LARGE) - 1)
    await complete(app, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


# --- completing -------------------------------------------------------------------------------------------------------


async def test_a_wrong_digest_leaves_the_upload_as_it_was(app: House) -> None:
    upload = await begin(app)
    before = await receive(app, upload, LARGE[:MEBIBYTE])
    for body in (None, in_pieces(b"wrong" * 400_000)):
        with pytest.raises(InvalidLayer):
            await complete(app, upload, WRONG, body=body)
        assert (await status(app, upload)).received == before.received
    assert not await app.holds(WRONG)
    await complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE[MEBIBYTE:]))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_completing_again_is_answered_alike(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE)
    first = await complete(app, upload, Digest.of(LARGE))
    again = await complete(app, upload, WRONG, Digest.of(LARGE))
    assert (again.digest, again.size, again.existed) == (first.digest, first.size, True)


async def test_completing_again_under_another_digest_is_not(app: House) -> None:
    upload = await begin(app)
    await complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE))
    with pytest.raises(UploadNotFound):
        await complete(app, upload, WRONG)


async def test_a_completed_upload_takes_nothing_more(app: House) -> None:
    upload = await begin(app)
    await complete(app, upload, Digest.of(b""))
    for ask in (receive(app, upload, b"x"), status(app, upload), app.registry.uploads.cancel(app.caller, APP, upload)):
        with pytest.raises(UploadNotFound):
            await ask


@pytest.mark.parametrize("upload", ["00000000-0000-0000-0000-000000000000", "", "x" * 5000])
async def test_an_unknown_upload_is_not_found(app: House, upload: str) -> None:
    for ask in (
        receive(app, upload, b"x"),
        complete(app, upload, WRONG),
        status(app, upload),
        app.registry.uploads.cancel(app.caller, APP, upload),
    ):
        with pytest.raises(UploadNotFound):
            await ask


async def test_an_upload_belongs_to_its_repository(app: House) -> None:
    await app.create(OTHER)
    upload = await begin(app, OTHER)
    with pytest.raises(UploadNotFound):
        await receive(app, upload, b"x")


async def test_a_cancelled_upload_is_gone_with_its_bytes(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE)
    await app.registry.uploads.cancel(app.caller, APP, upload)
    assert app.files() == []
    with pytest.raises(UploadNotFound):
        await status(app, upload)


async def test_a_layer_that_was_there_before_is_said_to_be(app: House) -> None:
    await app.push(LARGE)
    upload = await begin(app)
    assert (await complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE))).existed


async def test_repositories_of_an_account_share_their_bytes(app: House) -> None:
    await app.create(OTHER)
    await app.push(LARGE)
    upload = await begin(app, OTHER)
    uploads = app.registry.uploads
    done = await uploads.complete(app.caller, OTHER, upload, [Digest.of(LARGE)], body=in_pieces(LARGE))
    assert not done.existed
    assert len(app.files()) == 1
    assert await app.rows("SELECT holders FROM blobs") == [(2,)]
    assert await app.read(Digest.of(LARGE), OTHER) == LARGE


# --- through the API --------------------------------------------------------------------------------------------------

PART = noise(5 * MEBIBYTE)


async def part(house: House, upload: str, content: bytes, first: int) -> Upload:
    return await receive(house, upload, content, first=first, last=first + len(content) - 1, through_api=True)


async def test_parts_through_the_api_make_a_layer(app: House) -> None:
    upload = await begin(app)
    await part(app, upload, PART, 0)
    grown = await part(app, upload, b"end", len(PART))
    assert (grown.received, grown.parts, grown.undersized) == (len(PART) + 3, 2, False)
    await complete(app, upload, Digest.of(PART + b"end"), through_api=True)
    assert await app.read(Digest.of(PART + b"end")) == PART + b"end"


async def test_an_upload_without_a_part_cannot_be_completed_through_the_api(app: House) -> None:
    upload = await begin(app)
    with pytest.raises(EmptyUpload) as caught:
        await complete(app, upload, Digest.of(b""), through_api=True)
    assert caught.value.message == (
        f"The upload with id '{upload}' in the repository with name 'team/app' in registry with id '123456789012' "
        "cannot be completed because it does not have any parts"
    )


async def test_only_the_last_part_may_be_small(app: House) -> None:
    upload = await begin(app)
    await part(app, upload, PART[:-1], 0)
    await part(app, upload, b"end", len(PART) - 1)
    with pytest.raises(LayerPartTooSmall) as caught:
        await complete(app, upload, Digest.of(PART[:-1] + b"end"), through_api=True)
    assert caught.value.message == "All layer parts except the last part should be at least 5MB"


async def test_a_single_small_part_is_the_last(app: House) -> None:
    upload = await begin(app)
    await part(app, upload, b"small", 0)
    await complete(app, upload, Digest.of(b"small"), through_api=True)


async def test_a_part_sent_again_is_told_where_to_go_on(app: House) -> None:
    upload = await begin(app)
    await part(app, upload, PART, 0)
    with pytest.raises(InvalidLayerPart) as caught:
        await part(app, upload, PART, 0)
    assert caught.value.message == "First byte of the layer part is 0 instead of 5242880"
    assert caught.value.received == len(PART)


async def test_an_upload_has_at_most_4200_parts(app: House) -> None:
    upload = await begin(app)
    await app.rows("UPDATE uploads SET parts = 4199")
    await part(app, upload, b"x", 0)
    with pytest.raises(LimitExceeded):
        await part(app, upload, b"x", 1)


async def test_completing_through_the_api_again_finds_the_layer(app: House) -> None:
    upload = await begin(app)
    await part(app, upload, b"small", 0)
    await complete(app, upload, Digest.of(b"small"), through_api=True)
    assert (await complete(app, upload, Digest.of(b"small"), through_api=True)).existed


# --- two at once ------------------------------------------------------------------------------------------------------


async def test_of_two_requests_the_second_waits_for_the_first(app: House) -> None:
    upload, line = await begin(app), Line()
    first = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    line.send(b"a" * PIECE)
    await line.is_read(PIECE)
    second = asyncio.ensure_future(receive(app, upload, b"b" * PIECE))
    await asyncio.sleep(0.15)
    line.send(b"a" * PIECE)
    line.end()
    assert (await first).received == 2 * PIECE
    assert (await second).received == 3 * PIECE
    content = b"a" * 2 * PIECE + b"b" * PIECE
    await complete(app, upload, Digest.of(content))
    assert await app.read(Digest.of(content)) == content


async def test_of_two_that_send_the_same_bytes_the_second_is_told_where_to_go_on(app: House) -> None:
    upload = await begin(app)
    async with opened(app.folder, app.clock) as other:
        answers = await asyncio.gather(
            *(receive(house, upload, LARGE, first=0) for house in (app, other)), return_exceptions=True
        )
    assert {type(answer) for answer in answers} == {Upload, InvalidLayerPart}
    await complete(app, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_who_completes_while_another_does_is_answered_alike(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE)
    async with opened(app.folder, app.clock) as other:
        asked = [complete(house, upload, Digest.of(LARGE)) for house in (app, other) * 3]
        answers = await asyncio.gather(*asked)
    assert {(answer.digest, answer.size) for answer in answers} == {(Digest.of(LARGE), len(LARGE))}
    assert sum(not answer.existed for answer in answers) == 1


async def test_who_completes_with_the_same_body_while_another_does_is_answered_alike(app: House) -> None:
    upload = await begin(app)
    asked = [complete(app, upload, Digest.of(LARGE), body=in_pieces(LARGE)) for _ in range(3)]
    assert {answer.digest for answer in await asyncio.gather(*asked)} == {Digest.of(LARGE)}
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_a_hold_of_a_dead_process_ends(app: House) -> None:
    upload = await begin(app)
    await hold(app, upload, 15)
    going_on = asyncio.ensure_future(receive(app, upload, b"content"))
    await asyncio.sleep(0.25)
    assert not going_on.done()
    app.clock.forward(15)
    assert (await going_on).received == 7


async def test_a_request_that_lost_its_hold_writes_to_a_place_that_nobody_reads(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE[: 2 * PIECE])
    async with app.stores.metadata.reading() as unit:
        repository = await unit.repositories.find(APP)
        assert repository is not None
        before = await unit.uploads.find(repository.key, upload)
    assert before is not None
    await hold(app, upload, 15)
    app.clock.forward(16)
    await receive(app, upload, LARGE[2 * PIECE :])
    with pytest.raises(Missing):
        app.stores.blobs.write(before.location, SEGMENT, bytes(SEGMENT), last=False)
    await complete(app, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_an_upload_ends_after_a_day_of_silence_with_what_it_staged(app: House) -> None:
    silent, live, done = await begin(app), await begin(app), await begin(app)
    await receive(app, silent, LARGE)
    await receive(app, done, b"content")
    await complete(app, done, Digest.of(b"content"))
    assert len(staged(app)) == 1
    app.clock.forward(23 * 3600)
    await receive(app, live, b"c")
    app.clock.forward(2 * 3600)
    await begin(app)
    for ended in (silent, done):
        with pytest.raises(UploadNotFound):
            await receive(app, ended, b"more")
    assert (await receive(app, live, b"ontent")).received == 7
    assert staged(app) == []
    assert await app.read(Digest.of(b"content")) == b"content"


async def test_patience_ends(app: House) -> None:
    upload = await begin(app)
    await hold(app, upload, 1000)
    asked = asyncio.ensure_future(receive(app, upload, b"content"))
    await asyncio.sleep(0.05)
    app.clock.forward(21)
    with pytest.raises(UploadBusy):
        await asked


async def hold(house: House, upload: str, seconds: int) -> None:
    """Hold an upload as a process does that then dies."""
    now = house.clock()
    async with house.stores.metadata.writing() as unit:
        repository = await unit.repositories.find(APP)
        assert repository is not None
        assert await unit.uploads.hold(repository.key, upload, now, now + seconds * 1_000_000)


async def test_a_client_that_paused_too_long_finds_another_in_its_place(app: House) -> None:
    upload, line = await begin(app), Line()
    slow = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    line.send(b"a" * (PIECE + 1))
    await line.is_read(PIECE)
    app.clock.forward(16)
    async with opened(app.folder, app.clock) as other:
        await receive(other, upload, LARGE)
        line.send(b"a" * 2 * PIECE)
        line.end()
        with pytest.raises(UploadBusy):
            await slow
        await complete(other, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_a_client_that_paused_and_was_not_replaced_goes_on(app: House) -> None:
    upload, line = await begin(app), Line()
    slow = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    for at in range(0, len(LARGE), PIECE):
        line.send(LARGE[at : at + PIECE])
        await line.is_read(min(at + PIECE, len(LARGE)))
        app.clock.forward(100)
    line.end()
    await slow
    await complete(app, upload, Digest.of(LARGE))
    assert await app.read(Digest.of(LARGE)) == LARGE


async def test_a_client_that_sends_is_not_replaced(app: House) -> None:
    upload, line = await begin(app), Line()
    slow = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    second: asyncio.Future[Upload] | None = None
    for at in range(0, len(LARGE), PIECE // 2):
        line.send(LARGE[at : at + PIECE // 2])
        await line.is_read(min(at + PIECE // 2, len(LARGE)))
        app.clock.forward(8)
        second = second or asyncio.ensure_future(receive(app, upload, b"x", first=len(LARGE)))
    line.end()
    assert (await slow).received == len(LARGE)
    assert second is not None
    assert (await second).received == len(LARGE) + 1


async def test_a_disk_that_stalls_does_not_end_the_hold(tmp_path: Path, clock: Clock) -> None:
    gate = Gate()
    async with opened(tmp_path, clock, blobs=Blobs) as house, opened(tmp_path, clock) as other:
        await house.create()
        upload = await begin(house)
        blobs_of(house).before["write"] = gate
        slow = asyncio.ensure_future(receive(house, upload, LARGE))
        await asyncio.to_thread(gate.reached.wait)
        clock.forward(10)
        await asyncio.sleep(5.2)
        clock.forward(10)
        second = asyncio.ensure_future(receive(other, upload, b"x" * 2 * PIECE, first=0))
        await asyncio.sleep(0.15)
        gate.open()
        assert (await slow).received == len(LARGE)
        with pytest.raises(InvalidLayerPart):
            await second
        await complete(other, upload, Digest.of(LARGE))
        assert await other.read(Digest.of(LARGE)) == LARGE


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_full_disk_breaks_nothing_that_was_acknowledged(tmp_path: Path, clock: Clock, number: int) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        there = await house.push(b"there")
        upload = await begin(house)
        await receive(house, upload, LARGE[:100_000])
        blobs_of(house).before["write"] = fail_from(number, full_disk())
        with pytest.raises(NoSpace):
            await complete(house, upload, Digest.of(LARGE), body=in_pieces(LARGE[100_000:]))
        assert not await house.holds(Digest.of(LARGE))
        assert await house.read(there) == b"there"
        assert (await status(house, upload)).received == 100_000
        blobs_of(house).before.clear()
        await complete(house, upload, Digest.of(LARGE), body=in_pieces(LARGE[100_000:]))
        assert await house.read(Digest.of(LARGE)) == LARGE


async def test_a_store_without_room_begins_no_upload_takes_no_bytes_and_no_manifest(
    tmp_path: Path, clock: Clock
) -> None:
    """Not even those that go to the database alone; what makes room goes on."""
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        await house.push(b"there")
        upload = await begin(house)
        blobs_of(house).before["check"] = fail_from(1, full_disk())
        for push in (begin(house), receive(house, upload, b"few"), house.put(image_of(b"there"), "v1")):
            with pytest.raises(NoSpace):
                await push
        assert (await status(house, upload)).received == 0
        await house.registry.uploads.cancel(house.caller, APP, upload)
        blobs_of(house).before.clear()
        await house.put(image_of(b"there"), "v1")


async def test_a_full_disk_at_the_last_step_breaks_nothing(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE)
        blobs_of(house).before["publish"] = fail_from(1, full_disk())
        with pytest.raises(NoSpace):
            await complete(house, upload, Digest.of(LARGE))
        assert not await house.holds(Digest.of(LARGE))
        blobs_of(house).before.clear()
        await complete(house, upload, Digest.of(LARGE))
        assert await house.read(Digest.of(LARGE)) == LARGE


async def test_a_takeover_that_failed_leaves_the_next_request_a_place_of_its_own(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE[: 2 * PIECE])
        before = (await status(house, upload)).location
        await hold(house, upload, 15)
        clock.forward(16)
        blobs_of(house).before["write"] = fail_from(1, full_disk())
        with pytest.raises(NoSpace):
            await receive(house, upload, LARGE[2 * PIECE :])
        blobs_of(house).before.clear()
        await receive(house, upload, LARGE[2 * PIECE :])
        assert (await status(house, upload)).location != before
        await complete(house, upload, Digest.of(LARGE))
        assert await house.read(Digest.of(LARGE)) == LARGE


async def completed_or_begun_anew(house: House, upload: str, content: bytes, sent: int) -> None:
    """What a client does after a failure: complete again, and push anew when the upload is gone."""
    try:
        await complete(
            house, upload, Digest.of(content), body=in_pieces(content[sent:]) if sent < len(content) else None
        )
    except UploadNotFound:
        await house.push(content)


@pytest.mark.parametrize("sealing", [True, False])
@pytest.mark.parametrize("size", [1000, len(LARGE)])
@pytest.mark.parametrize("with_body", [0, 500, 70_000])
async def test_a_completion_whose_record_failed_can_be_repeated(
    tmp_path: Path, clock: Clock, size: int, with_body: int, *, sealing: bool
) -> None:
    content, sent = LARGE[:size], max(size - with_body, 0)
    async with opened(tmp_path, clock, metadata=Rows, sealing=sealing) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, content[:sent])
        rows_of(house).failure, rows_of(house).durable_only = full_disk(), True
        with pytest.raises(NoSpace):
            await complete(house, upload, Digest.of(content), body=in_pieces(content[sent:]))
        assert not await house.holds(Digest.of(content))
        rows_of(house).failure = None
        await completed_or_begun_anew(house, upload, content, sent)
        assert await house.read(Digest.of(content)) == content


@pytest.mark.parametrize("sealing", [True, False])
async def test_an_upload_that_went_on_after_a_failed_record_tells_no_lie(
    tmp_path: Path, clock: Clock, *, sealing: bool
) -> None:
    async with opened(tmp_path, clock, metadata=Rows, sealing=sealing) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE[: 2 * PIECE])
        rows_of(house).failure, rows_of(house).durable_only = full_disk(), True
        with pytest.raises(NoSpace):
            await complete(house, upload, Digest.of(LARGE[: 2 * PIECE]))
        rows_of(house).failure = None
        try:
            await receive(house, upload, LARGE[2 * PIECE :])
            await complete(house, upload, Digest.of(LARGE))
        except UploadNotFound:
            await house.push(LARGE)
        assert await house.read(Digest.of(LARGE)) == LARGE


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_lost_staged_file_ends_the_upload(app: House, *, elsewhere: bool) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE)
    for path in staged(app):
        path.unlink()
    async with opened(app.folder, app.clock) as other:
        with pytest.raises(UploadNotFound):
            await complete(other if elsewhere else app, upload, Digest.of(LARGE))
    assert not await app.holds(Digest.of(LARGE))


async def test_a_lost_staged_file_takes_no_more_bytes(app: House) -> None:
    upload = await begin(app)
    await receive(app, upload, LARGE[:PIECE])
    for path in staged(app):
        path.unlink()
    with pytest.raises(UploadNotFound):
        await receive(app, upload, LARGE[PIECE:])


@pytest.mark.parametrize("sealing", [True, False])
async def test_staged_bytes_that_changed_are_noticed(tmp_path: Path, clock: Clock, *, sealing: bool) -> None:
    async with opened(tmp_path, clock, sealing=sealing) as house:
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE)
        [path] = staged(house)
        path.write_bytes(b"\0" * path.stat().st_size)
        async with opened(tmp_path, clock, sealing=sealing) as other:
            with pytest.raises(UploadNotFound if sealing else InvalidLayer):
                await complete(other, upload, Digest.of(LARGE))


async def test_a_repository_deleted_meanwhile_ends_the_upload(app: House) -> None:
    upload, line = await begin(app), Line()
    for way in ("receive", "complete"):
        asked = asyncio.ensure_future(
            app.registry.uploads.receive(app.caller, APP, upload, line.body())
            if way == "receive"
            else app.registry.uploads.complete(app.caller, APP, upload, [Digest.of(LARGE)], body=line.body())
        )
        line.send(LARGE)
        await asyncio.sleep(0.05)
        await app.registry.repositories.delete(app.caller, APP, force=True)
        line.end()
        with pytest.raises(RepositoryNotFound):
            await asked
        await app.create()
        upload, line = await begin(app), Line()
    assert not await app.holds(Digest.of(LARGE))


async def test_a_repository_made_anew_meanwhile_does_not_know_the_upload(app: House) -> None:
    upload, line = await begin(app), Line()
    asked = asyncio.ensure_future(complete(app, upload, Digest.of(LARGE), body=line.body()))
    line.send(LARGE)
    await asyncio.sleep(0.05)
    await app.registry.repositories.delete(app.caller, APP, force=True)
    await app.create()
    line.end()
    with pytest.raises(UploadNotFound):
        await asked
    assert not await app.holds(Digest.of(LARGE))


async def test_an_upload_cancelled_meanwhile_waits_for_who_writes(app: House) -> None:
    upload, line = await begin(app), Line()
    writing = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    line.send(LARGE)
    await line.is_read(len(LARGE))
    cancelling = asyncio.ensure_future(app.registry.uploads.cancel(app.caller, APP, upload))
    await asyncio.sleep(0.15)
    assert not cancelling.done()
    line.end()
    await writing
    await cancelling
    assert app.files() == []


@pytest.mark.parametrize("step", ["write", "publish"])
async def test_a_request_that_is_cancelled_waits_for_its_disk_and_lets_go(
    tmp_path: Path, clock: Clock, step: str
) -> None:
    gate = Gate()
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload = await begin(house)
        blobs_of(house).before[step] = gate
        asked = asyncio.ensure_future(complete(house, upload, Digest.of(LARGE), body=in_pieces(LARGE)))
        await asyncio.to_thread(gate.reached.wait)
        for _ in range(2):
            asked.cancel()
            await asyncio.sleep(0.01)
        assert not asked.done()
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await status(house, upload)).received == 0
        assert not await house.holds(Digest.of(LARGE))
        await asyncio.wait_for(complete(house, upload, Digest.of(LARGE), body=in_pieces(LARGE)), 5)
        assert await house.read(Digest.of(LARGE)) == LARGE


async def test_a_request_that_is_cancelled_while_it_waits_for_bytes_lets_go(app: House) -> None:
    upload, line = await begin(app), Line()
    asked = asyncio.ensure_future(app.registry.uploads.receive(app.caller, APP, upload, line.body()))
    line.send(LARGE)
    await line.is_read(len(LARGE))
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (await asyncio.wait_for(receive(app, upload, LARGE, first=0), 5)).received == len(LARGE)


async def test_a_request_that_is_cancelled_while_it_waits_for_the_database_harms_nobody(app: House) -> None:
    await app.rows("SELECT 1")
    blocked = asyncio.Event()

    async def block() -> None:
        async with opened(app.folder, app.clock) as other, other.stores.metadata.writing():
            blocked.set()
            await asyncio.sleep(0.3)

    blocking = asyncio.ensure_future(block())
    await blocked.wait()
    asked = asyncio.ensure_future(begin(app))
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await blocking
    assert await begin(app)


async def test_storage_that_does_not_answer_lets_go(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        upload = await begin(house)
        blobs_of(house).before["write"] = fail_from(1, StorageUnavailable("The blob folder cannot be used."))
        with pytest.raises(StorageUnavailable):
            await receive(house, upload, LARGE)
        blobs_of(house).before.clear()
        assert (await asyncio.wait_for(receive(house, upload, LARGE, first=0), 5)).received == len(LARGE)


async def test_hash_states_are_not_kept_for_ever(app: House) -> None:
    upload = ""
    for _ in range(3):
        upload = await begin(app)
        await receive(app, upload, b"x")
    assert len(app.registry.uploads._counted) == 3
    await complete(app, upload, Digest.of(b"x"))
    assert len(app.registry.uploads._counted) == 2


async def test_a_hash_counted_before_the_database_forgot_a_turn_is_not_trusted(app: House) -> None:
    """Progress is not recorded durably: a database that crashed may give out the same turn a second time."""
    mine, theirs = LARGE, bytes(1000) + LARGE[1000:]
    upload = await begin(app)
    [[turn, received, remainder]] = await app.rows("SELECT turn, received, hex(remainder) FROM uploads")
    await receive(app, upload, mine)
    await app.rows(f"UPDATE uploads SET (turn, received, remainder) = ({turn}, {received}, x'{remainder}')")
    async with opened(app.folder, app.clock) as other:
        await receive(other, upload, theirs)
    with pytest.raises(InvalidLayer):
        await complete(app, upload, Digest.of(mine))
    await complete(app, upload, Digest.of(theirs))
    assert await app.read(Digest.of(theirs)) == theirs


async def test_garbage_that_cannot_be_removed_fails_no_request(tmp_path: Path, clock: Clock) -> None:
    """What was asked for is committed by then."""
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        blobs = house.stores.blobs
        assert isinstance(blobs, Blobs)
        blobs.before["delete"] = fail_from(1, StorageUnavailable("The disk does not answer."))
        await house.create()
        upload = await begin(house)
        await receive(house, upload, LARGE)
        await house.registry.uploads.cancel(house.caller, APP, upload)
        for _ in range(2):
            await house.push(b"the same twice")
        await begin(house)
        clock.forward(25 * 3600)
        await begin(house)
        await house.registry.repositories.delete(house.caller, APP, force=True)
        assert blobs.calls["delete"] == 4
