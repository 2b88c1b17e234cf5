"""`portside push`: from wherever an image is to a registry. What the command does, without what a person sees."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from portside.client import sources
from portside.client.connections import Connections, image_name
from portside.client.engines import endpoint
from portside.client.sources import Kind, Place
from portside.core import media_types
from portside.core.names import Tag, parse_tag
from portside.remote import platforms
from portside.remote.compression import Compression
from portside.remote.conversion import converted
from portside.remote.copy import Copy, Summary, Wishes
from portside.remote.ecr_api import EcrError
from portside.remote.engine import Engine
from portside.remote.errors import NotFound, Unreachable, Unusable
from portside.remote.files import Folder, TarFile
from portside.remote.images import Images, config_of
from portside.remote.ingest import Ingest
from portside.remote.kept import NotKept
from portside.remote.layout import LayoutSource
from portside.remote.ports import Document, Source
from portside.remote.progress import Progress, Stop
from portside.remote.recompression import recompressed
from portside.remote.references import Reference
from portside.remote.registry_target import RegistryTarget

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Creation:
    """How the repository is made when it is not there."""

    immutable: bool = False
    scan_on_push: bool = False
    kms_key: str | None = None


@dataclass(frozen=True, slots=True)
class PushWishes:
    """The options of `portside push`."""

    tags: Sequence[str] = ()
    platform: str | None = None
    referrers: bool = False
    create: Creation | None = None
    dry_run: bool = False
    form: str | None = None
    """`oci` or `docker`; None keeps what the source has, and makes OCI's of what has none."""
    compression: Compression | None = None
    """How layers are compressed; None: with gzip those of engines and archives, as they are those of other sources."""
    jobs: int = 4


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did."""

    reference: Reference
    tags: Sequence[str]
    summary: Summary
    seconds: float


class Push:
    """One push. Raises what `remote` raises."""

    def __init__(
        self,
        connections: Connections,
        environment: Mapping[str, str],
        wishes: PushWishes,
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._connections = connections
        self._environment = environment
        self._wishes = wishes
        self._progress = progress
        self._stop = stop

    def run(self, source: str, destination: str | None) -> Pushed:
        """Push `source` to `destination`, or to where its own name says."""
        begun = time.monotonic()
        place = sources.parse(source)
        reference = self._reference(place, destination)
        tags = self._tags(place, reference)
        if place.guessed:
            place = self._guessed(place)
        if self._wishes.create is not None and not self._wishes.dry_run:
            self._create(reference, self._wishes.create)
        target = self._connections.target(reference)
        if place.kind is Kind.ENGINE:
            summary = self._from_engine(place, target, reference, tags)
        elif place.kind is Kind.ARCHIVE:
            summary = self._from_archive(place, target, reference, tags)
        elif place.kind is Kind.LAYOUT:
            summary = self._copied(LayoutSource(Folder(Path(place.name)), place.wanted), target, reference, tags)
        else:
            read = self._connections.source(image_name(place.name))
            summary = self._copied(read, target, reference, tags)
        if not self._wishes.dry_run:
            blobs = [blob.digest for blob, _ in summary.blobs]
            self._connections.store.seen(reference.host, reference.repository, blobs)
        return Pushed(reference, tags, summary, time.monotonic() - begun)

    def _reference(self, place: Place, destination: str | None) -> Reference:
        if destination is None:
            if place.kind is Kind.ENGINE and sources.names_a_host(place.name):
                return Reference.parse(place.name)
            raise Unusable(f"'{place.name}' does not say where to push it", "name a DESTINATION, HOST/REPOSITORY:TAG")
        reference = self._connections.destination(destination)
        if reference.digest is not None:
            raise Unusable("A DESTINATION has a tag, not a digest", "write HOST/REPOSITORY:TAG")
        return reference

    def _tags(self, place: Place, reference: Reference) -> list[Tag]:
        tags = [parse_tag(tag) for tag in self._wishes.tags]
        if reference.tag is not None:
            tags.insert(0, reference.tag)
        if not tags and place.kind in {Kind.ENGINE, Kind.REGISTRY}:
            named = image_name(place.name)
            tags = [] if named.digest and not named.tag else [named.tag or parse_tag("latest")]
        elif not tags and ":" not in place.wanted:
            tags = [parse_tag(place.wanted or "latest")]
        return list(dict.fromkeys(tags))

    def _guessed(self, place: Place) -> Place:
        """An engine's image, or, when no engine has it and its name begins with a host, a registry's."""
        try:
            self._engine().inspect(place.name)
        except (NotFound, Unreachable) as failure:
            if sources.names_a_host(place.name):
                return Place(Kind.REGISTRY, place.name)
            if isinstance(failure, Unreachable):
                raise
            advice = "there is no such file, folder or reference of a registry either"
            raise NotFound(failure.message, advice) from None
        return Place(Kind.ENGINE, place.name)

    def _engine(self) -> Engine:
        return Engine(endpoint(self._environment))

    def _create(self, reference: Reference, creation: Creation) -> None:
        api = self._connections.api(reference.host)
        if api is None:
            raise Unusable(f"{reference.host} has no ECR API to create a repository with", "leave out --create")
        encryption = {"encryptionType": "KMS", "kmsKey": creation.kms_key} if creation.kms_key else None
        members = {
            "repositoryName": reference.repository,
            "imageTagMutability": "IMMUTABLE" if creation.immutable else "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": creation.scan_on_push},
            **({"encryptionConfiguration": encryption} if encryption else {}),
        }
        try:
            api.call("CreateRepository", **members)
        except EcrError as error:
            if error.word != "RepositoryAlreadyExistsException":
                raise
        else:
            self._progress.said(f"Created the repository {reference.name}")

    def _copied(
        self,
        source: Source,
        target: RegistryTarget,
        reference: Reference,
        tags: Sequence[str],
        *,
        ingest: Ingest | None = None,
    ) -> Summary:
        root = source.root()
        if self._wishes.platform and root.media_type in media_types.INDEXES:
            root = source.manifest(platforms.chosen(root, self._wishes.platform))
        if self._wishes.compression is not None and ingest is None:
            with ThreadPoolExecutor() as threads:
                ingest = self._ingest(target, threads)
                source, root = recompressed(source, root, ingest)
        if self._wishes.form is not None:
            source, root = converted(source, root, self._wishes.form)
        return self._finished(source, root, target, reference, tags, ingest=ingest)

    def _finished(
        self,
        source: Source,
        root: Document,
        target: RegistryTarget,
        reference: Reference,
        tags: Sequence[str],
        *,
        ingest: Ingest | None = None,
    ) -> Summary:
        wishes = Wishes(tags, self._wishes.jobs, referrers=self._wishes.referrers, dry_run=self._wishes.dry_run)
        mounts = self._connections.mounts(reference.host, reference.repository, source.origin())
        placed = ingest.outcomes if ingest is not None and not self._wishes.dry_run else None
        return Copy(source, target, wishes, self._progress, self._stop, mounts=mounts, placed=placed).run(root)

    def _from_engine(self, place: Place, target: RegistryTarget, reference: Reference, tags: Sequence[str]) -> Summary:
        engine, store = self._engine(), self._connections.store
        image = engine.inspect(place.name)
        self._must_fit(image.platform)
        with ThreadPoolExecutor() as threads:
            ingest = self._ingest(target, threads)
            images = self._images(ingest)
            known = images.remembered(image, store.config_size(image.id))
            if known is not None:
                try:
                    return self._finished(known, known.root(), target, reference, tags)
                except NotKept:
                    self._progress.said("The registry lacks layers that it had; the engine saves the image")
            with engine.saved(place.name) as file:
                name = f"the engine's image {place.name}"
                source, layers = images.streamed(file, "", name, named=store.named)
        for name, layer in layers.items():
            store.name(name, layer.diff_id)
        return self._ingested(source, ingest, target, reference, tags)

    def _from_archive(self, place: Place, target: RegistryTarget, reference: Reference, tags: Sequence[str]) -> Summary:
        with ThreadPoolExecutor() as threads:
            ingest = self._ingest(target, threads)
            images = self._images(ingest)
            if place.name == "-":
                source, _ = images.streamed(sys.stdin.buffer, place.wanted, "standard input")
            elif _is_plain_tar(Path(place.name)):
                source = images.archived(TarFile(Path(place.name)), place.wanted)
            else:
                with Path(place.name).open("rb") as file:
                    source, _ = images.streamed(file, place.wanted, place.name)
        return self._ingested(source, ingest, target, reference, tags)

    def _ingested(
        self, source: Source, ingest: Ingest, target: RegistryTarget, reference: Reference, tags: Sequence[str]
    ) -> Summary:
        config = config_of(source)
        if config is not None:
            self._connections.store.keep_config(config)
        return self._copied(source, target, reference, tags, ingest=ingest)

    def _must_fit(self, platform: str) -> None:
        wanted = self._wishes.platform
        if wanted and not f"{platform}/".startswith(f"{wanted}/") and platform.partition("/")[2] != wanted:
            raise NotFound(f"The engine has the image for {platform}", f"it has none for {wanted}; pull that one first")

    def _images(self, ingest: Ingest) -> Images:
        return Images(ingest, self._stop, form=self._wishes.form or "oci", jobs=self._wishes.jobs)

    def _ingest(self, target: RegistryTarget, threads: ThreadPoolExecutor) -> Ingest:
        sink = target.rehearsal() if self._wishes.dry_run else target.uploads
        return Ingest(
            sink,
            lambda blob: not target.missing([blob]),
            self._connections.store,
            self._wishes.compression or Compression(),
            progress=self._progress,
            threads=threads,
        )


def _is_plain_tar(path: Path) -> bool:
    """Whether a path is a regular file that is not compressed: only such a one can be read from anywhere."""
    try:
        with path.open("rb") as file:
            if not os.path.isfile(path):  # noqa: PTH113 - follows links, as open does
                return False
            return not file.read(2).startswith(_GZIP)
    except OSError as error:
        raise NotFound(f"{path} cannot be read ({error.strerror})", "check its rights") from None
