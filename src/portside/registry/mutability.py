"""May a tag move? The repository's tag mutability and its exclusion filters (ecr-behaviour 8). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.records import RepositorySettings, TagExclusion

MODES = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")


def is_immutable(settings: RepositorySettings, tag: str) -> bool:
    """Whether this tag, once set, stays where it is."""
    immutable = settings.tag_mutability.startswith("IMMUTABLE")
    return immutable != (
        settings.tag_mutability.endswith("_WITH_EXCLUSION") and _excluded(settings.tag_exclusions, tag)
    )


def _excluded(exclusions: Sequence[TagExclusion], tag: str) -> bool:
    return any(_matches(exclusion.filter, tag) for exclusion in exclusions)


def _matches(pattern: str, tag: str) -> bool:
    """Whether `*` runs make the pattern into the tag; every part is looked for once, so time is bounded."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == tag
    last = rest.pop()
    if not tag.startswith(first) or not tag[len(first) :].endswith(last):
        return False
    middle = tag[len(first) : len(tag) - len(last)]
    for part in rest:
        at = middle.find(part)
        if at < 0:
            return False
        middle = middle[at + len(part) :]
    return True
