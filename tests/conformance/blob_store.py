"""What every BlobStore does (storage/blobs/port.py). An adapter's test gives `store`."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portside.storage.blobs.port import SEGMENT, BlobStore, Found, InventoriedBlobs
from portside.storage.errors import Missing, NoSpace

# A store's content is told apart by its location, so examples may share one; every adapter runs the same method.
shared_store = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)

EDGES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT - 1, 3 * SEGMENT + 1]
SLACK = 1_000_000
"""Microseconds by which a store's clock may differ from ours."""
sizes = st.one_of(st.sampled_from(EDGES), st.integers(0, 4 * SEGMENT))
FOREIGN = [
    "",
    "key",
    "key/",
    "key/short",
    "/" + "0" * 32,
    "../" + "0" * 32,
    "key/../" + "0" * 32,
    "key/../../../../etc/passwd",
    "/etc/" + "0" * 32,
    "key/" + "0" * 32 + "/..",
    "key/" + "0" * 32 + "\n",
    "key/" + "0" * 31 + "\0",
    "key/" + "A" * 32,
    "Key/" + "0" * 32,
    "k\u00e9y/" + "0" * 32,
    "k" * 65 + "/" + "0" * 32,
]
foreign = pytest.mark.parametrize("location", FOREIGN)


def somewhere() -> str:
    """A location that nothing stands at."""
    return f"key/{os.urandom(16).hex()}"


def content(size: int) -> bytes:
    """Bytes that are cheap to make and hard to compress."""
    return os.urandom(size)


def stage(store: BlobStore, location: str, data: bytes, cuts: Sequence[int] = ()) -> None:
    """Write all of `data`, in pieces that end at these segments."""
    ends = [cut * SEGMENT for cut in sorted({*cuts} - {0}) if cut * SEGMENT < len(data)]
    starts = [0, *ends]
    for start, end in zip(starts, [*ends, len(data)], strict=True):
        store.write(location, start, data[start:end], last=end == len(data))


