"""Bytes of archived images lie at the archive location, and come back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import ImageNotFound, LayerNotFound
from portside.core.image_errors import ImageStorageClassUpdateNotSupported
from portside.core.names import ImageId, RepositoryId, parse_tag
from portside.registry.archiving import restore
from portside.registry.collection import Swept
from portside.registry.moving import Moved, Moving
from portside.registry.verification import Finding, Watch
from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.sealed import sealed_size
from portside.storage.blobs.tiered import TieredBlobs
from portside.storage.metadata.archive import ArchivedImage
from tests.registry.house import APP, HOME, LIMIT, Clock, House, image_of, noise, opened

V1 = ImageId(parse_tag("v1"))
HOUR = 3600
OTHER = HOME.repository("team/other")


@pytest.fixture
async def app(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """A registry with an archive location."""
    async with opened(tmp_path / "main", clock, archive=tmp_path / "archive") as house:
        await house.create()
        yield house


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    (tmp_path / "main").mkdir()


def places(house: House) -> tuple[int, int]:
    """How many files lie in the main place and in the archive."""
    return _blobs(house.folder), _blobs(house.folder.parent / "archive")


def _blobs(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file() and "portside.db" not in path.name)


async def update(house: House, target: str, tag: str = "v1", repository: RepositoryId = APP) -> None:
    await house.registry.storage_classes.update(house.caller, repository, ImageId(parse_tag(tag)), target)


async def run(house: House) -> Moved:
    assert house.moving is not None
    return await house.moving.run()


async def status(house: House) -> str:
    found = await house.registry.images.describe(house.caller, APP, [V1], tag_status="ANY", limit=LIMIT, token=None)
    return found.items[0].status


async def image(house: House, *layers: bytes, tag: str = "v1") -> Digest:
    for layer in (b"{}", *layers):
        await house.push(layer)
    content = image_of(b"{}", *layers)
    await house.put(content, tag)
    return Digest.of(content)


async def last_move(house: House) -> str:
    async with house.stores.metadata.reading() as unit:
        rows = await unit.events.after(-1, 0, 100)
    return json.loads(rows[-1].document)["detail"].get("target-storage-class", "")


async def test_the_layers_of_an_archived_image_move_and_come_back(app: House) -> None:
    layer = noise(2_000_001)
    await image(app, layer)
    assert await run(app) == Moved()
    await update(app, "ARCHIVE")
    assert await run(app) == Moved(archived=2)
    assert places(app) == (0, 2)
    await update(app, "STANDARD")
    assert await status(app) == "ACTIVATING"
    for ask in (app.registry.images.get, app.registry.images.look):
        with pytest.raises(ImageNotFound):
            await ask(app.caller, APP, V1)
    with pytest.raises(LayerNotFound):
        await app.read(Digest.of(layer))
    assert await last_move(app) == "ARCHIVE"
    app.clock.forward(60)
    assert await run(app) == Moved(restored=2, images=1)
    assert places(app) == (2, 0)
    assert await status(app) == "ACTIVE"
    assert await last_move(app) == "STANDARD"
    assert await app.read(Digest.of(layer)) == layer
    assert await run(app) == Moved()


async def test_an_image_on_its_way_back_moves_nowhere_until_it_is_there_and_may_be_deleted(app: House) -> None:
    await image(app)
    await update(app, "ARCHIVE")
    await run(app)
    await update(app, "STANDARD")
    for target in ("ARCHIVE", "STANDARD"):
        with pytest.raises(ImageStorageClassUpdateNotSupported, match="ACTIVATING"):
            await update(app, target)
    assert await status(app) == "ACTIVATING"
    assert await last_move(app) == "ARCHIVE"
    removed, _ = await app.delete(V1)
    assert len(removed) == 1


async def test_a_push_brings_it_back_at_once_and_the_bytes_later(app: House) -> None:
    await image(app, b"layer")
    await update(app, "ARCHIVE")
    await run(app)
    await app.put(image_of(b"{}", b"layer"), "v1")
    assert await status(app) == "ACTIVE"
    assert await app.read(Digest.of(b"layer")) == b"layer"
    assert places(app) == (0, 2)
    app.clock.forward(HOUR)
    assert await run(app) == Moved(restored=2)
    assert places(app) == (2, 0)
    assert await app.read(Digest.of(b"layer")) == b"layer"


async def test_a_layer_pushed_again_while_it_lies_in_the_archive_stays_one(app: House) -> None:
    await image(app, b"layer")
    await update(app, "ARCHIVE")
    await run(app)
    await app.push(b"layer")
    await image(app, b"layer")
    assert places(app) == (0, 2)
    assert await app.read(Digest.of(b"layer")) == b"layer"


async def test_a_layer_that_an_active_image_shares_stays(app: House) -> None:
    await image(app, b"shared")
    await image(app, b"shared", b"own", tag="v2")
    await update(app, "ARCHIVE", "v2")
    assert await run(app) == Moved(archived=1)
    assert await app.read(Digest.of(b"shared")) == b"shared"
    with pytest.raises(LayerNotFound):
        await app.read(Digest.of(b"own"))


async def test_a_layer_that_an_image_of_another_repository_shares_stays(app: House) -> None:
    await app.create(OTHER)
    await app.image("v1")
    await app.image("v1", repository=OTHER)
    await update(app, "ARCHIVE")
    assert await run(app) == Moved()
    await update(app, "ARCHIVE", repository=OTHER)
    app.clock.forward(60)
    assert await run(app) == Moved(archived=1)
    await update(app, "STANDARD", repository=OTHER)
    assert await run(app) == Moved(restored=1, images=1)
    with pytest.raises(LayerNotFound):
        await app.read(Digest.of(b"{}"))
    assert await app.read(Digest.of(b"{}"), OTHER) == b"{}"


async def test_a_layer_that_waits_for_its_manifest_stays(app: House) -> None:
    await app.create(OTHER)
    await app.image("v1")
    await app.push(b"{}", OTHER)
    await update(app, "ARCHIVE")
    assert await run(app) == Moved()


async def test_what_was_archived_long_ago_goes_at_the_next_look_at_everything(app: House) -> None:
    await image(app, b"shared")
    await image(app, b"shared", b"own", tag="v2")
    await update(app, "ARCHIVE")
    assert await run(app) == Moved()
    app.clock.forward(HOUR / 2)
    assert await run(app) == Moved()
    await app.delete(ImageId(parse_tag("v2")))
    assert await run(app) == Moved()
    app.clock.forward(HOUR / 2)
    assert await run(app) == Moved(archived=2)


async def test_it_can_be_verified_and_swept_in_both_places(app: House) -> None:
    await image(app, b"layer")
    await image(app, b"other", tag="v2")
    await update(app, "ARCHIVE")
    await run(app)
    found: list[Finding] = []
    progress = await app.verification.run(Watch(found.append, lambda _: None))
    assert (found, progress.blobs) == ([], 3)
    app.clock.now = 4_000_000_000_000_000  # files are as old as they are
    assert await app.collection.sweep() == Swept()
    await app.delete(V1)
    for _ in range(2):
        app.clock.forward(24 * HOUR + 1)
        await app.collection.sweep()
    assert places(app) == (2, 0)


async def test_damage_in_the_archive_is_found_and_healed(app: House) -> None:
    await image(app, b"layer")
    await update(app, "ARCHIVE")
    await run(app)
    for path in (app.folder.parent / "archive" / "blobs").rglob("*"):
        if path.is_file():
            path.write_bytes(b"x" * path.stat().st_size)
    found: list[Finding] = []
    await app.verification.run(Watch(found.append, lambda _: None))
    assert [finding.state for finding in found] == ["damaged", "damaged"]
    await image(app, b"layer")
    assert await app.read(Digest.of(b"layer")) == b"layer"
    assert await app.rows("SELECT count(*) FROM blobs WHERE archived") == [(0,)]


async def test_what_is_lost_is_left_and_stops_nothing_else(app: House) -> None:
    await image(app, b"lost", b"kept")
    await update(app, "ARCHIVE")
    [(location,)] = await app.rows(f"SELECT location FROM blobs WHERE digest = '{Digest.of(b'lost')}'")
    app.stores.blobs.delete(location)
    assert await run(app) == Moved(archived=2, left=1)
    assert await run(app) == Moved(left=1)
    await update(app, "STANDARD")
    assert await run(app) == Moved(restored=2, images=1)


async def test_lost_in_the_archive_it_stays_on_its_way_until_it_is_pushed(app: House) -> None:
    await image(app, b"lost")
    await update(app, "ARCHIVE")
    await run(app)
    [(location,)] = await app.rows(f"SELECT location FROM blobs WHERE digest = '{Digest.of(b'lost')}'")
    app.stores.blobs.delete(location)
    await update(app, "STANDARD")
    assert await run(app) == Moved(restored=1, left=1)
    assert await status(app) == "ACTIVATING"
    await app.push(b"lost")
    assert await run(app) == Moved(images=1)
    assert await app.read(Digest.of(b"lost")) == b"lost"


class Interrupted(TieredBlobs):
    """Somebody does something after a copy was made."""

    def __init__(self, folder: Path, after_copy: list[str]) -> None:
        super().__init__(FilesystemBlobs(folder / "main"), FilesystemBlobs(folder / "archive"))
        self.copied = after_copy

    def copy(self, location: str, size: int, *, to_archive: bool) -> None:
        super().copy(location, size, to_archive=to_archive)
        if self.copied:
            raise Dies(self.copied.pop())

    def drop(self, location: str, size: int, *, from_archive: bool) -> bool:
        del location, size, from_archive
        raise Dies("before the other copy was dropped")


class Dies(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("copied", [["after a copy"], []], ids=["before it was recorded", "after it was recorded"])
@pytest.mark.parametrize("target", ["ARCHIVE", "STANDARD"])
async def test_a_move_that_was_cut_short_is_finished_by_the_next_process(
    app: House, copied: list[str], target: str
) -> None:
    layer = noise(300_000)
    await image(app, layer)
    await update(app, "ARCHIVE")
    if target == "STANDARD":
        await run(app)
        await update(app, "STANDARD")
    moving = Moving(app.stores, Interrupted(app.folder.parent, copied), sealed_size)
    with pytest.raises(Dies):
        await moving.run()
    assert sum(places(app)) == 3
    [(location, size)] = await app.rows(f"SELECT location, size FROM blobs WHERE digest = '{Digest.of(layer)}'")
    assert app.stores.blobs.read(location, 0, size, size) == layer
    app.clock.forward(HOUR)
    await run(app)
    assert places(app) == ((0, 2) if target == "ARCHIVE" else (2, 0))
    assert app.stores.blobs.read(location, 0, size, size) == layer
    assert await status(app) == ("ARCHIVED" if target == "ARCHIVE" else "ACTIVE")


async def test_an_image_that_comes_back_while_its_layer_is_copied_keeps_it(app: House) -> None:
    digest = await image(app)
    await update(app, "ARCHIVE")

    assert app.moving is not None
    # The rows change after the job has seen which blobs are to go, and before it records the first.
    async with app.stores.metadata.reading() as unit:
        [archived] = await unit.archive.images(ArchivedImage(0, 0, ""), 10)
        [blob] = await unit.archive.going(archived, 10)
    async with app.stores.metadata.writing() as unit:
        held = await unit.repositories.lock(APP)
        assert held is not None
        found = await unit.manifests.find(held.key, digest)
        assert found is not None
        await restore(unit, held, found, app.clock())
    assert await app.moving._move(blob, to_archive=True) == Moved()
    assert places(app) == (1, 0)
    assert await app.read(Digest.of(b"{}")) == b"{}"
