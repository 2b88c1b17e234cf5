"""What images come from and go to. `remote/copy.py` moves them from one to the other.

Rule: a Source hands out bytes that were not checked, a Target takes them and does; neither has heard of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from portside.core.digest import Digest
from portside.core.manifests import Descriptor


@dataclass(frozen=True, slots=True)
class Listed:
    """A manifest as something else lists it: a descriptor, and what stands beside it."""

    descriptor: Descriptor
    platform: str | None = None
    """`os/architecture[/variant]`."""
    artifact_type: str | None = None
    annotations: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest: its bytes, never changed, and what they are."""

    media_type: str
    content: bytes

    @property
    def descriptor(self) -> Descriptor:
        """Its name and size."""
        return Descriptor(self.media_type, Digest.of(self.content), len(self.content))


class Source(Protocol):
    """A place that images are read from. Used from several threads."""

    def root(self) -> Document:
        """The manifest that was asked for. Raises NotFound, WrongContent and what the place raises."""
        ...

    def manifest(self, listed: Descriptor) -> Document:
        """A manifest by its digest, of exactly that digest. Raises NotFound, WrongContent."""
        ...

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        """A blob's bytes from `start` on, unchecked, in pieces of about a MiB. Raises NotFound."""
        ...

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """The manifests whose `subject` this is; none where the place cannot know."""
        ...

    def origin(self) -> tuple[str, str] | None:
        """Host and repository, when the place is a registry: its blobs may be mounted there."""
        ...


class Target(Protocol):
    """A place that images are written to. Used from several threads."""

    def holds(self, reference: str, accept: str) -> Digest | None:
        """The digest of the manifest that a tag or a digest stands for; None when there is none."""
        ...

    def missing(self, blobs: Sequence[Descriptor]) -> set[Digest]:
        """Those that the place does not have, asked together."""
        ...

    def put_blob(self, blob: Descriptor, content: Content) -> str:
        """Store a blob; gives how (`pushed`, `mounted`, `resumed`). Raises WrongContent for bytes of another digest."""
        ...

    def put_manifest(self, document: Document, references: Sequence[str]) -> None:
        """Store a manifest under each tag or digest; what it lists is there already. Raises WrongContent.

        Without any reference it is an image that has no tag.
        """
        ...


class Content(Protocol):
    """A blob's bytes, which can be had again from any position."""

    def read(self, start: int) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of about a MiB."""
        ...

    def mount_from(self) -> str | None:
        """A repository of the same registry that has the blob."""
        ...
