"""The one verb: children before parents, nothing twice, nothing half."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.copy import Copy, Summary, Wishes
from portside.remote.errors import NotFound, WrongContent
from portside.remote.ports import Document
from portside.remote.progress import Silence, Stop, Stopped
from tests.remote.fakes import OCI_INDEX, MemoryPlace, image, index


def copied(source: MemoryPlace, target: MemoryPlace, root: Document, **wishes: object) -> Summary:
    return Copy(source, target, Wishes(**wishes), Silence(), Stop()).run(root)  # type: ignore[arg-type]


def test_blobs_come_before_manifests_and_manifests_before_indexes_and_tags_last() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    one, two = image(source, b"1", b"2"), image(source, b"2", b"3")
    root = index(source, one, two)
    summary = copied(source, target, root, tags=["a", "b"])
    names = [str(one.descriptor.digest), str(two.descriptor.digest), "a", "b"]
    assert target.events[-4:] == names
    assert set(target.events[:-4]) == {str(digest) for digest in source.blobs}
    assert len(target.events[:-4]) == len(source.blobs)
    assert (summary.pushed, summary.present, summary.manifests) == (5, 0, 3)


def test_a_second_time_sends_nothing() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = index(source, image(source, b"1"), image(source, b"2"))
    copied(source, target, root, tags=["a"])
    target.events.clear()
    summary = copied(source, target, root, tags=["a"])
    assert target.events == []
    assert (summary.present, summary.bytes_sent) == (4, 0)


def test_another_tag_is_only_a_tag() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = image(source, b"1")
    copied(source, target, root, tags=["a"])
    target.events.clear()
    copied(source, target, root, tags=["a", "b"])
    assert target.events == ["a", "b"]


def test_blobs_are_asked_for_together() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    copied(source, target, index(source, image(source, b"1", b"2"), image(source, b"3")))
    assert target.asked == [5]


def test_without_a_tag_the_image_has_its_digest() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = image(source, b"1")
    copied(source, target, root)
    assert target.events[-1] == str(root.descriptor.digest)


def test_nothing_is_named_when_a_blob_fails() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = image(source, b"1", b"2")
    source.blobs[Digest.of(b"2")] = b"other"
    with pytest.raises(WrongContent):
        copied(source, target, root, tags=["a"])
    assert target.manifests == {}


def test_a_dry_run_sends_nothing_and_says_what_it_would() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    summary = copied(source, target, image(source, b"1", b"22"), tags=["a"], dry_run=True)
    assert target.events == []
    assert {outcome for _, outcome in summary.blobs} == {"missing"}
    assert summary.bytes_sent == summary.bytes_total > 3


def test_what_refers_to_any_part_comes_after_it() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    one = image(source, b"1")
    root = index(source, one)
    signature = image(source, b"signature", subject=one.descriptor)
    of_signature = image(source, b"of signature", subject=signature.descriptor)
    source.refers = {
        one.descriptor.digest: [signature.descriptor],
        signature.descriptor.digest: [of_signature.descriptor],
    }
    copied(source, target, root, tags=["a"])
    assert str(signature.descriptor.digest) not in target.manifests
    copied(source, target, root, tags=["a"], referrers=True)
    order = [target.events.index(str(one.descriptor.digest)) for one in (signature, of_signature)]
    assert order == sorted(order)


def test_a_blob_is_mounted_from_where_it_was_seen() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = image(source, b"1")
    where = {Digest.of(b"1"): "other/repository"}
    Copy(source, target, Wishes(), Silence(), Stop(), mounts=where.get).run(root)
    assert target.mounted_from == ["other/repository"]


def test_blobs_that_were_placed_before_are_not_asked_for() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    root = image(source, b"1")
    summary = Copy(source, target, Wishes(), Silence(), Stop(), placed={Digest.of(b"1"): "pushed"}).run(root)
    assert target.asked == [1]
    assert summary.pushed == 2


def test_a_wish_to_stop_ends_it_before_anything_is_named() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        Copy(source, target, Wishes(["a"]), Silence(), stop).run(image(source, b"1"))
    assert target.events == []


def test_an_index_without_one_of_its_images_is_not_copied() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    one = image(source, b"1")
    root = index(source, one)
    del source.manifests[str(one.descriptor.digest)]
    with pytest.raises(NotFound):
        copied(source, target, root, tags=["a"])
    assert target.events == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"layers": 7}', b'{"config": {"mediaType": "x", "digest": "y", "size": 1}}']
)
def test_what_is_no_manifest_is_wrong_content(content: bytes) -> None:
    with pytest.raises(WrongContent):
        copied(MemoryPlace(), MemoryPlace(), Document("application/vnd.oci.image.manifest.v1+json", content))


def test_indexes_within_indexes_end() -> None:
    source = MemoryPlace()
    root = index(source, image(source, b"1"))
    for _ in range(9):
        root = index(source, root)
    with pytest.raises(WrongContent, match="within each other"):
        copied(source, MemoryPlace(), root)


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=5), st.sets(st.integers(0, 5)))
def test_whatever_is_there_already_the_copy_is_whole(images: list[list[int]], there: set[int]) -> None:
    source, target = MemoryPlace(), MemoryPlace()
    for number in there:
        target.add(bytes([number]))
    root = index(source, *(image(source, *(bytes([number]) for number in layers)) for layers in images))
    copied(source, target, root, tags=["a"])
    assert target.manifests["a"] == root
    assert source.blobs.keys() <= target.blobs.keys()
    arrived = {str(one.descriptor.digest) for one in target.manifests.values()}
    assert source.manifests.keys() <= arrived


def test_a_foreign_layer_stays_where_it_is() -> None:
    source, target = MemoryPlace(), MemoryPlace()
    made = json.loads(image(source, b"1").content)
    made["layers"].append(
        {
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "digest": str(Digest.of(b"elsewhere")),
            "size": 9,
            "urls": ["https://elsewhere.example/layer"],
        }
    )
    root = Document(made["mediaType"], json.dumps(made).encode())
    copied(source, target, root, tags=["a"])
    assert Digest.of(b"elsewhere") not in target.blobs
    assert target.manifests["a"] == root


def test_a_descriptor_in_the_summary_is_each_blob_once() -> None:
    source = MemoryPlace()
    root = index(source, image(source, b"1"), image(source, b"1", b"2"))
    summary = copied(source, MemoryPlace(), root)
    digests = [blob.digest for blob, _ in summary.blobs]
    assert len(digests) == len(set(digests)) == 4
    assert isinstance(summary.root, Descriptor)
    assert summary.root.media_type == OCI_INDEX
