"""Reading manifests: what they are and what they refer to. Pure; the bytes are never changed.

Sources: OCI image-spec manifest.md, image-index.md and artifact manifests of 1.1-rc; Docker manifest v2 schema 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter

MAXIMUM_SIZE = 4 * 1024 * 1024
"""Bytes of the largest manifest: PutImage.imageManifest in the service model."""

_FIELD = "ImageManifest"
_LONGEST_TYPE = 255
_MOST_DESCRIPTORS = 10_000
"""Ours: each one is looked up while the repository is locked."""
_MOST_VALUES = 200_000
"""Ours: Python makes an object of each JSON value, and nobody else has their turn meanwhile. It is many times what the
most descriptors have."""
_KNOWN = {
    name.casefold(): name
    for name in (
        *("schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "artifactType", "blobs"),
        *("annotations", "digest", "size", "urls", "platform"),
    )
}
"""The members that readers know, in any case: Go's encoding/json, and so docker and containerd, takes `Layers` for
`layers`."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference from one manifest to some content: what it is, its name, its size in bytes."""

    media_type: str
    digest: Digest
    size: int
    foreign: bool = False
    """The content lies elsewhere (`urls`) and need not be in the repository."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says of itself."""

    media_type: str
    artifact_type: str | None
    """`artifactType`, else the configuration's media type; None for an index that names none."""
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    images: tuple[Descriptor, ...]
    """The manifests that an index lists."""
    subject: Descriptor | None

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Every blob that the repository must hold: configuration and layers without foreign ones, each digest once."""
        listed = ((self.config,) if self.config else ()) + self.layers
        return tuple({item.digest: item for item in listed if not item.foreign}.values())

    @property
    def content_size(self) -> int:
        """Bytes of configuration and layers, as DescribeImages counts them."""
        return sum(item.size for item in ((self.config,) if self.config else ()) + self.layers)


def read(content: bytes, declared: str | None) -> Manifest:
    """Read a manifest.

    `declared` is the Content-Type or imageManifestMediaType; without it the document's own mediaType decides.
    Raises InvalidParameter with ECR's words (ecr-behaviour 1.3, 1.5).
    """
    names = _Names()
    document = _document(content, names)
    if names.alike:
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    _check_names(document)
    _check_annotations(document)
    media_type = _media_type(document, declared)
    if media_type in media_types.SCHEMA1 or document.get("schemaVersion") == 1:
        raise InvalidParameter(
            _FIELD, "Docker image manifest schema 1 is not supported; push the image with a newer client"
        )
    if media_type in media_types.INDEXES:
        return _index(document, media_type)
    if media_type in media_types.IMAGES:
        return _image(document, media_type)
    if media_type in media_types.ARTIFACTS:
        return _artifact(document, media_type)
    raise InvalidParameter(_FIELD, f"Unsupported manifest media type '{media_type[:128]}'")


def annotations_of(content: bytes) -> dict[str, str]:
    """The annotations of a stored manifest; what is not text to text is left out, since no descriptor may carry it.

    None of a manifest that would not be taken today for what reading it costs.
    """
    if _is_crowded(content):
        return {}
    found: object = _document(content, _Names()).get("annotations")
    if not isinstance(found, dict):
        return {}
    return {
        key: value
        for key, value in cast("dict[str, object]", found).items()
        if isinstance(value, str) and _is_text(key) and _is_text(value)
    }


def _is_crowded(content: bytes) -> bool:
    """Whether there may be more values than are read: each follows a bracket or a comma, if only within a text."""
    return sum(map(content.count, (b"[", b"{", b","))) > _MOST_VALUES


def _document(content: bytes, names: _Names) -> dict[str, Any]:
    if len(content) > MAXIMUM_SIZE:
        raise InvalidParameter(_FIELD, f"Member must have length less than or equal to {MAXIMUM_SIZE}")
    if _is_crowded(content):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    try:
        document: object = json.loads(
            content.decode("utf-8"), object_pairs_hook=names.read, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax") from None
    if not isinstance(document, dict):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    return cast("dict[str, Any]", document)


class _Names:
    """Makes objects, and sees to their names: two readers of a repeated one may see two images under one digest."""

    def __init__(self) -> None:
        self.alike: dict[int, dict[str, Any]] = {}
        """Objects with names that differ in case alone, by identity, but for annotations, whose names are free."""

    def read(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("repeated key")
        if len({name.casefold() for name in found}) != len(found):
            self.alike[id(found)] = found
        if self.alike:
            self.alike.pop(id(found.get("annotations")), None)
        return found


def _check_names(item: dict[str, Any]) -> None:
    for name in item:
        known = _KNOWN.get(name.casefold(), name)
        if known != name:
            raise InvalidParameter(_FIELD, f"Member '{known}' must be written so")


def _check_annotations(document: dict[str, Any]) -> None:
    found: object = document.get("annotations")
    if isinstance(found, dict):
        for key, value in cast("dict[str, object]", found).items():
            if not _is_text(key) or (isinstance(value, str) and not _is_text(value)):
                raise InvalidParameter(_FIELD, "Annotations must be text")


def _is_text(text: str) -> bool:
    """Whether it can be sent: half a surrogate pair is JSON, and cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity; nobody else does.
    raise ValueError(name)


