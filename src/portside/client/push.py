"""`portside push`: from wherever an image is to a registry. What the command does, without what a person sees."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from portside.client import sources
from portside.client.connections import Connections, image_name
from portside.client.sources import Kind, Place
from portside.core import media_types
from portside.core.digest import Digest
from portside.core.names import Tag, parse_tag
from portside.remote import platforms
from portside.remote.conversion import converted
from portside.remote.copy import Copy, Summary, Wishes
from portside.remote.ecr_api import EcrError
from portside.remote.errors import NotFound, Unreachable, Unusable
from portside.remote.files import Folder
from portside.remote.kept import NotKept
from portside.remote.layout import LayoutSource
from portside.remote.ports import Document, Source
from portside.remote.progress import Progress, Stop
from portside.remote.references import Reference
from portside.remote.registry_target import RegistryTarget

if TYPE_CHECKING:
    from portside.client.ingestion import Ingestion
    from portside.remote.compression import Compression
    from portside.remote.engine import Engine


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
        with ThreadPoolExecutor() as threads:
            summary = self._pushed(_Going(target, reference, tags), place, threads)
        if not self._wishes.dry_run:
            blobs = [blob.digest for blob, _ in summary.blobs]
            self._connections.store.seen(reference.host, reference.repository, blobs)
        return Pushed(reference, tags, summary, time.monotonic() - begun)

    def _pushed(self, going: _Going, place: Place, threads: ThreadPoolExecutor) -> Summary:
        if place.kind is Kind.LAYOUT:
            return self._copied(LayoutSource(Folder(Path(place.name)), place.wanted), going, threads)
        if place.kind is Kind.REGISTRY:
            return self._copied(self._connections.source(image_name(place.name)), going, threads)
        ingestion = self._ingestion(going, threads)
        if place.kind is Kind.ENGINE:
            engine = self._engine()
            image = ingestion.described(engine, place.name)
            known = ingestion.remembered(image)
            if known is not None:
                try:
                    return self._finished(known, known.root(), going)
                except NotKept:
                    self._progress.said("The registry lacks layers that it had; the engine saves the image")
            source = ingestion.saved(engine, place.name)
        else:
            source = ingestion.archived(place)
        return self._copied(source, going, threads, ingestion=ingestion)

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
        from portside.client.engines import endpoint  # noqa: PLC0415 - as below
        from portside.remote.engine import Engine  # noqa: PLC0415 - as below

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
        going: _Going,
        threads: ThreadPoolExecutor,
        *,
        ingestion: Ingestion | None = None,
    ) -> Summary:
        """Copy what the wishes make of a source; `ingestion`: what brought its layers to the target."""
        root = source.root()
        if self._wishes.platform and root.media_type in media_types.INDEXES:
            root = source.manifest(platforms.chosen(root, self._wishes.platform))
        if self._wishes.compression is not None:
            from portside.remote.recompression import recompressed  # noqa: PLC0415 - as below

            ingestion = ingestion or self._ingestion(going, threads)
            source, root = recompressed(source, root, ingestion.ingest)
        if self._wishes.form is not None:
            source, root = converted(source, root, self._wishes.form)
        return self._finished(source, root, going, placed=ingestion.outcomes if ingestion else None)

    def _ingestion(self, going: _Going, threads: ThreadPoolExecutor) -> Ingestion:
        from portside.client.ingestion import Ingestion  # noqa: PLC0415 - a layout needs no compression

        return Ingestion(
            self._connections, self._wishes, self._progress, self._stop, target=going.target, threads=threads
        )

    def _finished(
        self, source: Source, root: Document, going: _Going, *, placed: Mapping[Digest, str] | None = None
    ) -> Summary:
        wishes = Wishes(going.tags, self._wishes.jobs, referrers=self._wishes.referrers, dry_run=self._wishes.dry_run)
        mounts = self._connections.mounts(going.reference.host, going.reference.repository, source.origin())
        kept = None if self._wishes.dry_run else placed
        copy = Copy(source, going.target, wishes, self._progress, self._stop, mounts=mounts, placed=kept)
        return copy.run(root)


@dataclass(frozen=True, slots=True)
class _Going:
    """Where an image goes."""

    target: RegistryTarget
    reference: Reference
    tags: Sequence[str]
