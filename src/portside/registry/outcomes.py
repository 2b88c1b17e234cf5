"""What came of asking for images: what was pushed, what was found, and why one of a batch was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portside.core.digest import Digest
from portside.core.names import ImageId
from portside.core.records import Image

REFERENCED = "ImageReferencedByManifestList"
"""The code of an image that cannot go before the index that lists it."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a put came to; `changed` is False when the same manifest stood under the same tag already."""

    image: Image
    changed: bool


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with its manifest's bytes; `id` has the digest, and the tag it was asked for by."""

    id: ImageId
    image: Image
    content: bytes


@dataclass(frozen=True, slots=True)
class ImageFailure:
    """Why one image of a batch was left out (ecr-behaviour 14.2)."""

    id: ImageId
    code: str
    reason: str


def missing(asked: ImageId) -> ImageFailure:
    """No image has this tag or digest."""
    return ImageFailure(asked, "ImageNotFound", "Requested image not found")


def disagreeing(asked: ImageId) -> ImageFailure:
    """The tag points at another image."""
    return ImageFailure(asked, "ImageTagDoesNotMatchDigest", "Requested image tag and digest do not match")


def archived(asked: ImageId) -> ImageFailure:
    """The image can be described and deleted, and not pulled (ecr-behaviour 10.3)."""
    return ImageFailure(asked, "ImageInaccessible", "Requested image is archived; push or restore it to pull it")


def unreadable(asked: ImageId, reason: str) -> ImageFailure:
    """The KMS key of the repository cannot be used."""
    return ImageFailure(asked, "KmsError", reason)


def referenced(asked: ImageId, parents: Iterable[Digest]) -> ImageFailure:
    """Indexes list the image."""
    listed = ", ".join(str(parent) for parent in parents)
    return ImageFailure(asked, REFERENCED, f"Requested image referenced by manifest list: [{listed}]")
