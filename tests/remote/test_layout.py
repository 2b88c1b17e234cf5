from __future__ import annotations

import json
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.archive import write
from portside.remote.copy import Copy, Wishes
from portside.remote.errors import NotFound, RemoteError, Unusable, WrongContent
from portside.remote.files import Folder, TarFile
from portside.remote.layout import LayoutSource, LayoutTarget
from portside.remote.ports import Document, Source
from portside.remote.progress import Silence, Stop
from tests.remote.fakes import MemoryPlace, image, index


def pulled(source: Source, root: Document, folder: Path, *tags: str) -> LayoutSource:
    target = LayoutTarget(folder, Silence(), Stop())
    Copy(source, target, Wishes(tags), Silence(), Stop()).run(root)
    return LayoutSource(Folder(folder), tags[0] if tags else "")


@pytest.fixture
def place() -> MemoryPlace:
    return MemoryPlace()


def test_what_is_written_is_read_again(place: MemoryPlace, tmp_path: Path) -> None:
    root = index(place, image(place, b"1"), image(place, b"2"))
    source = pulled(place, root, tmp_path / "layout", "1")
    assert source.root() == root
    back = MemoryPlace()
    Copy(source, back, Wishes(["x"]), Silence(), Stop()).run()
    assert back.blobs.keys() == place.blobs.keys()


def test_a_file_is_a_layout_too(place: MemoryPlace, tmp_path: Path) -> None:
    root = index(place, image(place, b"1", b"2"), image(place, b"2"))
    write(place, root, tmp_path / "image.tar", "v1", progress=Silence(), stop=Stop())
    assert [file.name for file in tmp_path.iterdir()] == ["image.tar"]
    source = LayoutSource(TarFile(tmp_path / "image.tar"), "v1")
    assert source.root() == root
    assert b"".join(source.blob(Descriptor("", Digest.of(b"2"), 1))) == b"2"


def test_several_images_share_a_folder(place: MemoryPlace, tmp_path: Path) -> None:
    one, two = image(place, b"1"), image(place, b"2")
    pulled(place, one, tmp_path, "a", "b")
    pulled(place, two, tmp_path, "c")
    pulled(place, two, tmp_path, "a")
    files = Folder(tmp_path)
    assert [LayoutSource(files, tag).root() for tag in "abc"] == [two, one, two]
    assert LayoutSource(files, str(one.descriptor.digest)).root() == one
    with pytest.raises(Unusable, match="a, b, c"):
        LayoutSource(files).root()
    with pytest.raises(NotFound, match="no image 'd'"):
        LayoutSource(files, "d").root()


def test_an_image_without_a_tag_is_the_only_one(place: MemoryPlace, tmp_path: Path) -> None:
    root = image(place, b"1")
    assert pulled(place, root, tmp_path).root() == root
    assert pulled(place, root, tmp_path).root() == root


def test_wrong_bytes_are_not_kept(place: MemoryPlace, tmp_path: Path) -> None:
    root = image(place, b"1")
    place.blobs[Digest.of(b"1")] = b"2"
    with pytest.raises(WrongContent):
        pulled(place, root, tmp_path, "1")
    with pytest.raises(WrongContent):
        write(place, root, tmp_path / "x.tar", "1", progress=Silence(), stop=Stop())
    assert not (tmp_path / "index.json").exists()
    assert not (tmp_path / "blobs/sha256" / Digest.of(b"1").hex).exists()
    assert not (tmp_path / "x.tar").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(Unusable, match="empty folder"):
        LayoutTarget(tmp_path, Silence(), Stop())
    with pytest.raises(Unusable, match="is a file"):
        LayoutTarget(tmp_path / "mine", Silence(), Stop())


BROKEN = {
    "no index": lambda folder: (folder / "index.json").unlink(),
    "no mark": lambda folder: (folder / "oci-layout").unlink(),
    "an index that is no JSON": lambda folder: (folder / "index.json").write_text("{"),
    "an index of another shape": lambda folder: (folder / "index.json").write_text('{"manifests": [7]}'),
    "an index without a list": lambda folder: (folder / "index.json").write_text("[]"),
    "a digest that is a path": lambda folder: (folder / "index.json").write_text(
        json.dumps({"manifests": [{"mediaType": "x", "digest": "sha256:../../x", "size": 1}]})
    ),
    "an index without end": lambda folder: (folder / "index.json").write_bytes(b"[" * 5_000_000),
    "an index that is a link": lambda folder: (
        (folder / "index.json").rename(folder / "elsewhere"),
        (folder / "index.json").symlink_to(folder / "elsewhere"),
    ),
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN)
def test_a_broken_layout_is_refused(breaking: object, place: MemoryPlace, tmp_path: Path) -> None:
    pulled(place, image(place, b"1"), tmp_path, "1")
    breaking(tmp_path)  # type: ignore[operator]
    with pytest.raises(RemoteError) as refused:
        LayoutSource(Folder(tmp_path), "1").root()
    assert isinstance(refused.value, (NotFound, WrongContent))


def test_a_manifest_of_other_bytes_is_refused(place: MemoryPlace, tmp_path: Path) -> None:
    root = image(place, b"1")
    pulled(place, root, tmp_path, "1")
    (tmp_path / "blobs/sha256" / root.descriptor.digest.hex).write_bytes(root.content + b" ")
    with pytest.raises(WrongContent, match="other bytes"):
        LayoutSource(Folder(tmp_path), "1").root()


def test_a_blob_that_is_missing_or_of_another_size_is_said_so(place: MemoryPlace, tmp_path: Path) -> None:
    source = pulled(place, image(place, b"1"), tmp_path, "1")
    with pytest.raises(WrongContent, match="its manifest says 2"):
        source.blob(Descriptor("", Digest.of(b"1"), 2))
    with pytest.raises(NotFound, match="lacks the blob"):
        source.blob(Descriptor("", Digest.of(b"9"), 1))


def test_what_refers_to_an_image_is_found(place: MemoryPlace, tmp_path: Path) -> None:
    root = image(place, b"1")
    signature = image(place, b"s", subject=root.descriptor)
    place.refers = {root.descriptor.digest: [signature.descriptor]}
    target = LayoutTarget(tmp_path, Silence(), Stop())
    Copy(place, target, Wishes(["1"], referrers=True), Silence(), Stop()).run(root)
    found = LayoutSource(Folder(tmp_path), "1").referrers(root.descriptor.digest)
    assert [one.digest for one in found] == [signature.descriptor.digest]
