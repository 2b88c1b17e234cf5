"""What a repository creation template says, and which repositories it is for (ecr-behaviour 7). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from portside.core.records import RepositorySettings, TagExclusion
from portside.storage.metadata.templates import TemplateRow

ROOT = "ROOT"
"""The prefix of the template for whatever no other one is for."""
CREATE_ON_PUSH = "CREATE_ON_PUSH"
_LONGEST = 256
"""Characters of a prefix, as the service model has them."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it stands; times are microseconds since 1970."""

    prefix: str
    applied_for: Sequence[str]
    """PULL_THROUGH_CACHE, REPLICATION, CREATE_ON_PUSH: what makes repositories by it."""
    settings: RepositorySettings = field(default_factory=RepositorySettings)
    description: str | None = None
    repository_policy: str | None = None
    lifecycle_policy: str | None = None
    custom_role: str | None = None
    """ARN of a role: kept and shown; nothing here assumes a role to make a repository."""
    created_at: int = 0
    updated_at: int = 0


def prefixes_of(name: str) -> list[str]:
    """Give the prefixes of templates that a repository may be made by, the one that wins first.

    A prefix ends where a name's part does, with its slash or without: `prod` is for `prod/web` and for nothing else.
    """
    parts = name.split("/")
    names = ["/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    return [*(f"{one}{slash}" for one in names for slash in ("/", "")), ROOT]


def spellings(prefix: str) -> tuple[str, ...]:
    """Give a prefix without the slash that it ends with, and with it: both are the same one."""
    bare = prefix.removesuffix("/")
    return (bare,) if bare == ROOT or len(bare) == _LONGEST else (bare, f"{bare}/")


def packed(template: Template) -> str:
    """Write what the row does not say by itself."""
    settings = template.settings
    return json.dumps(
        {
            "applied_for": list(template.applied_for),
            "description": template.description,
            "tag_mutability": settings.tag_mutability,
            "tag_exclusions": [[item.filter, item.filter_type] for item in settings.tag_exclusions],
            "encryption_type": settings.encryption_type,
            "kms_key": settings.kms_key,
            "resource_tags": dict(settings.resource_tags),
            "repository_policy": template.repository_policy,
            "lifecycle_policy": template.lifecycle_policy,
            "custom_role": template.custom_role,
        },
        separators=(",", ":"),
    )


def unpacked(row: TemplateRow) -> Template:
    """Read a row."""
    found = json.loads(row.document)
    settings = RepositorySettings(
        tag_mutability=found["tag_mutability"],
        tag_exclusions=tuple(TagExclusion(*item) for item in found["tag_exclusions"]),
        encryption_type=found["encryption_type"],
        kms_key=found["kms_key"],
        resource_tags=found["resource_tags"],
    )
    return Template(
        row.prefix,
        tuple(found["applied_for"]),
        settings,
        found["description"],
        found["repository_policy"],
        found["lifecycle_policy"],
        found["custom_role"],
        row.created_at,
        row.updated_at,
    )
