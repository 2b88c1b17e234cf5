"""An image for an engine: what `docker load` takes, made while it is read; nothing lies on a disk on the way.

Source: Docker image specification v1.2, Combined Image JSON + Filesystem Changeset Format. An engine unpacks layers
that are compressed, and checks them against the configuration.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator

from portside.core import media_types
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor, read
from portside.remote.errors import Unusable, WrongContent
from portside.remote.ports import Document, Source
from portside.remote.progress import Progress, Stop

_BLOCK = 512
_LONGEST_CONFIG = 4 * 1024 * 1024


def archive(source: Source, root: Document, names: list[str], progress: Progress, stop: Stop) -> Iterator[bytes]:
    """The archive's bytes. Raises Unusable for what is no image of one platform, and WrongContent."""
    if root.media_type in media_types.INDEXES:
        raise Unusable("An engine takes one platform's image", "choose one with --platform")
    try:
        manifest = read(root.content, root.media_type)
    except InvalidParameter as error:
        raise WrongContent(f"The manifest cannot be read ({error})", "check the source") from None
    if manifest.config is None:
        raise Unusable("An engine takes images only", "pull other artifacts to a folder")
    config = _configuration(source, manifest.config)
    config_name = f"{manifest.config.digest.hex}.json"
    yield from _small(config_name, config)
    layers = [f"{layer.digest.hex}/layer.tar" for layer in manifest.layers]
    written: set[str] = set()
    for layer, name in zip(manifest.layers, layers, strict=True):
        if name not in written:
            written.add(name)
            progress.started(str(layer.digest), layer.size)
            yield from _member(name, layer, _checked(source, layer, progress, stop))
            progress.finished(str(layer.digest), "pulled")
    listed = [{"Config": config_name, "RepoTags": names, "Layers": layers}]
    yield from _small("manifest.json", json.dumps(listed).encode())
    yield bytes(2 * _BLOCK)


def _configuration(source: Source, listed: Descriptor) -> bytes:
    if listed.size > _LONGEST_CONFIG:
        raise WrongContent(f"The image's configuration has {listed.size} bytes", "check the source")
    content = b"".join(source.blob(listed))
    if hashlib.new(listed.digest.algorithm, content).hexdigest() != listed.digest.hex:
        raise WrongContent(f"The bytes of {listed.digest} are others than its digest says", "do not trust the source")
    return content


def _checked(source: Source, layer: Descriptor, progress: Progress, stop: Stop) -> Iterator[bytes]:
    hashed = hashlib.new(layer.digest.algorithm)
    count = 0
    for piece in stop.watched(source.blob(layer)):
        hashed.update(piece)
        count += len(piece)
        if count > layer.size:
            break
        yield piece
        progress.advanced(str(layer.digest), len(piece))
    if count != layer.size or hashed.hexdigest() != layer.digest.hex:
        # The archive ends here, without its manifest: the engine takes nothing of it.
        raise WrongContent(f"The bytes of {layer.digest} are others than its digest says", "do not trust the source")


def _member(name: str, layer: Descriptor, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield _header(name, layer.size)
    yield from pieces
    yield bytes(-layer.size % _BLOCK)


def _small(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, len(content)) + content + bytes(-len(content) % _BLOCK)


def _header(name: str, size: int) -> bytes:
    made = tarfile.TarInfo(name)
    made.size = size
    made.mode = 0o644
    buffer = io.BytesIO(made.tobuf(tarfile.GNU_FORMAT))
    return buffer.getvalue()
