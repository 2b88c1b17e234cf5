"""Between Docker's and OCI's manifests: the same content under other media types, and so with another digest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor
from portside.remote.errors import Unusable, WrongContent
from portside.remote.ports import Document, Source
from portside.remote.text import parse

_TO_OCI = {
    media_types.DOCKER_MANIFEST: media_types.OCI_MANIFEST,
    media_types.DOCKER_LIST: media_types.OCI_INDEX,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    media_types.DOCKER_LAYER: "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}
_TO_DOCKER = {oci: docker for docker, oci in _TO_OCI.items()}


def converted(source: Source, root: Document, form: str) -> tuple[Source, Document]:
    """The image in the form `oci` or `docker`; the same source when it is in it already. Raises Unusable."""
    made: dict[Digest, Document] = {}
    try:
        document = _converted(source, root, form, made)
    except (ValueError, KeyError, TypeError, AttributeError, InvalidParameter):
        raise WrongContent("The image's manifest cannot be read", "check the source") from None
    return (source, root) if document == root else (Remade(source, document, made), document)


class Remade:
    """A source whose manifests were made anew."""

    def __init__(self, source: Source, root: Document, made: dict[Digest, Document]) -> None:
        self._source = source
        self._root = root
        self._made = made

    def root(self) -> Document:
        """The manifest that was made."""
        return self._root

    def manifest(self, listed: Descriptor) -> Document:
        """One that was made, or one of the source's."""
        return self._made.get(listed.digest) or self._source.manifest(listed)

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        """The source's blob."""
        return self._source.blob(listed, start)

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """None that would refer to it: raises Unusable."""
        del subject
        raise Unusable(
            "What refers to an image does not refer to it when it is changed", "leave out --format and --compress"
        )

    def origin(self) -> tuple[str, str] | None:
        """The source's."""
        return self._source.origin()


def _converted(source: Source, document: Document, form: str, made: dict[Digest, Document]) -> Document:
    types = _TO_OCI if form == "oci" else _TO_DOCKER
    read: dict[str, Any] = parse(document.content)
    if document.media_type in types:
        read["mediaType"] = types[document.media_type]
    if form == "docker" and ("subject" in read or "artifactType" in read):
        raise Unusable("Docker's format knows no artifacts", "leave out --format docker")
    children = cast("list[dict[str, Any]]", read.get("manifests") or [])
    for entry in children:
        listed = Descriptor(entry["mediaType"], Digest.parse(entry["digest"]), entry["size"])
        child = _converted(source, source.manifest(listed), form, made)
        made[child.descriptor.digest] = child
        entry |= {
            "mediaType": child.media_type,
            "digest": str(child.descriptor.digest),
            "size": child.descriptor.size,
        }
    for entry in (*cast("list[dict[str, Any]]", read.get("layers") or []), *_configuration(read)):
        entry["mediaType"] = _translated(entry["mediaType"], types, form)
    if read == parse(document.content):
        return document
    return Document(
        types.get(document.media_type, document.media_type), json.dumps(read, separators=(",", ":")).encode()
    )


def _configuration(read: dict[str, Any]) -> list[dict[str, Any]]:
    return [read["config"]] if isinstance(read.get("config"), dict) else []


def _translated(media_type: str, types: dict[str, str], form: str) -> str:
    found = types.get(media_type, media_type)
    if form == "docker" and ".oci." in found:
        raise Unusable(f"Docker's format has no {media_type}", "use --format oci")
    return found
