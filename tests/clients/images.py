"""Test images made on the spot: the same recipe gives the same digests everywhere.

Nothing is downloaded and nothing is held whole: layers are generated, hashed
and written piece by piece.  The gzip around them stores without compressing,
which keeps half a gigabyte cheap while every client sees an ordinary gzip layer.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import random
import tarfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PIECE = 1 << 20
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


class Hash(Protocol):
    """What hashlib's objects are to us."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """The media types of one family."""

    manifest: str
    config: str
    layer: str
    index: str


OCI = Form(
    manifest="application/vnd.oci.image.manifest.v1+json",
    config="application/vnd.oci.image.config.v1+json",
    layer="application/vnd.oci.image.layer.v1.tar+gzip",
    index="application/vnd.oci.image.index.v1+json",
)
DOCKER = Form(
    manifest="application/vnd.docker.distribution.manifest.v2+json",
    config="application/vnd.docker.container.image.v1+json",
    layer="application/vnd.docker.image.rootfs.diff.tar.gzip",
    index="application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of; more than one platform makes an index."""

    name: str
    form: Form = OCI
    layers: int = 2
    layer_size: int = 4096
    platforms: tuple[str, ...] = (MACHINE,)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Some stored bytes: what they are, what they are called, how long they are."""

    media_type: str
    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return the descriptor as manifests spell it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Layout:
    """An OCI layout folder with one image or index, tagged `latest`."""

    folder: Path
    recipe: Recipe
    root: Descriptor
    images: tuple[Descriptor, ...]

    @property
    def reference(self) -> str:
        """Return the layout as podman, skopeo and buildah name it.

        Without a tag: they look a tag up among OCI media types only.
        """
        return f"oci:{self.folder}"

    def blob(self, digest: str) -> Path:
        """Return the file that holds the bytes called `digest`."""
        return self.folder / "blobs" / digest.replace(":", "/")

    @property
    def image_id(self) -> str:
        """Return the digest of this machine's config, which docker and podman call the image id."""
        image = self.images[self.recipe.platforms.index(MACHINE)]
        return self.manifest(image)["config"]["digest"]

    def manifest(self, image: Descriptor) -> dict[str, Any]:
        """Return the manifest of one of the images."""
        return json.loads(self.blob(image.digest).read_bytes())


def make(folder: Path, recipe: Recipe) -> Layout:
    """Write the image that `recipe` describes as an OCI layout folder."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    images = tuple(_image(folder, recipe, architecture) for architecture in recipe.platforms)
    root = images[0] if len(images) == 1 else _index(folder, recipe, images)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(_catalogue(root, {"org.opencontainers.image.ref.name": "latest"}))
    return Layout(folder, recipe, root, images)


def write_layout_archive(layout: Layout, name: str, stream: IO[bytes]) -> None:
    """Write the layout as the tar that `ctr image import` names `name`."""
    annotations = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": "latest"}
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        _member(archive, "index.json", _catalogue(layout.root, annotations).encode())
        archive.add(layout.folder / "oci-layout", "oci-layout")
        archive.add(layout.folder / "blobs", "blobs")


def write_docker_archive(layout: Layout, image: Descriptor, name: str, stream: IO[bytes]) -> None:
    """Write one of the images as the tar that `docker load` names `name`."""
    manifest = layout.manifest(image)
    layers = [layer["digest"] for layer in manifest["layers"]]
    entry = {"Config": "config.json", "RepoTags": [name], "Layers": [f"{layer[7:]}/layer.tar" for layer in layers]}
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        archive.add(layout.blob(manifest["config"]["digest"]), "config.json")
        for layer, member in zip(layers, entry["Layers"], strict=True):
            archive.add(layout.blob(layer), member)
        _member(archive, "manifest.json", json.dumps([entry]).encode())


def write_root_filesystem(stream: IO[bytes]) -> None:
    """Write the smallest tar that `docker import` makes an image of."""
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        _member(archive, "hello", b"hello\n")


def _image(folder: Path, recipe: Recipe, architecture: str) -> Descriptor:
    layers: list[Descriptor] = []
    differences: list[str] = []
    for number in range(recipe.layers):
        seed = f"{recipe.name} {architecture} {number}"
        plain = hashlib.sha256()
        pieces = _compressed(_noted(_layer(f"layer-{number:03}", recipe.layer_size, seed), plain))
        layers.append(_store(folder, pieces, recipe.form.layer))
        differences.append(f"sha256:{plain.hexdigest()}")
    config = {
        "created": "2024-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/layer-000"], "Labels": {"recipe": recipe.name}},
        "rootfs": {"type": "layers", "diff_ids": differences},
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": f"layer {n}"} for n in range(recipe.layers)],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": recipe.form.manifest,
        "config": _store_json(folder, config, recipe.form.config).as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    return _store_json(folder, manifest, recipe.form.manifest)


def _index(folder: Path, recipe: Recipe, images: tuple[Descriptor, ...]) -> Descriptor:
    children = [
        image.as_json() | {"platform": {"architecture": architecture, "os": "linux"}}
        for image, architecture in zip(images, recipe.platforms, strict=True)
    ]
    index = {"schemaVersion": 2, "mediaType": recipe.form.index, "manifests": children}
    return _store_json(folder, index, recipe.form.index)


def _catalogue(root: Descriptor, annotations: dict[str, str]) -> str:
    return json.dumps({"schemaVersion": 2, "manifests": [root.as_json() | {"annotations": annotations}]})


def _layer(name: str, size: int, seed: str) -> Iterator[bytes]:
    """Yield a tar of one file of bytes that nothing compresses."""
    header = tarfile.TarInfo(name)
    header.size = size
    yield header.tobuf(tarfile.USTAR_FORMAT)
    noise = random.Random(seed)
    for start in range(0, size, PIECE):
        yield noise.randbytes(min(PIECE, size - start))
    yield bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)


def _noted(pieces: Iterable[bytes], digest: Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Wrap in gzip without compressing; zlib writes no time stamp, so the result is always the same."""
    gzip = zlib.compressobj(level=0, wbits=31)
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


def _store(folder: Path, pieces: Iterable[bytes], media_type: str) -> Descriptor:
    blobs = folder / "blobs" / "sha256"
    digest, size = hashlib.sha256(), 0
    with (blobs / "incoming").open("wb") as file:
        for piece in _noted(pieces, digest):
            size += file.write(piece)
    (blobs / "incoming").rename(blobs / digest.hexdigest())
    return Descriptor(media_type, f"sha256:{digest.hexdigest()}", size)


def _store_json(folder: Path, document: dict[str, Any], media_type: str) -> Descriptor:
    return _store(folder, [json.dumps(document).encode()], media_type)


def _member(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
