"""An OCI image layout (image-layout.md): in a folder or a tar archive as a Source, in a folder as a Target."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import MAXIMUM_SIZE, Descriptor
from portside.core.names import parse_tag
from portside.remote.errors import NotFound, Unusable, WrongContent
from portside.remote.files import Files, whole
from portside.remote.ports import Content, Document
from portside.remote.progress import Progress, Stop
from portside.remote.text import parse

_INDEX = "index.json"
_MARK = "oci-layout"
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")


def is_layout(files: Files) -> bool:
    """Whether a place says of itself that it is an image layout."""
    return files.size(_MARK) is not None and files.size(_INDEX) is not None


class LayoutSource:
    """An image of a layout: the one that a tag or a digest names, else its only one."""

    def __init__(self, files: Files, wanted: str = "") -> None:
        """`wanted`: a tag, a digest, or nothing. Raises NotFound, WrongContent, Unusable."""
        self._files = files
        self._wanted = wanted
        if not is_layout(files):
            raise NotFound(f"{files.say()} is no OCI image layout", f"it has no {_MARK} or no {_INDEX}")
        self._listed = self._index()

    def root(self) -> Document:
        """The manifest that was asked for. Raises Unusable for several images without a name to choose by."""
        if not self._wanted:
            images = self._images()
            if len(images) == 1:
                return self.manifest(images[0])
            names = ", ".join(sorted(name for _, name in self._listed if name)[:8])
            raise Unusable(f"{self._files.say()} has {len(images)} images ({names})", "name one with :TAG or @DIGEST")
        if ":" in self._wanted:
            return self._by_digest()
        for descriptor, name in self._listed:
            if self._wanted in {name, name.rpartition(":")[2] if "/" in name else name}:
                return self.manifest(descriptor)
        raise NotFound(f"{self._files.say()} has no image '{self._wanted}'", "look into its index.json")

    def manifest(self, listed: Descriptor) -> Document:
        """A manifest by digest."""
        content = whole(self._files, _path(listed.digest), MAXIMUM_SIZE)
        if Digest.of(content, listed.digest.algorithm) != listed.digest:
            raise WrongContent(f"{self._files.say()} holds other bytes under {listed.digest}", "make the layout again")
        return Document(listed.media_type or _media_type(content), content)

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on. Raises WrongContent when the file has another size than the manifest says."""
        path = _path(listed.digest)
        size = self._files.size(path)
        if size is None:
            raise NotFound(f"{self._files.say()} lacks the blob {listed.digest}", "make the layout again")
        if size != listed.size:
            message = f"{self._files.say()} has {size} bytes of {listed.digest}, and its manifest says {listed.size}"
            raise WrongContent(message, "make the layout again")
        return self._files.read(path, start)

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The listed manifests that refer to the subject."""
        return [one for one, _ in self._listed if self._subject(one) == str(subject)]

    def origin(self) -> tuple[str, str] | None:
        """Not a registry."""
        return None

    def _images(self) -> list[Descriptor]:
        """What is listed for itself, and not because it refers to something else that is."""
        if len(self._listed) == 1:
            return [self._listed[0][0]]
        return [one for one, name in self._listed if name or self._subject(one) is None]

    def _subject(self, listed: Descriptor) -> str | None:
        try:
            named: object = parse(self.manifest(listed).content).get("subject")
        except (NotFound, ValueError, AttributeError):
            return None
        return str(cast("dict[str, Any]", named).get("digest")) if isinstance(named, dict) else None

    def _by_digest(self) -> Document:
        try:
            digest = Digest.parse(self._wanted)
        except InvalidParameter:
            raise Unusable(f"'{self._wanted}' is no digest", "write sha256: and 64 digits") from None
        known = next((one for one, _ in self._listed if one.digest == digest), Descriptor("", digest, 0))
        return self.manifest(known)

    def _index(self) -> list[tuple[Descriptor, str]]:
        try:
            document = parse(whole(self._files, _INDEX, MAXIMUM_SIZE))
            listed = cast("list[dict[str, Any]]", document["manifests"])
            return [(_descriptor(one), _name(one)) for one in listed]
        except (ValueError, KeyError, TypeError, AttributeError, InvalidParameter):
            raise WrongContent(f"{self._files.say()}'s {_INDEX} cannot be read", "make the layout again") from None


class LayoutTarget:
    """A layout in a folder, which is made when it is not there; other images in it stay."""

    def __init__(self, path: Path, progress: Progress, stop: Stop) -> None:
        """Raises Unusable for a folder that holds something else."""
        self._path = path
        self._progress = progress
        self._stop = stop
        if path.exists() and not path.is_dir():
            raise Unusable(f"{path} is a file", "name a folder")
        if path.is_dir() and any(path.iterdir()) and not (path / _MARK).is_file():
            raise Unusable(f"{path} holds something that is no image layout", "name an empty folder")

    def holds(self, reference: str, accept: str = "") -> Digest | None:
        """None for a tag: what a tag stood for is read when it is written."""
        del accept
        try:
            digest = Digest.parse(reference)
        except InvalidParameter:
            return None
        return digest if self._file(digest).is_file() else None

    def missing(self, blobs: Sequence[Descriptor]) -> set[Digest]:
        """Those without a file of their size: a file is only ever put there whole."""
        return {blob.digest for blob in blobs if not _is_there(self._file(blob.digest), blob.size)}

    def put_blob(self, blob: Descriptor, content: Content) -> str:
        """Write the bytes beside, check them, and move them to their name."""
        hashed = hashlib.new(blob.digest.algorithm)
        with self._written(self._file(blob.digest)) as file:
            for piece in self._stop.watched(content.read(0)):
                hashed.update(piece)
                file.write(piece)
                self._progress.advanced(str(blob.digest), len(piece))
            if file.tell() != blob.size or hashed.hexdigest() != blob.digest.hex:
                raise WrongContent(
                    f"The bytes of {blob.digest} are others than its digest says", "do not trust the source"
                )
        return "pulled"

    def put_manifest(self, document: Document, references: Sequence[str]) -> None:
        """Write a manifest, and list it under each tag; without any reference it is listed by its digest."""
        descriptor = document.descriptor
        with self._written(self._file(descriptor.digest)) as file:
            file.write(document.content)
        tags = [reference for reference in references if ":" not in reference]
        if tags or not references:
            self._list(descriptor, tags)

    def _list(self, descriptor: Descriptor, tags: Sequence[str]) -> None:
        file = self._path / _INDEX
        document: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
        if file.is_file():
            document = parse(file.read_bytes())
        entry = {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}
        mine = [{**entry, "annotations": {_NAMES[0]: parse_tag(tag)}} for tag in tags] or [entry]
        names = set(tags)
        kept = [one for one in document["manifests"] if _name(one) not in names and one != entry]
        document["manifests"] = [*kept, *mine]
        with self._written(file) as written:
            written.write(json.dumps(document, indent=2).encode())
        with self._written(self._path / _MARK) as written:
            written.write(b'{"imageLayoutVersion":"1.0.0"}')

    def _file(self, digest: Digest) -> Path:
        return self._path / "blobs" / digest.algorithm / digest.hex

    @contextlib.contextmanager
    def _written(self, file: Path) -> Generator[Any]:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name[:32]}.{secrets.token_hex(4)}")
        try:
            with beside.open("xb") as opened:
                yield opened
            os.replace(beside, file)  # noqa: PTH105 - as atomic as it gets
        finally:
            beside.unlink(missing_ok=True)


def _is_there(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size == size
    except OSError:
        return False


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _descriptor(entry: dict[str, Any]) -> Descriptor:
    return Descriptor(str(entry["mediaType"]), Digest.parse(entry["digest"]), int(entry["size"]))


def _name(entry: dict[str, Any]) -> str:
    annotations = cast("dict[str, str]", entry.get("annotations") or {})
    return next((annotations[name] for name in _NAMES if annotations.get(name)), "")


def _media_type(content: bytes) -> str:
    try:
        document = parse(content)
        named = document.get("mediaType")
    except (ValueError, AttributeError):
        raise WrongContent("A manifest of the layout is no JSON", "make the layout again") from None
    if isinstance(named, str):
        return named
    return media_types.OCI_INDEX if "manifests" in document else media_types.OCI_MANIFEST
