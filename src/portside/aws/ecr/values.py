"""Values that several operations read or write: times, pages, resource tags, tag exclusions, image identifiers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar, cast

from portside.aws.ecr import model
from portside.core import digest
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter, InvalidTagParameter, TooManyTags
from portside.core.names import ImageId, parse_tag
from portside.core.records import TagExclusion

T = TypeVar("T")

_PAGE = 100
_MOST_TAGS = 50
_LONGEST_KEY = 128
_LONGEST_VALUE = 256
_TAG_PUNCTUATION = frozenset("_.:/=+-@")


def seconds(microseconds: int) -> float:
    """Give a time as JSON 1.1 carries it."""
    return microseconds / 1_000_000


def page(limit: int | None, token: str | None, named: Sequence[object] | None, field: str) -> int:
    """Give the size of a page; raises InvalidParameter where members were named as well as paged."""
    if named and (limit is not None or token is not None):
        given = "maxResults" if limit is not None else "nextToken"
        raise InvalidParameter(given, f"Member must be null when {field} is specified")
    return limit or _PAGE


def resource_tags(tags: Sequence[model.Tag]) -> dict[str, str]:
    """Read resource tags; raises TooManyTags and InvalidTagParameter."""
    if len(tags) > _MOST_TAGS:
        raise TooManyTags
    found: dict[str, str] = {}
    for tag in tags:
        if tag.Key in found:
            raise InvalidTagParameter(f"The tag key '{tag.Key[:_LONGEST_KEY]}' is given twice.")
        if tag.Key.lower().startswith("aws:"):
            raise InvalidTagParameter("Tag keys that begin with 'aws:' are reserved.")
        if not 1 <= len(tag.Key) <= _LONGEST_KEY or len(tag.Value) > _LONGEST_VALUE:
            raise InvalidTagParameter(
                f"Tag keys have 1 to {_LONGEST_KEY} characters, and tag values at most {_LONGEST_VALUE}."
            )
        if not all(map(_may_stand_in_a_tag, tag.Key + tag.Value)):
            raise InvalidTagParameter("Tags are made of letters, numbers, spaces and any of _ . : / = + - @.")
        found[tag.Key] = tag.Value
    return found


def read_exclusions(
    mutability: str, filters: list[model.ImageTagMutabilityExclusionFilter] | None
) -> tuple[TagExclusion, ...]:
    """Read the tags that a repository's mutability does not apply to; raises InvalidParameter."""
    field = "imageTagMutabilityExclusionFilters"
    if mutability.endswith("_WITH_EXCLUSION"):
        if not filters:
            reason = f"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mutability}"
            raise InvalidParameter(field, reason)
        return tuple(TagExclusion(one.filter, one.filterType) for one in filters)
    if filters:
        # The one text that is known for this case speaks of null too (ecr-behaviour 8), which would mislead.
        reason = f"ImageTagMutabilityExclusionFilters must be null when imageTagMutability is set as {mutability}"
        raise InvalidParameter(field, reason)
    return ()


def write_exclusions(exclusions: Sequence[TagExclusion]) -> list[model.ImageTagMutabilityExclusionFilter]:
    """Write them."""
    return [
        model.ImageTagMutabilityExclusionFilter(
            filterType=cast("model.ImageTagMutabilityExclusionFilterType", one.filter_type), filter=one.filter
        )
        for one in exclusions
    ]


def read_image_id(identifier: model.ImageIdentifier) -> ImageId:
    """Read what an image is asked for by; raises InvalidParameter."""
    if identifier.imageTag is None and identifier.imageDigest is None:
        raise InvalidParameter("imageIds", "Invalid request parameters: both tag and digest cannot be null")
    return ImageId(
        None if identifier.imageTag is None else parse_tag(identifier.imageTag),
        None if identifier.imageDigest is None else Digest.parse(identifier.imageDigest, "imageDigest"),
    )


def write_image_id(image: ImageId) -> model.ImageIdentifier:
    """Write what an image is known by."""
    return model.ImageIdentifier(imageDigest=str(image.digest) if image.digest else None, imageTag=image.tag)


def sort_image_ids(identifiers: Sequence[model.ImageIdentifier]) -> tuple[list[ImageId], list[model.ImageFailure]]:
    """Read the identifiers of a batch, each once; those that cannot be read fail alone (ecr-behaviour 14.2)."""
    wanted: list[ImageId] = []
    failures: list[model.ImageFailure] = []
    for identifier in dict.fromkeys(identifiers):
        try:
            wanted.append(read_image_id(identifier))
        except InvalidParameter as error:
            failures.append(_failure(identifier, error))
    return wanted, failures


def _failure(identifier: model.ImageIdentifier, error: InvalidParameter) -> model.ImageFailure:
    if error.field == "imageDigest":
        reason = f"Invalid request parameters: image digest should satisfy the regex '{digest.SYNTAX}'"
        return model.ImageFailure(imageId=identifier, failureCode="InvalidImageDigest", failureReason=reason)
    if error.field == "imageTag":
        reason = f"Invalid request parameters: image tag {error.reason}"
        return model.ImageFailure(imageId=identifier, failureCode="InvalidImageTag", failureReason=reason)
    return model.ImageFailure(imageId=identifier, failureCode="MissingDigestAndTag", failureReason=error.reason)


def _may_stand_in_a_tag(character: str) -> bool:
    return character.isalnum() or character in _TAG_PUNCTUATION or unicodedata.category(character).startswith("Z")
