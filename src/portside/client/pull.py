"""`portside pull` and `portside copy`: from a registry to a folder, a file, an engine or another registry."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portside.client.connections import Connections, image_name
from portside.client.engines import endpoint
from portside.client.push import Pushed
from portside.core import media_types
from portside.core.manifests import read
from portside.core.names import parse_tag
from portside.remote import platforms
from portside.remote.archive import write
from portside.remote.copy import Copy, Summary, Wishes
from portside.remote.engine import Engine
from portside.remote.engine_target import archive
from portside.remote.errors import Unusable
from portside.remote.layout import LayoutTarget
from portside.remote.ports import Document
from portside.remote.progress import Progress, Stop
from portside.remote.references import Reference
from portside.remote.registry_source import RegistrySource

ENGINE = "docker"
"""The place that is no path: the engine that `docker` speaks to."""


@dataclass(frozen=True, slots=True)
class CopyWishes:
    """The options of `pull` and `copy`."""

    platform: str | None = None
    referrers: bool = False
    jobs: int = 4
    tags: Sequence[str] = ()


class Pull:
    """One pull or copy. Raises what `remote` raises."""

    def __init__(
        self,
        connections: Connections,
        environment: Mapping[str, str],
        wishes: CopyWishes,
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._connections = connections
        self._environment = environment
        self._wishes = wishes
        self._progress = progress
        self._stop = stop

    def to(self, name: str, place: str) -> Pushed:
        """Pull an image to `docker`, to a folder (a layout), or to a file that ends in `.tar` (an archive of OCI)."""
        begun = time.monotonic()
        reference = image_name(name)
        source, root = self._chosen(reference)
        if place == ENGINE:
            summary = self._to_engine(source, root, reference)
        elif place.endswith(".tar"):
            summary = write(source, root, Path(place), self._tag(reference), progress=self._progress, stop=self._stop)
        else:
            target = LayoutTarget(Path(place), self._progress, self._stop)
            tag = self._tag(reference)
            wishes = Wishes([tag] if tag else [], self._wishes.jobs, referrers=self._wishes.referrers)
            summary = Copy(source, target, wishes, self._progress, self._stop).run(root)
        return Pushed(reference, [tag] if (tag := self._tag(reference)) else [], summary, time.monotonic() - begun)

    def copy(self, name: str, destination: str) -> Pushed:
        """Copy an image from one registry to another, or within one."""
        begun = time.monotonic()
        reference = image_name(name)
        there = self._connections.destination(destination)
        if there.digest is not None:
            raise Unusable("A DESTINATION has a tag, not a digest", "write HOST/REPOSITORY:TAG")
        source, root = self._chosen(reference)
        tags = [parse_tag(tag) for tag in self._wishes.tags]
        own = there.tag or (self._tag(reference) and parse_tag(self._tag(reference)))
        tags = list(dict.fromkeys([own, *tags])) if own else tags
        wishes = Wishes(tags, self._wishes.jobs, referrers=self._wishes.referrers)
        mounts = self._connections.mounts(there.host, there.repository, source.origin())
        target = self._connections.target(there)
        summary = Copy(source, target, wishes, self._progress, self._stop, mounts=mounts).run(root)
        blobs = [blob.digest for blob, _ in summary.blobs]
        self._connections.store.seen(there.host, there.repository, blobs)
        return Pushed(there, tags, summary, time.monotonic() - begun)

    def _chosen(self, reference: Reference) -> tuple[RegistrySource, Document]:
        source = self._connections.source(reference)
        root = source.root()
        if self._wishes.platform and root.media_type in media_types.INDEXES:
            root = source.manifest(platforms.chosen(root, self._wishes.platform))
        return source, root

    def _to_engine(self, source: RegistrySource, root: Document, reference: Reference) -> Summary:
        if root.media_type in media_types.INDEXES:
            root = source.manifest(platforms.chosen(root, _machine()))
        name = f"{reference.name}:{reference.tag or 'latest'}"
        names = [] if reference.digest and not reference.tag else [name]
        engine = Engine(endpoint(self._environment))
        engine.load(archive(source, root, names, self._progress, self._stop))
        summary = Summary(root.descriptor)
        for blob in read(root.content, root.media_type).blobs:
            summary.blobs.append((blob, "pulled"))
            summary.pushed += 1
            summary.bytes_sent += blob.size
            summary.bytes_total += blob.size
        return summary

    def _tag(self, reference: Reference) -> str:
        return "" if reference.digest and not reference.tag else str(reference.tag or "latest")


def _machine() -> str:
    import platform  # noqa: PLC0415 - only an engine without a wish needs it

    known = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
    return f"linux/{known.get(platform.machine(), platform.machine())}"
