"""What `docker save` and `podman save` write: which layers and which configuration make an image. Pure.

Source: Docker image specification v1.2, Combined Image JSON + Filesystem Changeset Format (`manifest.json`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor
from portside.remote.errors import NotFound, Unusable, WrongContent
from portside.remote.files import canonical
from portside.remote.ports import Document
from portside.remote.references import familiar
from portside.remote.text import parse

MANIFEST = "manifest.json"
_MOST_LAYERS = 1000
FORMATS = ("oci", "docker")

_CONFIG_TYPE = {
    "oci": "application/vnd.oci.image.config.v1+json",
    "docker": "application/vnd.docker.container.image.v1+json",
}
_LAYER_TYPES = {
    ("oci", "none"): "application/vnd.oci.image.layer.v1.tar",
    ("oci", "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    ("oci", "zstd"): "application/vnd.oci.image.layer.v1.tar+zstd",
    ("docker", "none"): "application/vnd.docker.image.rootfs.diff.tar",
    ("docker", "gzip"): media_types.DOCKER_LAYER,
}


@dataclass(frozen=True, slots=True)
class SavedImage:
    """An entry of `manifest.json`."""

    config: str
    """The member that is its configuration."""
    names: tuple[str, ...]
    """Names with tags, as the engine knows it."""
    layers: tuple[str, ...]
    """The members that are its layers, the lowest first."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as it was stored: the digest of its bytes uncompressed, and the blob that it became."""

    diff_id: Digest
    blob: Descriptor
    compression: str = "gzip"
    """`gzip`, `zstd` or `none`."""


def images(content: bytes, place: str) -> list[SavedImage]:
    """Read `manifest.json`. Raises WrongContent."""
    try:
        entries = cast("list[dict[str, Any]]", parse(content))[:]
        found = [
            SavedImage(
                canonical(entry["Config"]),
                tuple(str(name) for name in entry.get("RepoTags") or ()),
                tuple(canonical(layer) for layer in entry.get("Layers") or ()),
            )
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WrongContent(f"The {MANIFEST} of {place} cannot be read", "save the image again") from None
    if any(len(image.layers) > _MOST_LAYERS for image in found):
        raise WrongContent(f"An image of {place} has more than {_MOST_LAYERS} layers", "that is no image")
    return found


def chosen(found: Sequence[SavedImage], wanted: str, place: str) -> SavedImage:
    """The image of this name, or the only one. Raises NotFound, Unusable."""
    if wanted:
        for image in found:
            if any(_means(wanted, name) for name in image.names):
                return image
        raise NotFound(f"{place} has no image '{wanted}'", f"it has {_names(found)}")
    if len(found) != 1:
        raise Unusable(f"{place} has {len(found)} images", f"save one, or name one of {_names(found)}")
    return found[0]


def _means(wanted: str, name: str) -> bool:
    """Whether a name or a tag is an image's, whichever of the two is written in full."""
    if wanted in {name, name.rpartition(":")[2]}:
        return True
    try:
        return familiar(wanted) == familiar(name)
    except Unusable:
        return False


def diff_ids(config: bytes, place: str) -> list[Digest]:
    """What a configuration says its layers are, uncompressed, the lowest first. Raises WrongContent."""
    try:
        listed = cast("list[str]", parse(config)["rootfs"]["diff_ids"])
        return [Digest.parse(one) for one in listed]
    except (ValueError, KeyError, TypeError, InvalidParameter):
        raise WrongContent(f"The image's configuration in {place} cannot be read", "save the image again") from None


def must_name(config: bytes, layers: Sequence[Layer], place: str) -> None:
    """Raise WrongContent when layers are not those that a configuration names."""
    if [layer.diff_id for layer in layers] != diff_ids(config, place):
        raise WrongContent(f"The layers in {place} are not those that its configuration names", "save the image again")


def manifest(config: Digest, size: int, layers: Sequence[Layer], form: str) -> Document:
    """Make the manifest of an image whose configuration has `size` bytes. Raises Unusable."""
    kind = media_types.OCI_MANIFEST if form == "oci" else media_types.DOCKER_MANIFEST
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _described(_CONFIG_TYPE[form], config, size),
        "layers": [described(form, layer) for layer in layers],
    }
    return Document(kind, json.dumps(document, separators=(",", ":")).encode())


def described(form: str, layer: Layer) -> dict[str, Any]:
    """A layer as a manifest of this form lists it. Raises Unusable."""
    return _described(_layer_type(form, layer.compression), layer.blob.digest, layer.blob.size)


def layers_of(image: SavedImage, find: Callable[[str], Layer | None], place: str) -> list[Layer]:
    """The layers of an image among those that were stored. Raises WrongContent."""
    found: list[Layer] = []
    for name in image.layers:
        layer = find(name)
        if layer is None:
            raise WrongContent(f"{place} lacks the layer {name}", "save the image again")
        found.append(layer)
    return found


def _layer_type(form: str, compression: str) -> str:
    found = _LAYER_TYPES.get((form, compression))
    if found is None:
        raise Unusable(f"Docker's format has no layers in {compression}", "use --format oci")
    return found


def _described(media_type: str, digest: Digest, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(digest), "size": size}


def _names(found: Iterable[SavedImage]) -> str:
    names = [name for image in found for name in image.names]
    return ", ".join(names[:8]) or "images without a name"
