"""The sweep: what goes and what stays, at which moment, and what a crash or another sweep does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from portside.core.digest import Digest
from portside.core.errors import LayersNotFound, UploadNotFound
from portside.core.names import ImageId
from portside.registry.collection import Swept
from portside.storage.errors import StorageUnavailable
from portside.storage.metadata.layers import BlobRow, Layers
from portside.storage.metadata.statements import prepare
from tests.registry.fakes import Aged, Rows
from tests.registry.house import APP, HOME, Clock, House, image_of, in_pieces, noise, opened

OTHER = HOME.repository("team/other")
HOUR = 3600.0
DAY = 24 * HOUR
LAYER = noise(100_000)
OVERHEAD = 2 * 28
NOTHING = Swept()


@pytest.fixture
def written() -> dict[str, int]:
    return {}


@pytest.fixture
async def houses(tmp_path: Path, clock: Clock, written: dict[str, int]) -> AsyncIterator[list[House]]:
    """Two processes at one registry with the repository APP, their files as old as the clock says."""
    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(
                opened(tmp_path, clock, blobs=lambda store: Aged(store, clock, written), metadata=Rows)
            )
            for _ in range(2)
        ]
        await both[0].create()
        yield both


@pytest.fixture
def app(houses: list[House]) -> House:
    return houses[0]


def rows_of(house: House) -> Rows:
    assert isinstance(house.stores.metadata, Rows)
    return house.stores.metadata


def blobs_of(house: House) -> Aged:
    assert isinstance(house.stores.blobs, Aged)
    return house.stores.blobs


async def orphan(house: House) -> str:
    """What a crash between publishing and recording leaves: a published file that no row names."""
    [(key,)] = await house.rows("SELECT DISTINCT content_key FROM repositories")
    location = f"{key}/{noise(16, len(house.files())).hex()}"
    house.stores.blobs.write(location, 0, LAYER, last=True)
    house.stores.blobs.publish(location, len(LAYER))
    return location


async def rows_of_layers(app: House, count: int) -> None:
    """As many layers as no push has the time for; where their bytes are said to be is nothing."""
    async with app.stores.metadata.writing() as unit:
        held = await unit.repositories.find(APP)
        assert held is not None
        for number in range(count):
            digest = Digest.of(str(number).encode())
            location = f"{held.content_key}/{digest.hex[:32]}"
            await unit.layers.add_blob(held.content_key, digest, location, 1, app.clock())
            await unit.layers.link(held.key, held.content_key, digest, app.clock())


# --- layers and blobs -----------------------------------------------------------------------------------------------


async def test_a_layer_that_no_image_refers_to_goes_and_then_its_bytes(app: House) -> None:
    digest = await app.push(LAYER)
    app.clock.forward(DAY)
    assert await app.collection.sweep() == NOTHING
    app.clock.forward(1)
    assert await app.collection.sweep() == Swept(layers=1)
    assert not await app.holds(digest)
    assert len(app.files()) == 1
    app.clock.forward(DAY)
    assert await app.collection.sweep() == NOTHING
    app.clock.forward(1)
    assert await app.collection.sweep() == Swept(blobs=1, bytes=len(LAYER))
    assert app.files() == []
    assert await app.rows("SELECT * FROM blobs") == []


async def test_what_an_image_refers_to_stays_for_ever(app: House) -> None:
    await app.image("v1", config=LAYER)
    app.clock.forward(1000 * DAY)
    assert await app.collection.sweep() == NOTHING
    assert await app.read(Digest.of(LAYER)) == LAYER


async def test_a_deleted_image_is_kept_for_the_grace_time(app: House) -> None:
    await app.image("v1", config=LAYER)
    app.clock.forward(10 * DAY)
    await app.delete(ImageId(tag="v1"))
    app.clock.forward(DAY)
    assert await app.collection.sweep() == NOTHING
    await app.put(image_of(LAYER), "v1")
    app.clock.forward(10 * DAY)
    assert await app.collection.sweep() == NOTHING
    assert await app.read(Digest.of(LAYER)) == LAYER


async def test_bytes_stay_while_another_repository_holds_them(app: House) -> None:
    await app.create(OTHER)
    await app.push(LAYER)
    await app.image("v1", config=LAYER, repository=OTHER)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == Swept(layers=1)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == NOTHING
    assert await app.read(Digest.of(LAYER), OTHER) == LAYER


async def test_the_bytes_of_a_deleted_repository_go(app: House) -> None:
    await app.image("v1", config=LAYER)
    await app.registry.repositories.delete(app.caller, APP, force=True)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == Swept(blobs=1, bytes=len(LAYER))
    assert app.files() == []


async def test_a_blob_that_nobody_holds_comes_back_with_a_push(app: House) -> None:
    await app.push(LAYER)
    app.clock.forward(DAY + 1)
    await app.collection.sweep()
    app.clock.forward(DAY)
    digest = await app.push(LAYER)
    app.clock.forward(2)
    assert await app.collection.sweep() == NOTHING
    assert await app.read(digest) == LAYER
    assert len(app.files()) == 1


async def test_more_than_a_batch_goes_in_one_sweep(app: House) -> None:
    await rows_of_layers(app, 205)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == Swept(layers=205)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == Swept(blobs=205, bytes=205)


# --- whoever was told that it need not push ------------------------------------------------------------------------


async def test_whoever_was_told_that_a_layer_is_there_gets_its_manifest_in(app: House) -> None:
    digest = await app.push(LAYER)
    for _ in range(10):
        app.clock.forward(DAY - 1)
        assert await app.holds(digest)
        assert await app.collection.sweep() == NOTHING
    app.clock.forward(DAY * 7 / 8)
    assert await app.collection.sweep() == NOTHING
    await app.put(image_of(LAYER), "v1")


async def test_completing_again_renews_a_layer_too(app: House) -> None:
    digest = Digest.of(LAYER)
    upload = await app.registry.uploads.begin(app.caller, APP)
    complete = app.registry.uploads.complete
    await complete(app.caller, APP, upload.id, [digest], body=in_pieces(LAYER))
    app.clock.forward(DAY - 1)
    assert (await complete(app.caller, APP, upload.id, [digest])).existed
    app.clock.forward(HOUR)
    assert (await app.collection.sweep()).layers == 0
    await app.put(image_of(LAYER), "v1")


async def test_a_layer_is_renewed_seldom(app: House) -> None:
    digest = await app.push(LAYER)
    [(before,)] = await app.rows("SELECT touched_at FROM layers")
    app.clock.forward(DAY / 8)
    assert await app.holds(digest)
    assert await app.rows("SELECT touched_at FROM layers") == [(before,)]
    app.clock.forward(1)
    assert await app.holds(digest)
    assert await app.rows("SELECT touched_at FROM layers") == [(app.clock.now,)]


async def test_a_manifest_that_comes_after_the_sweep_is_told_what_is_missing(app: House) -> None:
    await app.push(LAYER)
    app.clock.forward(DAY + 1)
    await app.collection.sweep()
    with pytest.raises(LayersNotFound):
        await app.put(image_of(LAYER), "v1")
    await app.push(LAYER)
    await app.put(image_of(LAYER), "v1")


@pytest.mark.parametrize("use", ["availability", "manifest", "push"])
async def test_a_layer_that_is_used_while_a_sweep_is_at_it_stays(houses: list[House], use: str) -> None:
    """The sweep has found it; the other process uses it before the unit that would remove it begins."""
    app, other = houses
    digest = await app.push(LAYER)
    app.clock.forward(DAY + 1)
    rows = rows_of(app)
    # The first durable unit of a sweep ends uploads, the second lets go of layers.
    rows.pausing = True
    sweeping = asyncio.ensure_future(app.collection.sweep())
    await rows.reached.wait()
    rows.reached.clear()
    rows.go_on.set()
    rows.go_on = asyncio.Event()
    await rows.reached.wait()
    if use == "availability":
        assert await other.holds(digest)
    elif use == "manifest":
        await other.put(image_of(LAYER), "v1")
    else:
        await other.push(LAYER)
    rows.pausing = False
    rows.go_on.set()
    assert await sweeping == NOTHING
    assert await other.read(digest) == LAYER


class Vanishing:
    """The rows of layers, before whose first look at a blob a sweep of another node removes it."""

    def __init__(self, inner: Layers) -> None:
        self._inner = inner
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def blob(self, content_key: str, digest: Digest) -> BlobRow | None:
        self.looks += 1
        if self.looks == 1:
            await self._inner._session.run(prepare(text("DELETE FROM blobs WHERE holders = 0")))
        return await self._inner.blob(content_key, digest)


async def test_a_push_that_finds_a_blob_which_a_sweep_then_removes_names_its_own_bytes(app: House) -> None:
    """On PostgreSQL the two statements of a push see what was committed in between."""
    await app.push(LAYER)
    app.clock.forward(DAY + 1)
    await app.collection.sweep()
    rows = rows_of(app)
    rows.pausing = True
    pushing = asyncio.ensure_future(app.push(LAYER))
    await rows.reached.wait()
    unit = rows._inner._writing
    unit.layers = vanishing = Vanishing(unit.layers)
    rows.go_on.set()
    digest = await pushing
    assert vanishing.looks == 1
    assert await app.read(digest) == LAYER


# --- uploads --------------------------------------------------------------------------------------------------------


async def test_an_upload_ends_after_a_day_of_silence(app: House) -> None:
    upload = await app.registry.uploads.begin(app.caller, APP)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(LAYER))
    app.clock.forward(DAY - 1)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(LAYER))
    app.clock.forward(DAY)
    assert await app.collection.sweep() == NOTHING
    app.clock.forward(1)
    assert await app.collection.sweep() == Swept(uploads=1, bytes=2 * len(LAYER))
    assert app.files() == []
    with pytest.raises(UploadNotFound):
        await app.registry.uploads.status(app.caller, APP, upload.id)


async def test_an_upload_that_a_request_holds_does_not_end(app: House) -> None:
    upload = await app.registry.uploads.begin(app.caller, APP)
    app.clock.forward(2 * DAY)
    swept: list[Swept] = []

    async def body() -> AsyncIterator[bytes]:
        swept.append(await app.collection.sweep())
        yield LAYER

    received = await app.registry.uploads.receive(app.caller, APP, upload.id, body())
    assert (swept, received.received) == ([NOTHING], len(LAYER))


async def test_a_completed_upload_ends_and_its_blob_stays(app: House) -> None:
    await app.image("v1", config=LAYER)
    app.clock.forward(DAY + 1)
    assert await app.collection.sweep() == NOTHING
    assert await app.rows("SELECT * FROM uploads") == []
    assert await app.read(Digest.of(LAYER)) == LAYER


# --- files that no row names ----------------------------------------------------------------------------------------


async def test_what_a_crash_left_goes_when_it_is_old(app: House) -> None:
    await orphan(app)
    app.clock.forward(DAY)
    assert await app.collection.sweep() == NOTHING
    app.clock.forward(1)
    assert await app.collection.sweep() == Swept(files=1, bytes=len(LAYER) + OVERHEAD)
    assert app.files() == []


async def test_files_that_uploads_are_at_stay(app: House) -> None:
    upload = await app.registry.uploads.begin(app.caller, APP)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(LAYER))
    app.clock.forward(DAY - 1)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(b"more"))
    app.clock.forward(2)
    assert await app.collection.sweep() == NOTHING
    done = await app.registry.uploads.complete(app.caller, APP, upload.id, [Digest.of(LAYER + b"more")])
    assert done.size == len(LAYER) + 4


async def test_files_of_a_database_that_is_not_ours_stay(app: House, written: dict[str, int]) -> None:
    """Somebody names the folder of one registry and the database of another."""
    location = f"stranger/{noise(16).hex()}"
    path = app.folder / "blobs" / "stranger" / location.partition("/")[2][:2] / location.partition("/")[2]
    path.parent.mkdir(parents=True)
    path.write_bytes(LAYER)
    written[location] = 0
    app.clock.forward(100 * DAY)
    assert await app.collection.sweep() == NOTHING
    assert path.read_bytes() == LAYER


async def test_a_file_that_cannot_be_removed_stops_nothing_and_goes_next_time(app: House) -> None:
    for _ in range(3):
        await orphan(app)
    app.clock.forward(DAY + 1)
    failing = [StorageUnavailable("The blob folder cannot be used: Operation not permitted.")]

    def fail_once() -> None:
        if failing:
            raise failing.pop()

    blobs_of(app).before["delete"] = fail_once
    swept = await app.collection.sweep()
    assert (swept.files, swept.left, len(app.files())) == (2, 1, 1)
    assert (await app.collection.sweep()).files == 1
    assert app.files() == []


# --- looking first --------------------------------------------------------------------------------------------------


async def test_a_survey_says_what_a_sweep_does_and_does_nothing(app: House) -> None:
    await app.image("v1", config=b"kept")
    await app.push(noise(10, 1))
    app.clock.forward(DAY + 1)
    await app.collection.sweep()
    await app.push(LAYER)
    upload = await app.registry.uploads.begin(app.caller, APP)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(LAYER))
    await orphan(app)
    app.clock.forward(DAY + 1)
    before = app.files()
    survey = await app.collection.survey()
    assert (survey.uploads, survey.layers, survey.blobs, survey.files) == (1, 1, 1, 1)
    assert app.files() == before
    assert await app.collection.sweep() == survey
    assert await app.collection.survey() == NOTHING


# --- crashes, and two at once ---------------------------------------------------------------------------------------


class Crash(BaseException):
    """The end of a process, as far as its code can tell."""


class Steps:
    """Ends the process at the step of one number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


