"""What stands behind the ports of `remote/` in its tests, and archives made by hand."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.compression import Compression
from portside.remote.errors import NotFound, WrongContent
from portside.remote.ingest import Ingest
from portside.remote.ports import Content, Document
from portside.remote.progress import Silence


@dataclass
class MemorySink:
    """Keeps what it is sent."""

    stored: dict[Digest, bytes] = field(default_factory=dict[Digest, bytes])
    keys: list[str] = field(default_factory=list[str])

    def send_once(self, key: str, pieces: Iterable[bytes], label: str) -> Descriptor:
        del label
        content = b"".join(pieces)
        self.keys.append(key)
        self.stored[Digest.of(content)] = content
        return Descriptor("", Digest.of(content), len(content))


@dataclass
class MemoryLayers:
    """Remembers layers."""

    kept: dict[tuple[Digest, str], Descriptor] = field(default_factory=dict[tuple[Digest, str], Descriptor])
    names: dict[str, Digest] = field(default_factory=dict[str, Digest])

    def became(self, diff_id: Digest, how: str) -> Descriptor | None:
        return self.kept.get((diff_id, how))

    def keep(self, diff_id: Digest, how: str, blob: Descriptor) -> None:
        self.kept[diff_id, how] = blob

    def named(self, name: str) -> Digest | None:
        return self.names.get(name)

    def name(self, name: str, diff_id: Digest) -> None:
        self.names[name] = diff_id

    def forget_name(self, name: str) -> None:
        self.names.pop(name, None)


def ingest(
    sink: MemorySink,
    layers: MemoryLayers | None = None,
    kind: str = "gzip",
    *,
    anew: bool = False,
) -> Ingest:
    """An ingest into memory."""
    return Ingest(
        sink,
        lambda blob: blob.digest in sink.stored,
        layers or MemoryLayers(),
        Compression.of(kind, None),
        progress=Silence(),
        threads=ThreadPoolExecutor(2),
        anew=anew,
    )


@dataclass
class MemoryPlace:
    """Manifests and blobs in memory: a Source, and a Target that keeps the order in which things came."""

    manifests: dict[str, Document] = field(default_factory=dict[str, Document])
    blobs: dict[Digest, bytes] = field(default_factory=dict[Digest, bytes])
    wanted: str = "root"
    events: list[str] = field(default_factory=list[str])
    refers: dict[Digest, list[Descriptor]] = field(default_factory=dict[Digest, list[Descriptor]])
    asked: list[int] = field(default_factory=list[int])
    mounted_from: list[str] = field(default_factory=list[str])

    def add(self, content: bytes) -> Descriptor:
        """Put a blob there."""
        self.blobs[Digest.of(content)] = content
        return Descriptor("application/octet-stream", Digest.of(content), len(content))

    def list(self, document: Document, *names: str) -> Descriptor:
        """Put a manifest there."""
        for name in (*names, str(document.descriptor.digest)):
            self.manifests[name] = document
        return document.descriptor

    def root(self) -> Document:
        return self.manifests[self.wanted]

    def manifest(self, listed: Descriptor) -> Document:
        if str(listed.digest) not in self.manifests:
            raise NotFound(f"no {listed.digest}")
        return self.manifests[str(listed.digest)]

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        yield self.blobs[listed.digest][start:]

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        return self.refers.get(subject, [])

    def origin(self) -> tuple[str, str] | None:
        return None

    def holds(self, reference: str, accept: str) -> Digest | None:
        del accept
        found = self.manifests.get(reference)
        return found.descriptor.digest if found else None

    def missing(self, blobs: Sequence[Descriptor]) -> set[Digest]:
        self.asked.append(len(blobs))
        return {blob.digest for blob in blobs if blob.digest not in self.blobs}

    def put_blob(self, blob: Descriptor, content: Content) -> str:
        found = content.mount_from()
        if found is not None:
            self.mounted_from.append(found)
        taken = b"".join(content.read(0))
        if Digest.of(taken) != blob.digest:
            raise WrongContent(f"{blob.digest} is other bytes")
        self.blobs[blob.digest] = taken
        self.events.append(str(blob.digest))
        return "pushed"

    def put_manifest(self, document: Document, references: Sequence[str]) -> None:
        for reference in references or [str(document.descriptor.digest)]:
            self.manifests[reference] = document
            self.events.append(reference)


def image(place: MemoryPlace, *layers: bytes, subject: Descriptor | None = None) -> Document:
    """An image of these layers, in the place."""
    config = place.add(json.dumps({"rootfs": {"diff_ids": [str(Digest.of(one)) for one in layers]}}).encode())
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", place.add(one)) for one in layers],
        **({"subject": described(OCI_MANIFEST, subject)} if subject else {}),
    }
    made = Document(OCI_MANIFEST, json.dumps(document, separators=(",", ":")).encode())
    place.list(made)
    return made


def index(place: MemoryPlace, *children: Document, platforms: Sequence[str] = ()) -> Document:
    """An index of these manifests, in the place."""
    entries = [described(one.media_type, one.descriptor) for one in children]
    for entry, platform in zip(entries, platforms, strict=False):
        system, _, architecture = platform.partition("/")
        entry["platform"] = {"os": system, "architecture": architecture}
    made = Document(
        OCI_INDEX,
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, separators=(",", ":")).encode(),
    )
    place.list(made)
    return made


def described(media_type: str, listed: Descriptor) -> dict[str, object]:
    """A descriptor as manifests spell it."""
    return {"mediaType": media_type, "digest": str(listed.digest), "size": listed.size}


OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive; attributes as `tarfile.TarInfo` has them."""
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made, content


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar archive of these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as written:
        for made, content in members:
            written.addfile(made, io.BytesIO(content))
    return buffer.getvalue()


def tar_layer(text: bytes) -> bytes:
    """A layer with one file."""
    return archive(member("file", text))


def saved(*layers: bytes, names: Sequence[str] = ("app:1",), **changes: object) -> list[tuple[tarfile.TarInfo, bytes]]:
    """The members of what `docker save` writes of one image; `changes`: members of `manifest.json`'s entry."""
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [str(Digest.of(one)) for one in layers]}}).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    paths = [f"{number}{'0' * 60}/layer.tar" for number in range(len(layers))]
    entry = {"Config": config_name, "RepoTags": list(names), "Layers": paths, **changes}
    return [
        *(member(path, layer) for path, layer in zip(paths, layers, strict=True)),
        member(config_name, config),
        member("manifest.json", json.dumps([entry]).encode()),
    ]
