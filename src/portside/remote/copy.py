"""The one verb that moves images: from a Source to a Target, children before parents.

Order is the law: blobs, then the manifests that list them, then the indexes that list those, then the tags; so a run
that ends early leaves no name that stands for half an image. Several blobs go at once, nothing is held whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor, Manifest, read
from portside.remote.errors import WrongContent
from portside.remote.ports import Content, Document, Source, Target
from portside.remote.progress import Progress, Stop, Stopped

_DEEPEST = 8
"""Ours: indexes within indexes."""
_ACCEPT = ", ".join(sorted(media_types.IMAGES | media_types.INDEXES | media_types.ARTIFACTS))


@dataclass(frozen=True, slots=True)
class Wishes:
    """How an image is copied."""

    tags: Sequence[str] = ()
    """What it is called there; by its digest alone when there is none."""
    jobs: int = 4
    """Blobs at once."""
    referrers: bool = False
    """Copy what refers to it too: signatures, inventories."""
    dry_run: bool = False


@dataclass
class Summary:
    """What a copy did, in blobs, manifests and bytes."""

    root: Descriptor
    pushed: int = 0
    mounted: int = 0
    present: int = 0
    resumed: int = 0
    manifests: int = 0
    bytes_sent: int = 0
    """Bytes of the blobs that were not there."""
    bytes_total: int = 0
    """Bytes of every blob of the image, each once."""
    blobs: list[tuple[Descriptor, str]] = field(default_factory=list[tuple[Descriptor, str]])
    """Every blob with what became of it."""


@dataclass(frozen=True, slots=True)
class _Node:
    document: Document
    manifest: Manifest


class Copy:
    """One image on its way. Raises what source and target raise; WrongContent for a manifest that is none."""

    def __init__(
        self,
        source: Source,
        target: Target,
        wishes: Wishes,
        progress: Progress,
        stop: Stop,
        *,
        mounts: Callable[[Digest], str | None] = lambda _: None,
        placed: Mapping[Digest, str] | None = None,
    ) -> None:
        """`mounts`: a repository of the target's registry that a blob may be mounted from.

        `placed`: what became of blobs that were brought to the target just before: they are not asked for again.
        """
        self._source = source
        self._target = target
        self._wishes = wishes
        self._progress = progress
        self._stop = stop
        self._mounts = mounts
        self._placed = placed or {}
        self._done: set[Digest] = set()

    def run(self, root: Document | None = None) -> Summary:
        """Copy the image; `root` in place of the source's own, when its manifest is a part of it."""
        document = root or self._source.root()
        summary = Summary(document.descriptor)
        self._copy(document, list(self._wishes.tags), summary)
        return summary

    def _copy(self, document: Document, tags: list[str], summary: Summary) -> None:
        nodes = list(self._nodes(document, 0))
        there = self._manifests_there(nodes, tags)
        self._blobs(nodes, there, summary)
        if not self._wishes.dry_run:
            self._manifests(nodes, there, tags, summary)
        if self._wishes.referrers:
            self._referrers(nodes, summary)

    def _nodes(self, document: Document, depth: int) -> Iterator[_Node]:
        """Every manifest below and including this one, children first, each once."""
        digest = document.descriptor.digest
        if digest in self._done:
            return
        self._done.add(digest)
        self._stop.check()
        if depth > _DEEPEST:
            raise WrongContent(f"The image has more than {_DEEPEST} indexes within each other", "check the source")
        try:
            manifest = read(document.content, document.media_type or None)
        except InvalidParameter as error:
            raise WrongContent(f"{digest} is no manifest ({error})", "check the source") from None
        for child in manifest.images:
            yield from self._nodes(self._source.manifest(child), depth + 1)
        yield _Node(document, manifest)

    def _manifests_there(self, nodes: list[_Node], tags: list[str]) -> dict[Digest, str]:
        """Which manifests the target has, and under which of the tags the root: `tag`, else `digest`."""
        root = nodes[-1].document.descriptor.digest if nodes else None

        def state(node: _Node) -> str | None:
            digest = node.document.descriptor.digest
            if digest == root and tags and all(self._target.holds(tag, _ACCEPT) == digest for tag in tags):
                return "tag"
            return "digest" if self._target.holds(str(digest), _ACCEPT) == digest else None

        with ThreadPoolExecutor(self._wishes.jobs) as threads:
            states = zip(nodes, threads.map(state, nodes), strict=True)
            return {node.document.descriptor.digest: known for node, known in states if known is not None}

    def _blobs(self, nodes: list[_Node], there: dict[Digest, str], summary: Summary) -> None:
        wanted: dict[Digest, Descriptor] = {}
        present: dict[Digest, Descriptor] = {}
        for node in nodes:
            into = present if node.document.descriptor.digest in there else wanted
            into.update({blob.digest: blob for blob in node.manifest.blobs})
        for digest in [one for one in wanted if one in self._placed]:
            _count(summary, wanted.pop(digest), self._placed[digest])
        asked = [blob for digest, blob in wanted.items() if digest not in present]
        missing = self._target.missing(asked) if asked else set[Digest]()
        for blob in (*present.values(), *(one for one in asked if one.digest not in missing)):
            self._progress.started(str(blob.digest), blob.size)
            self._progress.finished(str(blob.digest), "present")
            _count(summary, blob, "present")
        self._send([blob for blob in asked if blob.digest in missing], summary)

    def _send(self, blobs: list[Descriptor], summary: Summary) -> None:
        for blob in blobs:
            self._progress.started(str(blob.digest), blob.size)
        if self._wishes.dry_run:
            for blob in blobs:
                self._progress.finished(str(blob.digest), "missing")
                _count(summary, blob, "missing")
            return
        if not blobs:
            return
        # The largest first: the last to end is then a small one.
        with ThreadPoolExecutor(self._wishes.jobs) as threads:
            ordered = sorted(blobs, key=lambda blob: -blob.size)
            running = {threads.submit(self._one, blob): blob for blob in ordered}
            failed = _first_failure(running)
            if failed is not None:
                self._stop.set()
        if failed is not None:
            raise failed
        for future, blob in running.items():
            _count(summary, blob, future.result())

    def _one(self, blob: Descriptor) -> str:
        self._stop.check()
        outcome = self._target.put_blob(blob, _Blob(self._source, blob, self._mounts(blob.digest)))
        self._progress.finished(str(blob.digest), outcome)
        return outcome

    def _manifests(self, nodes: list[_Node], there: dict[Digest, str], tags: list[str], summary: Summary) -> None:
        for node in nodes:
            self._stop.check()
            digest = node.document.descriptor.digest
            is_root = node is nodes[-1]
            state = there.get(digest)
            if state == "tag" or (state == "digest" and not (is_root and tags)):
                continue
            self._target.put_manifest(node.document, tags if is_root else [str(digest)])
            summary.manifests += 1

    def _referrers(self, nodes: list[_Node], summary: Summary) -> None:
        for node in nodes:
            for listed in self._source.referrers(node.document.descriptor.digest):
                if listed.digest not in self._done:
                    self._copy(self._source.manifest(listed), [], summary)


@dataclass(frozen=True, slots=True)
class _Blob:
    """A blob of a source, as a target reads it."""

    source: Source
    blob: Descriptor
    repository: str | None

    def read(self, start: int) -> Iterator[bytes]:
        return self.source.blob(self.blob, start)

    def mount_from(self) -> str | None:
        return self.repository


def _first_failure(running: dict[Future[str], Descriptor]) -> BaseException | None:
    done, rest = wait(running, return_when=FIRST_EXCEPTION)
    failures = [failure for future in done if (failure := future.exception()) is not None]
    failed = next((one for one in failures if not isinstance(one, Stopped)), failures[0] if failures else None)
    if failed is not None:
        for future in rest:
            future.cancel()
    return failed


def _count(summary: Summary, blob: Descriptor, outcome: str) -> None:
    summary.blobs.append((blob, outcome))
    summary.bytes_total += blob.size
    summary.present += outcome == "present"
    summary.mounted += outcome == "mounted"
    summary.resumed += outcome == "resumed"
    summary.pushed += outcome in {"pushed", "pulled"}
    summary.bytes_sent += blob.size if outcome in {"pushed", "pulled", "resumed", "missing"} else 0


__all__ = ["Content", "Copy", "Summary", "Wishes"]
