"""Writing an image as one file: an OCI layout (image-layout.md) in a tar archive, for `docker load` (from 25)."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor, read
from portside.remote.copy import Summary
from portside.remote.errors import Unusable, WrongContent
from portside.remote.ports import Document, Source
from portside.remote.progress import Progress, Stop

_BLOCK = 512


def write(source: Source, root: Document, path: Path, tag: str, *, progress: Progress, stop: Stop) -> Summary:
    """Write the image beside `path`, and move it there when it is whole. Raises WrongContent, Unusable."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    summary = Summary(root.descriptor)
    try:
        with beside.open("xb") as file:
            _Writer(source, file, progress=progress, stop=stop, summary=summary).image(root, tag)
        os.replace(beside, path)  # noqa: PTH105 - as atomic as it gets
    except OSError as error:
        raise Unusable(f"{path} cannot be written ({error.strerror})", "check folder and space") from None
    finally:
        beside.unlink(missing_ok=True)
    return summary


class _Writer:
    def __init__(self, source: Source, file: BinaryIO, *, progress: Progress, stop: Stop, summary: Summary) -> None:
        self._source = source
        self._file = file
        self._progress = progress
        self._stop = stop
        self._summary = summary
        self._written: set[Digest] = set()

    def image(self, root: Document, tag: str) -> None:
        self._bytes("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        self._manifest(root)
        described = root.descriptor
        entry: dict[str, Any] = {
            "mediaType": root.media_type,
            "digest": str(described.digest),
            "size": described.size,
        }
        if tag:
            entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
        index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
        self._bytes("index.json", json.dumps(index).encode())
        self._file.write(bytes(2 * _BLOCK))

    def _manifest(self, document: Document) -> None:
        if document.descriptor.digest in self._written:
            return
        try:
            manifest = read(document.content, document.media_type)
        except InvalidParameter as error:
            raise WrongContent(f"A manifest cannot be read ({error})", "check the source") from None
        for child in manifest.images:
            self._manifest(self._source.manifest(child))
        for blob in manifest.blobs:
            if blob.digest not in self._written:
                self._blob(blob)
        self._written.add(document.descriptor.digest)
        self._bytes(_name(document.descriptor.digest), document.content)

    def _blob(self, blob: Descriptor) -> None:
        self._written.add(blob.digest)
        self._progress.started(str(blob.digest), blob.size)
        self._file.write(_header(_name(blob.digest), blob.size))
        hashed = hashlib.new(blob.digest.algorithm)
        count = 0
        for piece in self._stop.watched(self._source.blob(blob)):
            hashed.update(piece)
            count += len(piece)
            self._file.write(piece)
            self._progress.advanced(str(blob.digest), len(piece))
        if count != blob.size or hashed.hexdigest() != blob.digest.hex:
            raise WrongContent(f"The bytes of {blob.digest} are others than its digest says", "do not trust the source")
        self._file.write(bytes(-blob.size % _BLOCK))
        self._progress.finished(str(blob.digest), "pulled")
        self._summary.blobs.append((blob, "pulled"))
        self._summary.pushed += 1
        self._summary.bytes_sent += blob.size
        self._summary.bytes_total += blob.size

    def _bytes(self, name: str, content: bytes) -> None:
        self._file.write(_header(name, len(content)) + content + bytes(-len(content) % _BLOCK))


def _name(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _header(name: str, size: int) -> bytes:
    made = tarfile.TarInfo(name)
    made.size = size
    made.mode = 0o644
    return made.tobuf(tarfile.PAX_FORMAT)
