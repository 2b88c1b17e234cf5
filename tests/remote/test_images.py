"""Archives that are what they say, and archives that are not: from a file and from a stream."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.remote.compression import ZSTD
from portside.remote.conversion import converted
from portside.remote.errors import NotFound, RemoteError, Unusable, WrongContent
from portside.remote.files import TarFile
from portside.remote.images import Images, config_of
from portside.remote.ports import Document, Source
from portside.remote.progress import Stop
from portside.remote.recompression import recompressed
from tests.remote.fakes import (
    MemoryLayers,
    MemorySink,
    archive,
    described,
    image,
    index,
    ingest,
    member,
    saved,
    tar_layer,
)
from tests.remote.fakes import MemoryPlace as Place

ONE, TWO = tar_layer(b"one" * 1000), tar_layer(b"two" * 900_000)
Read = Callable[[bytes], Source]


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture(params=["file", "stream", "gzip"])
def read(request: pytest.FixtureRequest, sink: MemorySink, tmp_path: Path) -> Read:
    images = Images(ingest(sink), Stop(), form="oci", jobs=2)

    def of(content: bytes, wanted: str = "") -> Source:
        if request.param == "file":
            (tmp_path / "image.tar").write_bytes(content)
            return images.archived(TarFile(tmp_path / "image.tar"), wanted)
        given = content if request.param == "stream" else gzip.compress(content)
        return images.streamed(io.BytesIO(given), wanted, "the archive")[0]

    return of


def test_an_image_s_layers_are_stored_and_its_manifest_names_them(read: Read, sink: MemorySink) -> None:
    source = read(archive(*saved(ONE, TWO)))
    document = json.loads(source.root().content)
    stored = [sink.stored[Digest.parse(layer["digest"])] for layer in document["layers"]]
    assert [gzip.decompress(one) for one in stored] == [ONE, TWO]
    assert [layer["size"] for layer in document["layers"]] == [len(one) for one in stored]


def test_a_layer_that_is_there_twice_is_one(read: Read, sink: MemorySink) -> None:
    members = saved(ONE, TWO, ONE)
    members[2] = member(members[2][0].name, type=tarfile.SYMTYPE, linkname=f"../{members[0][0].name}")
    document = json.loads(read(archive(*members)).root().content)
    assert document["layers"][0] == document["layers"][2]
    assert len(sink.stored) == 2


def test_one_of_several_images_is_chosen_by_name(tmp_path: Path, sink: MemorySink) -> None:
    both = [*saved(ONE, names=["a:1"])[:-1], *saved(TWO, names=["b:2"])[1:-1]]
    listed = [json.loads(saved(ONE, names=["a:1"])[-1][1])[0], json.loads(saved(TWO, names=["b:2"])[-1][1])[0]]
    (tmp_path / "two.tar").write_bytes(archive(*both, member("manifest.json", json.dumps(listed).encode())))
    images = Images(ingest(sink), Stop(), form="oci", jobs=2)
    files = TarFile(tmp_path / "two.tar")
    assert images.archived(files, "a:1").root() == images.archived(files, "1").root()
    assert images.archived(files, "docker.io/library/a:1").root() == images.archived(files, "a:1").root()
    with pytest.raises(Unusable, match="2 images"):
        images.archived(files, "")
    with pytest.raises(NotFound, match="a:1, b:2"):
        images.archived(files, "c:3")


def layout(place: Place, root: bytes, media_type: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    entry = {"mediaType": media_type, "digest": str(Digest.of(root)), "size": len(root)}
    blobs = {**place.blobs, **{one.descriptor.digest: one.content for one in place.manifests.values()}}
    return [
        *(member(f"blobs/sha256/{digest.hex}", content) for digest, content in blobs.items()),
        member("index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()),
        member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
    ]


def test_a_layout_s_compressed_layers_stay_as_they_are(read: Read) -> None:
    place = Place()
    made = image(place, gzip.compress(ONE), gzip.compress(TWO))
    assert read(archive(*layout(place, made.content, made.media_type))).root().content == made.content


def test_an_index_of_compressed_layers_stays_as_it_is(read: Read) -> None:
    place = Place()
    made = index(place, image(place, gzip.compress(ONE)), image(place, gzip.compress(TWO)))
    assert read(archive(*layout(place, made.content, made.media_type))).root().content == made.content


LONG = "d/" * 3000 + "layer.tar"
BROKEN: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "a name that leads out": [*saved(ONE), member("../../etc/passwd", b"x")],
    "a name from the root": [*saved(ONE), member("/etc/passwd", b"x")],
    "a link that leads out": [*saved(ONE), member("x/layer.tar", type=tarfile.SYMTYPE, linkname="../../../etc/passwd")],
    "a link to the root": [*saved(ONE), member("x", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "a hard link that leads out": [*saved(ONE), member("x", type=tarfile.LNKTYPE, linkname="../etc/passwd")],
    "a name without end": [*saved(ONE), member(LONG, b"x")],
    "another layer than the configuration names": [*saved(ONE)[:1], *saved(TWO)[1:]],
    "a layer that is not there": saved(ONE)[1:],
    "no configuration": [saved(ONE)[0], saved(ONE)[2]],
    "no manifest": saved(ONE)[:2],
    "a manifest that is no JSON": [*saved(ONE)[:2], member("manifest.json", b"[{]")],
    "a manifest of another shape": [*saved(ONE)[:2], member("manifest.json", b'[{"Config": 7}]')],
    "a manifest that is an object": [*saved(ONE)[:2], member("manifest.json", b"{}")],
    "a layer's name that leads out": saved(ONE, Layers=["../../etc/passwd"]),
    "a configuration whose name leads out": saved(ONE, Config="../../etc/passwd"),
    "a thousand layers and more": saved(ONE, Layers=["x"] * 1001),
    "a configuration without layers": [saved(ONE)[0], member(saved(ONE)[1][0].name, b"{}"), saved(ONE)[2]],
}


@pytest.mark.parametrize("members", BROKEN.values(), ids=BROKEN)
def test_it_is_no_image_with(members: list[tuple[tarfile.TarInfo, bytes]], read: Read) -> None:
    with pytest.raises((WrongContent, NotFound)) as refused:
        read(archive(*members))
    assert refused.value.message


def test_links_in_a_circle_end(read: Read) -> None:
    one = member("a/layer.tar", type=tarfile.SYMTYPE, linkname="../b/layer.tar")
    two = member("b/layer.tar", type=tarfile.SYMTYPE, linkname="../a/layer.tar")
    with pytest.raises(WrongContent, match="circle"):
        read(archive(one, two, *saved(ONE, Layers=["a/layer.tar"])[1:]))


@pytest.mark.parametrize("kept", [0, 100, 600, 5_000, 2_000_000, -11_000], ids=str)
def test_an_archive_that_ends_too_early_is_no_image(kept: int, read: Read) -> None:
    with pytest.raises(RemoteError) as refused:
        read(archive(*saved(TWO))[:kept])
    assert isinstance(refused.value, (WrongContent, NotFound))


def test_a_sparse_member_is_refused(read: Read) -> None:
    """Its header claims a gigabyte, and the archive has 512 bytes of it."""
    header = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "x",
        "GNU.sparse.realsize": str(2**30),
    }
    sparse = member("x", b"1\n0\n512\n" + bytes(1016), pax_headers=header)
    with pytest.raises(WrongContent, match="sparse"):
        read(archive(*saved(ONE)[:1], sparse, *saved(ONE)[1:]))


def test_documents_that_never_end_are_refused() -> None:
    many = [member(f"{number}.json", b"[" + bytes(4_000_000)) for number in range(9)]
    images = Images(ingest(MemorySink()), Stop(), form="oci", jobs=1)
    with pytest.raises(WrongContent, match="MiB of documents"):
        images.streamed(io.BytesIO(archive(*many)), "", "the archive")


def test_a_member_that_is_there_twice_is_refused_in_a_stream() -> None:
    images = Images(ingest(MemorySink()), Stop(), form="oci", jobs=1)
    members = saved(ONE)
    with pytest.raises(WrongContent, match="twice"):
        images.streamed(io.BytesIO(archive(members[0], *members)), "", "the archive")


def test_a_layer_that_the_place_has_is_not_compressed_again(tmp_path: Path) -> None:
    sink, layers = MemorySink(), MemoryLayers()
    (tmp_path / "image.tar").write_bytes(archive(*saved(ONE, TWO)))
    files = TarFile(tmp_path / "image.tar")
    first = Images(ingest(sink, layers), Stop(), form="oci", jobs=1).archived(files, "").root()
    sink.keys.clear()
    assert Images(ingest(sink, layers), Stop(), form="oci", jobs=1).archived(files, "").root() == first
    assert sink.keys == []


def test_what_an_engine_calls_a_layer_is_checked_and_forgotten_when_it_is_another() -> None:
    sink, layers = MemorySink(), MemoryLayers()
    members = saved(ONE)
    name = members[0][0].name
    layers.name(name, Digest.of(TWO))
    images = Images(ingest(sink, layers), Stop(), form="oci", jobs=1)
    with pytest.raises(WrongContent, match="run the command again"):
        images.streamed(io.BytesIO(archive(*members)), "", "the engine", named=layers.named)
    assert layers.named(name) is None
    again = Images(ingest(sink, layers), Stop(), form="oci", jobs=1)
    again.streamed(io.BytesIO(archive(*members)), "", "the engine", named=layers.named)


def test_a_store_that_fails_ends_the_reading() -> None:
    class Full(MemorySink):
        def send_once(self, key: str, pieces: object, label: str) -> object:  # type: ignore[override]
            del key, pieces, label
            raise NotFound("the registry is gone")

    images = Images(ingest(Full()), Stop(), form="oci", jobs=2)
    with pytest.raises(NotFound, match="gone"):
        images.streamed(io.BytesIO(archive(*saved(TWO, ONE))), "", "the archive")


@pytest.mark.parametrize("form", ["file", "stream"])
@pytest.mark.parametrize("kind", ["layout", "docker save"])
def test_compressed_layers_are_compressed_anew_when_that_was_asked_for(form: str, kind: str, tmp_path: Path) -> None:
    place = Place()
    layer = gzip.compress(ONE)
    config = place.add(json.dumps({"rootfs": {"diff_ids": [str(Digest.of(ONE))]}}).encode())
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", place.add(layer))],
    }
    root = json.dumps(document).encode()
    place.list(Document(str(document["mediaType"]), root))
    members = layout(place, root, str(document["mediaType"])) if kind == "layout" else saved(ONE)
    if kind == "docker save":
        members[0] = member(members[0][0].name, layer)
    sink = MemorySink()
    anew = ingest(sink, kind="zstd", anew=True)
    images = Images(anew, Stop(), form="oci", jobs=1)
    (tmp_path / "image.tar").write_bytes(archive(*members))
    if form == "file":
        source = images.archived(TarFile(tmp_path / "image.tar"), "")
    else:
        source = images.streamed(io.BytesIO(archive(*members)), "", "the archive")[0]
    _, made = recompressed(source, source.root(), anew)
    [listed] = json.loads(made.content)["layers"]
    assert listed["mediaType"].endswith("+zstd")
    zstd: Any = ZSTD
    assert zstd.decompress(sink.stored[Digest.parse(listed["digest"])]) == ONE


def test_compressed_layers_of_docker_save_are_checked_against_the_configuration(read: Read, sink: MemorySink) -> None:
    """podman and newer engines save them so."""
    members = saved(ONE, TWO)
    for number, layer in enumerate((gzip.compress(ONE), gzip.compress(TWO))):
        members[number] = member(members[number][0].name, layer)
    document = json.loads(read(archive(*members)).root().content)
    assert [sink.stored[Digest.parse(layer["digest"])] for layer in document["layers"]] == [
        members[0][1],
        members[1][1],
    ]
    members[1] = member(members[1][0].name, gzip.compress(ONE + b"x"))
    with pytest.raises(WrongContent, match="not those that its configuration names"):
        read(archive(*members))


DEEP = b"[" * 100_000
NO_MANIFESTS = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "too deep": DEEP,
    "too deep within": b'{"config":' + DEEP,
}


@pytest.mark.parametrize("content", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
@pytest.mark.parametrize("media_type", ["", "application/vnd.oci.image.manifest.v1+json"])
def test_a_layout_s_manifest_that_is_none_is_wrong_content(content: bytes, media_type: str, read: Read) -> None:
    members = layout(Place(), content, media_type)
    members.insert(0, member(f"blobs/sha256/{Digest.of(content).hex}", content))
    with pytest.raises(WrongContent):
        config_of(read(archive(*members)))
    with pytest.raises(WrongContent):
        _converted(read(archive(*members)))


def _converted(source: Source) -> None:
    converted(source, source.root(), "docker")


@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
def test_documents_that_are_nested_without_end_are_wrong_content(name: str, read: Read) -> None:
    members = [one for one in saved(ONE) if one[0].name != name]
    more = [member("oci-layout", b"{}")] if name == "index.json" else []
    if name == "index.json":
        members = [one for one in members if one[0].name != "manifest.json"]
    with pytest.raises((WrongContent, NotFound)):
        read(archive(*members, *more, member(name, DEEP))).root()
