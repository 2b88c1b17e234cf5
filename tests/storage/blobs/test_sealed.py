from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import SEGMENT
from portside.storage.blobs.sealed import SealedBlobs, sealed_size
from portside.storage.errors import Damaged, Missing
from portside.storage.keys.identifiers import new_identifier
from tests.conformance.blob_store import BlobStoreConformance, content, put, shared_store, somewhere, stage

OVERHEAD = 28
SEALED = SEGMENT + OVERHEAD


def key_of(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode()).digest()


@pytest.fixture
def store(tmp_path: Path) -> SealedBlobs:
    return SealedBlobs(FilesystemBlobs(tmp_path), key_of)


class TestSealed(BlobStoreConformance):
    pass


def file(folder: Path, location: str) -> Path:
    """Where a location's content lies on the disk."""
    name = location.partition("/")[2]
    return next(path for path in folder.rglob(name) if path.is_file())


def assert_damaged(store: SealedBlobs, location: str, size: int, kind: type[Damaged] = Damaged) -> None:
    with pytest.raises(Damaged) as caught:
        store.read(location, 0, size, size)
    assert caught.type is kind


# --- what is on the disk --------------------------------------------------------------------------------------------


def test_the_disk_does_not_hold_the_plain_bytes(store: SealedBlobs, tmp_path: Path) -> None:
    location = put(store, b"a well-known sentence. " * 10_000)
    stage(store, staged := somewhere(), b"a well-known sentence. " * 10_000)
    for place in (location, staged):
        assert b"well-known" not in file(tmp_path, place).read_bytes()


