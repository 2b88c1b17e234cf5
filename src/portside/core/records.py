"""What the registry remembers: plain values that cross between rooms. Times are microseconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portside.core.digest import Digest
from portside.core.names import RepositoryId, Tag


@dataclass(frozen=True, slots=True)
class TagExclusion:
    """A pattern of tags that the repository's mutability does not apply to."""

    filter: str
    filter_type: str = "WILDCARD"


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What CreateRepository is told besides a name."""

    tag_mutability: str = "MUTABLE"
    tag_exclusions: Sequence[TagExclusion] = ()
    scan_on_push: bool = False
    encryption_type: str = "AES256"
    kms_key: str | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it stands."""

    key: int
    """The row's number: never reused, unlike the name."""
    id: RepositoryId
    settings: RepositorySettings
    content_key: str
    """The id of the data key that seals its content."""
    created_at: int
    images: int = 0
    """How many images it holds."""


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest and what is known of it."""

    digest: Digest
    media_type: str
    artifact_type: str | None
    subject: Digest | None
    size: int
    """Bytes of the manifest itself."""
    content_size: int
    """Bytes of configuration and layers; for an index, of its largest child."""
    pushed_at: int
    last_pull_at: int | None
    tags: Sequence[Tag] = ()
    status: str = "ACTIVE"
    """ARCHIVED or ACTIVATING while it cannot be pulled (ecr-behaviour 10.3)."""
    archived_at: int | None = None
    """When it was last archived."""
    activated_at: int | None = None
    """When it last came back from the archive."""
    bereft: bool = False
    """The image that it refers to was here, and was deleted."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A blob as one repository holds it."""

    digest: Digest
    size: int
    location: str
    media_type: str | None
    """As the last manifest that refers to it says; None while none does."""
    referenced: bool
    """Whether an image refers to it."""
    archived: bool = False
    """Whether every image that refers to it is archived."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in progress, or one completed within the last day."""

    id: str
    repository_key: int
    location: str
    """Where the bytes are staged."""
    started_at: int
    received: int = 0
    """Bytes held, the remainder included."""
    remainder: bytes = b""
    """The sealed end of what was received, which is written when more comes or the upload is completed."""
    turn: int = 0
    """Moves with every request that writes, so that a stale one is noticed."""
    parts: int = 0
    """How many parts came through the API, or by docker's protocol where its chunks count as parts."""
    first_part: int = 0
    """Bytes of the first of them."""
    last_part: int = 0
    """Bytes of the latest of them."""
    undersized: bool = False
    """Whether a part before the latest is smaller than ECR lets it be."""
    held_until: int = 0
    """A request writes to it until then; 0 when the last one let go."""
    completed: Digest | None = None