def _media_type(document: dict[str, Any], declared: str | None) -> str:
    named = document.get("mediaType")
    if named is not None and not isinstance(named, str):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    _check_type(named or "")
    if declared is not None and named is not None and declared != named:
        raise InvalidParameter(_FIELD, f"Media type '{declared[:128]}' does not match the manifest's '{named[:128]}'")
    found = declared or named
    if found is None:
        # ECR's own words for a manifest that says nowhere what it is (ecr-behaviour 1.5).
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    return found


def _image(document: dict[str, Any], media_type: str) -> Manifest:
    if "manifests" in document:
        raise InvalidParameter(_FIELD, "An image manifest cannot list manifests")
    config = _descriptor(document.get("config"))
    return Manifest(
        media_type=media_type,
        artifact_type=_text(document, "artifactType") or config.media_type,
        config=config,
        layers=tuple(_descriptors(document.get("layers"))),
        images=(),
        subject=_subject(document),
    )


def _index(document: dict[str, Any], media_type: str) -> Manifest:
    if "layers" in document or "config" in document:
        raise InvalidParameter(_FIELD, "An image index cannot list layers")
    return Manifest(
        media_type=media_type,
        artifact_type=_text(document, "artifactType"),
        config=None,
        layers=(),
        images=tuple(_descriptors(document.get("manifests"))),
        subject=_subject(document),
    )


def _artifact(document: dict[str, Any], media_type: str) -> Manifest:
    # The same bytes must not be an image to one reader, and an artifact without layers to another.
    if document.get("mediaType") is None:
        raise InvalidParameter(_FIELD, "An artifact manifest must name its mediaType")
    if "config" in document or "layers" in document or "manifests" in document:
        raise InvalidParameter(_FIELD, "An artifact manifest cannot list layers or manifests")
    return Manifest(
        media_type=media_type,
        artifact_type=_text(document, "artifactType"),
        config=None,
        layers=tuple(_descriptors(document.get("blobs") or [])),
        images=(),
        subject=_subject(document),
    )


def _text(document: dict[str, Any], key: str) -> str | None:
    found = document.get(key)
    if found is not None and not isinstance(found, str):
        raise InvalidParameter(_FIELD, f"Member '{key}' must be a string")
    _check_type(found or "")
    return found or None


def _check_type(text: str) -> None:
    # Half a surrogate pair is JSON and no text: it can be neither stored nor sent.
    if not text.isprintable() or len(text) > _LONGEST_TYPE:
        raise InvalidParameter(_FIELD, f"A media type must be printable and have at most {_LONGEST_TYPE} characters")


def _subject(document: dict[str, Any]) -> Descriptor | None:
    found = document.get("subject")
    return None if found is None else _descriptor(found)


def _descriptors(found: object) -> Iterator[Descriptor]:
    if not isinstance(found, list):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    if len(cast("list[object]", found)) > _MOST_DESCRIPTORS:
        raise InvalidParameter(_FIELD, f"Member must not list more than {_MOST_DESCRIPTORS} descriptors")
    return (_descriptor(item) for item in cast("list[object]", found))


def _descriptor(found: object) -> Descriptor:
    if not isinstance(found, dict):
        raise InvalidParameter(_FIELD, "Invalid JSON syntax")
    item = cast("dict[str, Any]", found)
    _check_names(item)
    media_type, digest, size = item.get("mediaType"), item.get("digest"), item.get("size")
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise InvalidParameter(_FIELD, "Every descriptor needs a mediaType and a digest")
    _check_type(media_type)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise InvalidParameter(_FIELD, "Every descriptor needs a size in bytes")
    foreign = bool(item.get("urls")) and media_types.is_foreign(media_type)
    return Descriptor(media_type, Digest.parse(digest, _FIELD), size, foreign)