def put(store: BlobStore, data: bytes) -> str:
    """Publish a blob somewhere."""
    location = somewhere()
    stage(store, location, data)
    store.publish(location, len(data))
    return location


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond `room` bytes: the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Writing:
    """Staging and publishing."""

    @shared_store
    @given(size=sizes, cuts=st.lists(st.integers(0, 4)), published=st.booleans())
    def test_what_was_written_is_read(
        self, store: BlobStore, size: int, cuts: Sequence[int], *, published: bool
    ) -> None:
        data, location = content(size), somewhere()
        stage(store, location, data, cuts)
        if published:
            store.publish(location, size)
        assert store.read(location, 0, size, size) == data

    @shared_store
    @given(first=sizes, again=st.integers(0, 3), size=sizes.filter(bool))
    def test_writing_again_replaces_all_that_followed(
        self, store: BlobStore, first: int, again: int, size: int
    ) -> None:
        # The segment that a last write ended with is never the one before more.
        kept = min(again, max(first - 1, 0) // SEGMENT) * SEGMENT
        before, after, location = content(first), content(size), somewhere()
        stage(store, location, before)
        store.write(location, kept, after, last=True)
        assert store.read(location, 0, kept + size, kept + size) == before[:kept] + after
        store.publish(location, kept + size)
        assert store.read(location, 0, kept + size, kept + size) == before[:kept] + after

    def test_writing_nothing_from_the_start_on_leaves_nothing(self, store: BlobStore) -> None:
        stage(store, location := somewhere(), content(SEGMENT + 5))
        store.write(location, 0, b"", last=True)
        store.publish(location, 0)
        assert store.read(location, 0, 0, 0) == b""

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_kind_of_bytes_is_taken(self, store: BlobStore, kind: type) -> None:
        data, location = content(SEGMENT + 5), somewhere()
        store.write(location, 0, kind(data), last=True)
        assert store.read(location, 0, len(data), len(data)) == data

    def test_publishing_twice_is_publishing_once(self, store: BlobStore) -> None:
        data = content(SEGMENT + 5)
        location = put(store, data)
        store.publish(location, len(data))
        assert store.read(location, 0, len(data), len(data)) == data

    @pytest.mark.parametrize("size", [1, SEGMENT, SEGMENT + 1])
    def test_too_little_is_never_published(self, store: BlobStore, size: int) -> None:
        location = somewhere()
        stage(store, location, content(size - 1))
        with pytest.raises(Missing):
            store.publish(location, size)
        assert not store.holds(location, size)

    def test_what_is_not_there_is_not_near(self, store: BlobStore) -> None:
        assert not store.is_near(somewhere(), 0, SEGMENT)

    @pytest.mark.parametrize("size", [1, SEGMENT, 3 * SEGMENT + 1])
    def test_asking_whether_content_is_near_is_never_an_error(self, store: BlobStore, size: int) -> None:
        location = somewhere()
        stage(store, location, content(size))
        store.publish(location, size)
        for offset in range(0, size, SEGMENT):
            assert store.is_near(location, offset, size - offset) in {True, False}

    def test_nothing_staged_is_never_published(self, store: BlobStore) -> None:
        with pytest.raises(Missing):
            store.publish(somewhere(), 0)

    def test_publishing_again_under_another_size_is_missing(self, store: BlobStore) -> None:
        location = put(store, content(10))
        with pytest.raises(Missing):
            store.publish(location, 11)

    @pytest.mark.parametrize("staged", [None, 0, SEGMENT])
    def test_a_write_never_begins_with_a_hole(self, store: BlobStore, staged: int | None) -> None:
        location = somewhere()
        if staged is not None:
            store.write(location, 0, content(staged), last=False)
        with pytest.raises(Missing):
            store.write(location, 2 * SEGMENT, content(10), last=True)

    def test_published_content_takes_no_more(self, store: BlobStore) -> None:
        data = content(SEGMENT + 5)
        location = put(store, data)
        with pytest.raises(Missing):
            store.write(location, SEGMENT, content(5), last=True)
        assert store.read(location, 0, len(data), len(data)) == data

    def test_an_empty_blob_is_a_blob(self, store: BlobStore) -> None:
        location = put(store, b"")
        assert store.holds(location, 0)
        assert store.read(location, 0, 0, 0) == b""


class Reading:
    """Ranges, and content that is not there."""

    @shared_store
    @given(data=st.data(), size=sizes)
    def test_any_range_is_read(self, store: BlobStore, data: st.DataObject, size: int) -> None:
        location = put(store, whole := content(size))
        offset = data.draw(st.integers(0, size // SEGMENT)) * SEGMENT
        length = data.draw(st.integers(0, size - offset))
        assert store.read(location, offset, length, size) == whole[offset : offset + length]

    def test_whole_segments_are_read_before_the_last_write(self, store: BlobStore) -> None:
        data, location = content(3 * SEGMENT), somewhere()
        store.write(location, 0, data, last=False)
        assert store.read(location, 0, len(data), None) == data
        assert store.read(location, SEGMENT, SEGMENT, None) == data[SEGMENT : 2 * SEGMENT]

    @pytest.mark.parametrize("size", [0, 10, SEGMENT, SEGMENT + 10])
    def test_more_than_there_is_is_missing(self, store: BlobStore, size: int) -> None:
        location = put(store, content(size))
        with pytest.raises(Missing):
            store.read(location, 0, size + 1, size)

    @pytest.mark.parametrize("recorded", [0, 9, 11, SEGMENT, SEGMENT + 10])
    def test_another_size_than_recorded_is_missing(self, store: BlobStore, recorded: int) -> None:
        location = put(store, content(10))
        with pytest.raises(Missing):
            store.read(location, 0, min(recorded, 10), recorded)

    def test_more_segments_than_were_staged_is_missing(self, store: BlobStore) -> None:
        location = somewhere()
        store.write(location, 0, content(SEGMENT), last=False)
        with pytest.raises(Missing):
            store.read(location, 0, 2 * SEGMENT, None)

    @pytest.mark.parametrize("size", [None, 0, 10])
    def test_what_is_not_there_is_missing(self, store: BlobStore, size: int | None) -> None:
        with pytest.raises(Missing):
            store.read(somewhere(), 0, size or 0, size)


class Holding:
    """Knowing what is published, and removing it."""

    def test_only_published_content_is_held(self, store: BlobStore) -> None:
        location = somewhere()
        assert not store.holds(location, 10)
        stage(store, location, content(10))
        assert not store.holds(location, 10)
        store.publish(location, 10)
        assert store.holds(location, 10)

    def test_content_is_held_under_its_size_alone(self, store: BlobStore) -> None:
        location = put(store, content(10))
        assert not store.holds(location, 9)
        assert not store.holds(location, 11)

    def test_deleted_content_is_gone(self, store: BlobStore) -> None:
        location = put(store, content(10))
        store.delete(location)
        assert not store.holds(location, 10)
        with pytest.raises(Missing):
            store.read(location, 0, 10, 10)

    def test_deleted_staging_is_gone(self, store: BlobStore) -> None:
        location = somewhere()
        stage(store, location, content(10))
        store.delete(location)
        with pytest.raises(Missing):
            store.publish(location, 10)

    def test_deleting_twice_is_deleting_once(self, store: BlobStore) -> None:
        location = put(store, content(10))
        store.delete(location)
        store.delete(location)
        store.delete(somewhere())

    def test_deleting_leaves_the_others(self, store: BlobStore) -> None:
        kept, gone = put(store, content(10)), put(store, content(10))
        store.delete(gone)
        assert store.holds(kept, 10)


class Refusing:
    """Locations that are not ours: a mistake of the caller, never a path."""

    @foreign
    def test_a_foreign_location_is_never_written(self, store: BlobStore, location: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            store.write(location, 0, b"x", last=True)

    @foreign
    def test_a_foreign_location_is_never_published(self, store: BlobStore, location: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            store.publish(location, 1)

    @foreign
    def test_a_foreign_location_is_never_read(self, store: BlobStore, location: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            store.read(location, 0, 1, None)

    @foreign
    def test_a_foreign_location_is_never_deleted(self, store: BlobStore, location: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            store.delete(location)


class Filling:
    """A store that takes no more."""

    def test_a_store_with_room_passes_its_check(self, store: BlobStore) -> None:
        store.check()

    def test_no_room_is_said_in_the_ports_words(self, store: BlobStore) -> None:
        with full_disk(SEGMENT), pytest.raises(NoSpace):
            store.write(somewhere(), 0, content(3 * SEGMENT), last=True)

    def test_a_write_that_found_no_room_is_simply_made_again(self, store: BlobStore) -> None:
        data, location = content(3 * SEGMENT), somewhere()
        with full_disk(SEGMENT + 10), contextlib.suppress(NoSpace):
            store.write(location, 0, data, last=True)
        store.write(location, 0, data[:SEGMENT], last=False)
        store.write(location, SEGMENT, data[SEGMENT:], last=True)
        store.publish(location, len(data))
        assert store.read(location, 0, len(data), len(data)) == data

    def test_a_full_store_still_reads(self, store: BlobStore) -> None:
        data = content(2 * SEGMENT)
        location = put(store, data)
        with full_disk(0):
            assert store.read(location, 0, len(data), len(data)) == data


def walk(store: InventoriedBlobs, limit: int = 1000) -> list[Found]:
    """Everything that lies in a store, a page at a time."""
    found: list[Found] = []
    while True:
        page = store.locations(found[-1].location if found else "", limit)
        found += page
        if len(page) < limit:
            return found


class Listing:
    """Knowing what lies there, and moving it out of the way."""

    def test_nothing_lies_in_an_empty_store(self, store: InventoriedBlobs) -> None:
        assert walk(store) == []

    @pytest.mark.parametrize("limit", [1, 2, 7, 1000])
    def test_whatever_is_staged_or_published_is_listed_once_in_order(self, store: InventoriedBlobs, limit: int) -> None:
        locations = [f"{key}/{os.urandom(16).hex()}" for key in ("a", "a0", "b") for _ in range(6)]
        for number, location in enumerate(locations):
            stage(store, location, content(number))
            if number % 2:
                store.publish(location, number)
        assert [one.location for one in walk(store, limit)] == sorted(locations)

    def test_a_location_that_is_both_staged_and_published_is_listed_once(self, store: InventoriedBlobs) -> None:
        stage(store, location := put(store, content(10)), content(10))
        assert [one.location for one in walk(store)] == [location]

    def test_the_size_is_what_it_takes_and_the_time_when_it_was_written(self, store: InventoriedBlobs) -> None:
        before = time.time_ns() // 1000 - SLACK
        put(store, content(SEGMENT + 5))
        [found] = walk(store)
        assert found.size >= SEGMENT + 5
        assert before <= found.modified_at <= time.time_ns() // 1000 + SLACK

    def test_what_is_written_on_is_young_again(self, store: InventoriedBlobs) -> None:
        store.write(location := somewhere(), 0, content(SEGMENT), last=False)
        [first] = walk(store)
        store.write(location, SEGMENT, content(5), last=True)
        [second] = walk(store)
        assert second.modified_at >= first.modified_at
        assert second.size > first.size

    def test_deleted_content_is_not_listed(self, store: InventoriedBlobs) -> None:
        store.delete(put(store, content(10)))
        assert walk(store) == []

    def test_content_set_aside_is_neither_read_nor_held_nor_listed(self, store: InventoriedBlobs) -> None:
        kept, aside = put(store, content(10)), put(store, content(10))
        store.set_aside(aside)
        assert [one.location for one in walk(store)] == [kept]
        assert not store.holds(aside, 10)
        with pytest.raises(Missing):
            store.read(aside, 0, 10, 10)
        store.delete(aside)

    def test_setting_nothing_aside_is_no_error(self, store: InventoriedBlobs) -> None:
        store.set_aside(somewhere())

    @foreign
    def test_a_foreign_location_is_never_set_aside(self, store: InventoriedBlobs, location: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            store.set_aside(location)


class BlobStoreConformance(Writing, Reading, Holding, Refusing, Filling, Listing):
    """Everything that an adapter has to do."""