async def garbage(app: House) -> None:
    """Something of every kind that goes in one sweep, beside what stays."""
    await app.image("v1", config=b"kept")
    await app.push(noise(1000, 1))
    app.clock.forward(DAY + 1)
    await app.collection.sweep()
    await app.push(LAYER)
    upload = await app.registry.uploads.begin(app.caller, APP)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(LAYER))
    await orphan(app)
    app.clock.forward(DAY + 1)


async def assert_nothing_lies(app: House) -> None:
    """Every row names bytes that are there, and the image is whole."""
    for location, size in await app.rows("SELECT location, size FROM blobs"):
        assert app.stores.blobs.holds(location, size)
    assert await app.read(Digest.of(b"kept")) == b"kept"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_sweep_cut_at_any_step_leaves_garbage_and_never_a_lie(houses: list[House], when: str) -> None:
    app, other = houses
    rows, blobs = rows_of(app), blobs_of(app)
    finished = False
    for number in range(1, 30):
        await garbage(other)
        step = Steps(number)
        if when == "before":
            rows.before_unit = step
            blobs.before = dict.fromkeys(("delete", "locations"), step)
        else:
            rows.before_commit = step
            blobs.after = dict.fromkeys(("delete", "locations"), step)
        try:
            await app.collection.sweep()
            finished = True
        except Crash:
            await assert_nothing_lies(other)
        rows.before_unit = rows.before_commit = None
        blobs.before, blobs.after = {}, {}
        # The next sweeps finish: layers, then their bytes.
        for _ in range(3):
            await other.collection.sweep()
            other.clock.forward(DAY + 1)
        await assert_nothing_lies(other)
        assert len(other.files()) == 1
        assert await other.rows("SELECT * FROM uploads") == []
        if finished:
            break
    assert finished
    assert number > 5


async def test_two_sweeps_at_once_remove_everything_once(houses: list[House]) -> None:
    app, other = houses
    await rows_of_layers(app, 250)
    app.clock.forward(DAY + 1)
    one, two = await asyncio.gather(app.collection.sweep(), other.collection.sweep())
    assert (one + two).layers == 250
    app.clock.forward(DAY + 1)
    one, two = await asyncio.gather(app.collection.sweep(), other.collection.sweep())
    assert (one + two).blobs == 250
    assert (one + two).left == 0
    assert await app.rows("SELECT * FROM blobs") == []
