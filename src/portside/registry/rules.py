"""The rules that whoever runs a registry sets for it: its quotas, and where it keeps to ECR's letter.

Every check here is pure; whoever calls it does so in the unit that makes the change, so that two requests cannot both
take the last place. The defaults of quotas are ECR's (ecr-behaviour 12).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from portside.core.errors import InvalidParameter, LimitExceeded
from portside.core.names import RegistryId, RepositoryId, Tag
from portside.core.records import Repository

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much there may be. A check raises LimitExceeded in the words of ECR where they are known."""

    repositories: int = 100_000
    """In a registry."""
    images: int = 100_000
    """In a repository."""
    tags: int = 1_000
    """Of an image."""
    layer_bytes: int = 52_000 * _MIB
    layer_parts: int = 4_200
    """Of an upload through the API."""
    smallest_part: int = 5 * _MIB
    """Bytes of every part but the last."""
    largest_part: int = 20 * _MIB
    """Bytes of a part; the service model takes no more than 20 MiB."""
    manifest_bytes: int = 4 * _MIB
    """The service model takes no more than 4 MiB."""

    def admit_repository(self, registry: RegistryId, count: int) -> None:
        """Refuse a repository that makes them `count`."""
        if count > self.repositories:
            raise LimitExceeded(
                f"The registry with id '{registry.account}' already has the maximum allowed number of repositories "
                f"which is '{self.repositories}'"
            )

    def admit_image(self, held: Repository) -> None:
        """Refuse one more image."""
        if held.images >= self.images:
            raise LimitExceeded(
                f"The repository with name '{held.id.name}' in registry with id '{held.id.account}' already has "
                f"the maximum allowed number of images which is '{self.images}'"
            )

    def admit_tag(self, repository: RepositoryId, tag: Tag, *, full: bool) -> None:
        """Refuse one more tag of an image that is full of them."""
        if full:
            raise LimitExceeded(
                f"Adding tag '{tag}' to an image in the repository with name '{repository.name}' in registry with id "
                f"'{repository.account}' exceeds the maximum allowed number of tags per image which is '{self.tags}'"
            )

    def admit_layer(self, size: int) -> None:
        """Refuse an upload of more bytes than a layer may have."""
        if size > self.layer_bytes:
            raise LimitExceeded(f"The layer exceeds the maximum allowed size which is '{self.layer_bytes}' bytes")

    def admit_part(self, parts: int) -> None:
        """Refuse one more part of an upload that has `parts`."""
        if parts >= self.layer_parts:
            raise LimitExceeded(f"An upload cannot have more than {self.layer_parts} parts.")

    def admit_manifest(self, content: bytes) -> None:
        """Refuse a manifest that is too long, in the words of the service model; raises InvalidParameter."""
        if len(content) > self.manifest_bytes:
            reason = f"Member must have length less than or equal to {self.manifest_bytes}"
            raise InvalidParameter("ImageManifest", reason)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the nouns are told at wiring. Off ECR's letter by default where OCI's specification asks for more."""

    quotas: Quotas = field(default_factory=Quotas)
    create_on_push: bool = False
    """A push to a missing repository makes it."""
    chunks_are_parts: bool = False
    """Docker's chunks keep ECR's rules of parts: a smallest size for all but the last, and no upload of nothing."""
    mounts_anything: bool = True
    """A blob is mounted before an image refers to it too, and without the name of a repository that has it."""
