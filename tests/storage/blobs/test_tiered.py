from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import SEGMENT
from portside.storage.blobs.sealed import SealedBlobs, sealed_size
from portside.storage.blobs.tiered import TieredBlobs
from portside.storage.errors import Missing, NoSpace
from tests.conformance.blob_store import BlobStoreConformance, content, full_disk, put, somewhere, stage, walk
from tests.storage.blobs.test_sealed import key_of

SIZES = [0, 1, SEGMENT, 16 * SEGMENT, 16 * SEGMENT + 1, 40 * SEGMENT + 7]


@pytest.fixture
def store(tmp_path: Path) -> TieredBlobs:
    return TieredBlobs(FilesystemBlobs(tmp_path / "main"), FilesystemBlobs(tmp_path / "archive"))


class TestTiered(BlobStoreConformance):
    pass


class TestSealedOverTiers(BlobStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> SealedBlobs:
        tiers = TieredBlobs(FilesystemBlobs(tmp_path / "main"), FilesystemBlobs(tmp_path / "archive"))
        return SealedBlobs(tiers, key_of)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def move(store: TieredBlobs, location: str, size: int, *, to_archive: bool) -> None:
    store.copy(location, size, to_archive=to_archive)
    assert store.drop(location, size, from_archive=not to_archive)


@pytest.mark.parametrize("size", SIZES)
def test_content_goes_to_the_archive_and_comes_back(store: TieredBlobs, tmp_path: Path, size: int) -> None:
    location = put(store, data := content(size))
    for to_archive, full, empty in ((True, "archive", "main"), (False, "main", "archive")):
        move(store, location, size, to_archive=to_archive)
        assert store.read(location, 0, size, size) == data
        assert store.holds(location, size)
        assert (len(files(tmp_path / full)), files(tmp_path / empty)) == (1, [])
        assert store.lies(location, size, in_archive=to_archive)
        assert not store.lies(location, size, in_archive=not to_archive)


def test_moved_content_stays_sealed(tmp_path: Path) -> None:
    tiers = TieredBlobs(FilesystemBlobs(tmp_path / "main"), FilesystemBlobs(tmp_path / "archive"))
    store = SealedBlobs(tiers, key_of)
    location = put(store, data := content(3 * SEGMENT + 1))
    move(tiers, location, sealed_size(location, len(data)), to_archive=True)
    assert store.read(location, 0, len(data), len(data)) == data
    [file] = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    assert data[:100] not in file.read_bytes()


def test_while_there_are_two_copies_it_is_listed_once(store: TieredBlobs) -> None:
    locations = sorted(put(store, content(10)) for _ in range(7))
    for location in locations[::2]:
        store.copy(location, 10, to_archive=True)
    for limit in (1, 2, 3, 100):
        assert [found.location for found in walk(store, limit)] == locations
    assert [found.size for found in walk(store)] == [20, 10, 20, 10, 20, 10, 20]
    assert [found.location for found in store.archived("", 100)] == locations[::2]


def test_the_last_copy_is_never_dropped(store: TieredBlobs) -> None:
    location = put(store, content(10))
    assert not store.drop(location, 10, from_archive=False)
    move(store, location, 10, to_archive=True)
    assert not store.drop(location, 10, from_archive=True)
    assert store.holds(location, 10)


@pytest.mark.parametrize("to_archive", [True, False])
def test_copying_again_and_dropping_again_changes_nothing(store: TieredBlobs, *, to_archive: bool) -> None:
    location = put(store, data := content(SEGMENT + 5))
    if not to_archive:
        move(store, location, len(data), to_archive=True)
    for _ in range(2):
        store.copy(location, len(data), to_archive=to_archive)
    for _ in range(2):
        assert store.drop(location, len(data), from_archive=not to_archive)
    assert store.read(location, 0, len(data), len(data)) == data


def test_what_is_not_there_is_not_copied(store: TieredBlobs, tmp_path: Path) -> None:
    location = put(store, content(10))
    for size, to_archive in ((10, False), (9, True), (11, True)):
        with pytest.raises(Missing):
            store.copy(location, size, to_archive=to_archive)
    with pytest.raises(Missing):
        store.copy(somewhere(), 0, to_archive=True)
    assert files(tmp_path / "archive") == []


def test_a_full_archive_leaves_no_half_of_a_copy(store: TieredBlobs, tmp_path: Path) -> None:
    location = put(store, data := content(3 * SEGMENT))
    with full_disk(SEGMENT), pytest.raises(NoSpace):
        store.copy(location, len(data), to_archive=True)
    assert files(tmp_path / "archive") == []
    assert store.read(location, 0, len(data), len(data)) == data


def test_deleting_and_setting_aside_reach_both_places(store: TieredBlobs, tmp_path: Path) -> None:
    for away in (store.delete, store.set_aside):
        location = put(store, content(10))
        store.copy(location, 10, to_archive=True)
        away(location)
        assert not store.holds(location, 10)
    assert {path.split("/")[1] for path in files(tmp_path)} == {"damaged"}


class Dies(BaseException):
    """The process is gone."""


class Mortal(FilesystemBlobs):
    """Dies before or after one of its calls."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.left = 0

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        self._step(lambda: super(Mortal, self).write(location, offset, data, last=last))

    def place(self, staged: str, location: str, size: int) -> None:
        self._step(lambda: super(Mortal, self).place(staged, location, size))

    def delete(self, location: str) -> None:
        self._step(lambda: super(Mortal, self).delete(location))

    def _step(self, work: Callable[[], None]) -> None:
        self._reach()
        work()
        self._reach()

    def _reach(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Dies


@pytest.mark.parametrize("to_archive", [True, False])
@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("step", range(1, 9))
def test_a_death_leaves_the_content_readable(tmp_path: Path, step: int, victim: int, *, to_archive: bool) -> None:
    places = Mortal(tmp_path / "main"), Mortal(tmp_path / "archive")
    store = TieredBlobs(*places)
    location = put(store, data := content(17 * SEGMENT))
    if not to_archive:
        move(store, location, len(data), to_archive=True)
    places[victim].left = step
    with contextlib.suppress(Dies):
        move(store, location, len(data), to_archive=to_archive)
    again = TieredBlobs(FilesystemBlobs(tmp_path / "main"), FilesystemBlobs(tmp_path / "archive"))
    assert again.read(location, 0, len(data), len(data)) == data
    if again.lies(location, len(data), in_archive=not to_archive):
        again.copy(location, len(data), to_archive=to_archive)
    again.drop(location, len(data), from_archive=not to_archive)
    assert again.read(location, 0, len(data), len(data)) == data
    assert again.lies(location, len(data), in_archive=to_archive)


def test_content_that_comes_back_between_two_looks_is_read(tmp_path: Path) -> None:
    archive = FilesystemBlobs(tmp_path / "archive")

    class Returning(FilesystemBlobs):
        looks = 0

        def read(self, location: str, offset: int, length: int, size: int | None) -> bytes:
            self.looks += 1
            if self.looks == 1:
                put_back(location)
                raise Missing("not yet")
            return super().read(location, offset, length, size)

    store = TieredBlobs(Returning(tmp_path / "main"), archive)

    def put_back(location: str) -> None:
        stage(store, location, b"content")
        store.publish(location, 7)
        archive.delete(location)

    assert store.read(somewhere(), 0, 7, 7) == b"content"