@pytest.mark.parametrize("size", [0, 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_the_sealed_size_is_the_size_on_the_disk(store: SealedBlobs, tmp_path: Path, size: int) -> None:
    location = put(store, content(size))
    assert (
        file(tmp_path, location).stat().st_size
        == sealed_size(location, size)
        == size + OVERHEAD * max(-(-size // SEGMENT), 1)
    )


def test_equal_content_is_never_equal_on_the_disk(store: SealedBlobs, tmp_path: Path) -> None:
    data = bytes(2 * SEGMENT)
    first, second = (file(tmp_path, put(store, data)).read_bytes() for _ in range(2))
    segments = {sealed[start : start + SEALED] for sealed in (first, second) for start in (0, SEALED)}
    assert len(segments) == 4


def test_a_segment_written_again_has_another_nonce(store: SealedBlobs, tmp_path: Path) -> None:
    location, nonces = somewhere(), set[bytes]()
    for _ in range(20):
        stage(store, location, bytes(2 * SEGMENT))
        sealed = file(tmp_path, location).read_bytes()
        nonces |= {sealed[:12], sealed[SEALED : SEALED + 12]}
    assert len(nonces) == 40


# --- damage ---------------------------------------------------------------------------------------------------------


@shared_store
@given(size=st.sampled_from([0, 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 7]), data=st.data())
def test_a_flipped_bit_anywhere_is_damage(store: SealedBlobs, tmp_path: Path, size: int, data: st.DataObject) -> None:
    location = put(store, content(size))
    path = file(tmp_path, location)
    sealed = bytearray(path.read_bytes())
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(sealed)
    assert_damaged(store, location, size)


@pytest.mark.parametrize("position", range(OVERHEAD + 1))
def test_every_byte_of_a_small_blob_is_authenticated(store: SealedBlobs, tmp_path: Path, position: int) -> None:
    location = put(store, b"x")
    path = file(tmp_path, location)
    sealed = bytearray(path.read_bytes())
    sealed[position] ^= 0xFF
    path.write_bytes(sealed)
    assert_damaged(store, location, 1)


@shared_store
@given(size=st.sampled_from([0, 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 7]), data=st.data())
def test_a_blob_cut_short_is_missing(store: SealedBlobs, tmp_path: Path, size: int, data: st.DataObject) -> None:
    location = put(store, content(size))
    os.truncate(file(tmp_path, location), data.draw(st.integers(0, sealed_size(location, size) - 1)))
    assert_damaged(store, location, size, Missing)


@pytest.mark.parametrize("more", [b"x", bytes(OVERHEAD), bytes(SEALED)])
def test_a_blob_made_longer_is_not_what_was_recorded(store: SealedBlobs, tmp_path: Path, more: bytes) -> None:
    location = put(store, content(SEGMENT))
    with file(tmp_path, location).open("ab") as sealed:
        sealed.write(more)
    assert_damaged(store, location, SEGMENT, Missing)


def test_a_dropped_last_segment_is_damage_even_under_the_smaller_size(store: SealedBlobs, tmp_path: Path) -> None:
    location = put(store, content(3 * SEGMENT))
    os.truncate(file(tmp_path, location), 2 * SEALED)
    assert_damaged(store, location, 3 * SEGMENT, Missing)
    assert_damaged(store, location, 2 * SEGMENT)


def test_the_last_segment_is_never_one_in_the_middle(store: SealedBlobs, tmp_path: Path) -> None:
    location = put(store, content(SEGMENT))
    path = file(tmp_path, location)
    path.write_bytes(path.read_bytes() * 2)
    assert_damaged(store, location, 2 * SEGMENT)
    with pytest.raises(Damaged):
        store.read(location, 0, SEGMENT, None)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2), (2, 3)])
def test_swapped_segments_are_damage(store: SealedBlobs, tmp_path: Path, first: int, second: int) -> None:
    location = put(store, content(4 * SEGMENT))
    path = file(tmp_path, location)
    sealed = path.read_bytes()
    pieces = [sealed[start : start + SEALED] for start in range(0, len(sealed), SEALED)]
    pieces[first], pieces[second] = pieces[second], pieces[first]
    path.write_bytes(b"".join(pieces))
    assert_damaged(store, location, 4 * SEGMENT)


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_a_segment_of_another_blob_is_damage(store: SealedBlobs, tmp_path: Path, segment: int) -> None:
    data = content(3 * SEGMENT)
    location, other = put(store, data), put(store, data)
    start, stop = segment * SEALED, (segment + 1) * SEALED
    mine, theirs = file(tmp_path, location), file(tmp_path, other).read_bytes()
    sealed = mine.read_bytes()
    mine.write_bytes(sealed[:start] + theirs[start:stop] + sealed[stop:])
    assert_damaged(store, location, 3 * SEGMENT)


def test_damage_stays_within_its_segment(store: SealedBlobs, tmp_path: Path) -> None:
    data = content(3 * SEGMENT)
    location = put(store, data)
    path = file(tmp_path, location)
    sealed = bytearray(path.read_bytes())
    sealed[SEALED + 100] ^= 1
    path.write_bytes(sealed)
    assert store.read(location, 0, SEGMENT, len(data)) == data[:SEGMENT]
    assert store.read(location, 2 * SEGMENT, SEGMENT, len(data)) == data[2 * SEGMENT :]


def test_a_blob_renamed_is_damage(store: SealedBlobs, tmp_path: Path) -> None:
    location, other = put(store, content(10)), put(store, content(10))
    file(tmp_path, other).write_bytes(file(tmp_path, location).read_bytes())
    assert_damaged(store, other, 10)


@pytest.mark.parametrize("size", [0, 1, SEGMENT + 1])
def test_another_key_opens_nothing(store: SealedBlobs, tmp_path: Path, size: int) -> None:
    location = put(store, content(size))
    other = SealedBlobs(FilesystemBlobs(tmp_path), lambda identifier: key_of(f"not {identifier}"))
    assert_damaged(other, location, size)


# --- sealing twice --------------------------------------------------------------------------------------------------


def keys_of(identifier: str) -> bytes:
    return key_of(f"{identifier} inner") + key_of(f"{identifier} outer")


@pytest.fixture
def twice(tmp_path: Path) -> SealedBlobs:
    return SealedBlobs(FilesystemBlobs(tmp_path), keys_of)


def in_a_double_scope() -> str:
    return f"{new_identifier(twice=True)}/{os.urandom(16).hex()}"


def put_twice(store: SealedBlobs, data: bytes) -> str:
    """Publish, written in two goes where there is enough."""
    location, half = in_a_double_scope(), len(data) // SEGMENT // 2 * SEGMENT
    if half:
        store.write(location, 0, data[:half], last=False)
    store.write(location, half, data[half:], last=True)
    store.publish(location, len(data))
    return location


@shared_store
@given(size=st.sampled_from([0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 4 * SEGMENT + 7]), data=st.data())
def test_what_is_sealed_twice_is_read_by_range(twice: SealedBlobs, size: int, data: st.DataObject) -> None:
    whole = content(size)
    location = put_twice(twice, whole)
    assert twice.holds(location, size)
    assert not twice.holds(location, size + 1)
    start = data.draw(st.integers(0, size // SEGMENT)) * SEGMENT
    length = data.draw(st.integers(0, size - start))
    assert twice.read(location, start, length, size) == whole[start : start + length]


@pytest.mark.parametrize("size", [0, 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_what_is_sealed_twice_is_larger_by_two_seals(twice: SealedBlobs, tmp_path: Path, size: int) -> None:
    location = put_twice(twice, content(size))
    on_disk = file(tmp_path, location).stat().st_size
    assert on_disk == sealed_size(location, size) == size + 2 * OVERHEAD * max(-(-size // SEGMENT), 1)


@pytest.mark.parametrize("known", ["inner", "outer"])
def test_neither_half_of_the_key_opens_what_is_sealed_twice(twice: SealedBlobs, tmp_path: Path, known: str) -> None:
    sentence = b"a well-known sentence. " * 1000
    location = put_twice(twice, sentence)
    files = FilesystemBlobs(tmp_path)
    for stranger in (
        SealedBlobs(files, lambda identifier: key_of(f"{identifier} {known}")),
        SealedBlobs(files, lambda identifier: key_of(f"{identifier} {known}") * 2),
        SealedBlobs(files, lambda identifier: keys_of(identifier)[32:] + keys_of(identifier)[:32]),
    ):
        assert_damaged(stranger, location, len(sentence))
    assert b"well-known" not in file(tmp_path, location).read_bytes()


@shared_store
@given(at=st.integers(0, 2 * SEGMENT + 10 + 3 * 2 * OVERHEAD - 1))
def test_a_changed_byte_of_what_is_sealed_twice_is_damage(twice: SealedBlobs, tmp_path: Path, at: int) -> None:
    location = put_twice(twice, content(2 * SEGMENT + 10))
    path = file(tmp_path, location)
    sealed = bytearray(path.read_bytes())
    sealed[at] ^= 1
    path.write_bytes(sealed)
    assert_damaged(twice, location, 2 * SEGMENT + 10)


# --- using it wrongly -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "size", "last"), [(1, SEGMENT, False), (1, 1, True), (0, SEGMENT - 1, False)])
def test_a_write_between_segments_is_a_mistake(store: SealedBlobs, offset: int, size: int, *, last: bool) -> None:
    with pytest.raises(ValueError, match="whole segments"):
        store.write(somewhere(), offset, content(size), last=last)


def test_a_read_between_segments_is_a_mistake(store: SealedBlobs) -> None:
    with pytest.raises(ValueError, match="begin on a segment"):
        store.read(put(store, content(10)), 1, 1, 10)
