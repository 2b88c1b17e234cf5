"""Compressing an image's layers another way: the same files and configuration, other blobs, and so another digest.

A layer is decompressed, checked against the configuration's `diff_ids`, and stored again, all while it streams; a layer
that is compressed as wished already stays. Only layers of the types below are touched: other artifacts' blobs are data.
"""

from __future__ import annotations

import json
from typing import Any

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor, Manifest, read
from portside.remote import saved
from portside.remote.conversion import Remade
from portside.remote.errors import WrongContent
from portside.remote.expansion import expanded
from portside.remote.ingest import Ingest
from portside.remote.ports import Document, Source
from portside.remote.text import parse

_LONGEST_CONFIG = 4 * 1024 * 1024
_KINDS = {
    "application/vnd.oci.image.layer.v1.tar": "none",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "none",
    media_types.DOCKER_LAYER: "gzip",
}


def recompressed(source: Source, root: Document, ingest: Ingest) -> tuple[Source, Document]:
    """The image with its layers compressed as `ingest` does it, stored there already.

    Raises WrongContent for layers that are not what the configuration says, Unusable for a form without such layers.
    """
    made: dict[Digest, Document] = {}
    document = _document(source, root, ingest, made)
    return (source, root) if document == root else (Remade(source, document, made), document)


def _document(source: Source, document: Document, ingest: Ingest, made: dict[Digest, Document]) -> Document:
    try:
        manifest = read(document.content, document.media_type or None)
    except InvalidParameter as error:
        raise WrongContent(f"A manifest cannot be read ({error})", "check the source") from None
    parsed: dict[str, Any] = parse(document.content)
    changed = False
    for entry, child in zip(parsed.get("manifests") or [], manifest.images, strict=True):
        remade = _document(source, source.manifest(child), ingest, made)
        described = remade.descriptor
        made[described.digest] = remade
        changed = changed or described.digest != child.digest
        entry |= {"digest": str(described.digest), "size": described.size}
    if manifest.layers and all(layer.media_type in _KINDS for layer in manifest.layers):
        layers = _layers(source, manifest, ingest)
        form = "oci" if document.media_type == media_types.OCI_MANIFEST else "docker"
        changed = changed or [layer.blob.digest for layer in layers] != [layer.digest for layer in manifest.layers]
        parsed["layers"] = [saved.described(form, layer) for layer in layers]
    return Document(document.media_type, json.dumps(parsed, separators=(",", ":")).encode()) if changed else document


def _layers(source: Source, manifest: Manifest, ingest: Ingest) -> list[saved.Layer]:
    assert manifest.config is not None
    if manifest.config.size > _LONGEST_CONFIG:
        raise WrongContent(f"The image's configuration has {manifest.config.size} bytes", "check the source")
    claimed = saved.diff_ids(b"".join(source.blob(manifest.config)), "the source")
    if len(claimed) != len(manifest.layers):
        raise WrongContent("The image has another number of layers than its configuration says", "check the source")
    return [_layer(source, layer, diff, ingest) for layer, diff in zip(manifest.layers, claimed, strict=True)]


def _layer(source: Source, layer: Descriptor, claimed: Digest, ingest: Ingest) -> saved.Layer:
    kind = _KINDS[layer.media_type]
    if kind == ingest.compression.kind:
        return saved.Layer(claimed, Descriptor(layer.media_type, layer.digest, layer.size), kind)
    known = ingest.present(claimed)
    if known is not None:
        return known
    return ingest.store(str(layer.digest), expanded(source.blob(layer), kind), layer.size, claimed)
