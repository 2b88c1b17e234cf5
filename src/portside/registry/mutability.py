"""May a tag move? The repository's tag mutability and its exclusion filters (ecr-behaviour 8). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.records import RepositorySettings, TagExclusion
from portside.core.wildcards import matches

MODES = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")


def is_immutable(settings: RepositorySettings, tag: str) -> bool:
    """Whether this tag, once set, stays where it is."""
    immutable = settings.tag_mutability.startswith("IMMUTABLE")
    return immutable != (
        settings.tag_mutability.endswith("_WITH_EXCLUSION") and _excluded(settings.tag_exclusions, tag)
    )


def _excluded(exclusions: Sequence[TagExclusion], tag: str) -> bool:
    return any(matches(exclusion.filter, tag) for exclusion in exclusions)
