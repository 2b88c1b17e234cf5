from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import SEGMENT
from portside.storage.errors import Missing, NoSpace, StorageUnavailable
from tests.conformance.blob_store import BlobStoreConformance, content, put, somewhere, stage


@pytest.fixture
def store(tmp_path: Path) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path)


class TestFilesystem(BlobStoreConformance):
    pass


def volume(free: int, total: int) -> os.statvfs_result:
    """What is told of a volume with this many free mebibytes."""
    return os.statvfs_result((1 << 20, 1 << 20, total, free, free, 0, 0, 0, 0, 255))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_published_content_is_one_file_and_nothing_stays_staged(store: FilesystemBlobs, tmp_path: Path) -> None:
    key, _, name = put(store, b"some bytes").partition("/")
    assert files(tmp_path) == [tmp_path / "blobs" / key / name[:2] / name]


def test_staged_content_is_not_among_the_blobs(store: FilesystemBlobs, tmp_path: Path) -> None:
    stage(store, location := somewhere(), content(10))
    assert files(tmp_path) == [tmp_path / "uploads" / location]


def test_deleting_leaves_no_file(store: FilesystemBlobs, tmp_path: Path) -> None:
    location = put(store, content(10))
    stage(store, location, content(10))
    store.delete(location)
    assert files(tmp_path) == []


def test_no_other_user_reads_the_files(store: FilesystemBlobs, tmp_path: Path) -> None:
    put(store, content(10))
    stage(store, somewhere(), content(10))
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(tmp_path)} == {0o600}


def test_no_other_user_lists_the_folders(store: FilesystemBlobs, tmp_path: Path) -> None:
    put(store, content(10))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}


def test_bytes_beyond_the_recorded_size_are_cut_off_when_published(store: FilesystemBlobs) -> None:
    stage(store, location := somewhere(), b"content and garbage")
    store.publish(location, len(b"content"))
    assert store.read(location, 0, 7, 7) == b"content"


def test_a_file_where_the_folder_should_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"")
    store = FilesystemBlobs(tmp_path / "root")
    for attempt in (store.check, lambda: store.write(somewhere(), 0, b"x", last=True), lambda: put(store, b"x")):
        with pytest.raises(StorageUnavailable):
            attempt()


def test_the_reason_is_one_line_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"")
    with pytest.raises(StorageUnavailable) as caught:
        FilesystemBlobs(tmp_path / "root").write(somewhere(), 0, b"x", last=True)
    assert caught.value.message == "The blob folder cannot be used: Not a directory."


def test_publishing_again_waits_for_the_folder_too(
    store: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever published first may have died between the rename and the disk."""
    location = put(store, b"content")
    synced: list[str] = []
    sync = os.fsync

    def note(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        sync(file)

    monkeypatch.setattr(os, "fsync", note)
    again = FilesystemBlobs(tmp_path)
    again.publish(location, 7)
    assert location.partition("/")[2][:2] in synced


def test_content_set_aside_stays_for_people_to_look_at(store: FilesystemBlobs, tmp_path: Path) -> None:
    store.set_aside(location := put(store, b"some bytes"))
    assert files(tmp_path) == [tmp_path / "damaged" / location]
    assert (tmp_path / "damaged" / location).read_bytes() == b"some bytes"


def test_files_that_are_not_ours_are_not_listed(store: FilesystemBlobs, tmp_path: Path) -> None:
    location = put(store, content(10))
    shard = next((tmp_path / "blobs" / "key").iterdir())
    for path in (
        tmp_path / "blobs" / "notes",
        tmp_path / "blobs" / "key" / "lost+found",
        shard / ".nfs0001",
        shard / (somewhere().partition("/")[2][:30] + "zz"),
        tmp_path / "blobs" / "key" / ("00" if shard.name != "00" else "01") / location.partition("/")[2],
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert [found.location for found in store.locations("", 100)] == [location]


def test_content_may_be_placed_from_another_name(store: FilesystemBlobs, tmp_path: Path) -> None:
    location = put(store, b"content")
    stage(store, staged := somewhere(), b"CONTENT and garbage")
    store.place(staged, location, 7)
    assert store.read(location, 0, 7, 7) == b"CONTENT"
    assert len(files(tmp_path)) == 1
    with pytest.raises(Missing):
        store.place(staged, location, 7)
    stage(store, staged, b"short")
    with pytest.raises(Missing):
        store.place(staged, location, 7)
    assert store.read(location, 0, 7, 7) == b"CONTENT"


@pytest.mark.parametrize(("reserve", "total"), [(16, 1000), (16, 256), (3, 48)])
def test_the_last_mebibytes_of_a_volume_are_for_what_makes_room(
    store: FilesystemBlobs, monkeypatch: pytest.MonkeyPatch, reserve: int, total: int
) -> None:
    location = put(store, data := content(10))
    monkeypatch.setattr(os, "statvfs", lambda _: volume(reserve, total))
    store.check()
    with pytest.raises(NoSpace):
        store.write(somewhere(), 0, b"x", last=True)
    monkeypatch.setattr(os, "statvfs", lambda _: volume(reserve - 1, total))
    with pytest.raises(NoSpace):
        store.check()
    assert store.read(location, 0, 10, 10) == data
    store.delete(location)
    monkeypatch.setattr(os, "statvfs", lambda _: volume(reserve + 1, total))
    store.write(somewhere(), 0, b"x", last=True)


def test_who_wrote_at_the_same_moment_as_others_gives_the_room_back(
    store: FilesystemBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(store, location := somewhere(), data := content(SEGMENT))
    told = iter([volume(20, 1000), volume(15, 1000)])
    monkeypatch.setattr(os, "statvfs", lambda _: next(told))
    with pytest.raises(NoSpace):
        store.write(location, SEGMENT, content(SEGMENT), last=True)
    assert (tmp_path / "uploads" / location).read_bytes() == data


def test_a_volume_that_tells_no_size_is_written_to(store: FilesystemBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: volume(0, 0))
    store.check()
    put(store, b"content")
