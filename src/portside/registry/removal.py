"""Removing images, in a unit that holds their repository: one tag, or an image with all its tags.

Whoever removes comes here: BatchDeleteImage, docker's DELETE, and lifecycle policies; so rows, counts and events agree.
"""

from __future__ import annotations

from dataclasses import replace

from portside.core.names import ImageId, Tag
from portside.core.records import Image, Repository
from portside.registry import events, outcomes
from portside.registry.events import Event
from portside.registry.outcomes import ImageFailure
from portside.storage.metadata.port import Unit

_IMAGES, _EVENTS = 100, 1000
"""What one unit removes at the most, and tells of unless the last image has more tags."""


async def known(unit: Unit, held: Repository, asked: ImageId) -> Image | ImageFailure:
    """The image of a tag or digest, without its tags, or why there is none."""
    digest = asked.digest
    if asked.tag is not None:
        digest = await unit.tags.find(held.key, asked.tag)
        if digest is not None and asked.digest not in {None, digest}:
            return outcomes.disagreeing(asked)
    found = await unit.manifests.find(held.key, digest) if digest else None
    return outcomes.missing(asked) if found is None else found


async def remove(unit: Unit, held: Repository, asked: ImageId, now: int) -> list[ImageId] | ImageFailure:
    """Remove a tag, or an image with its last one; what went, or why nothing did."""
    found = await known(unit, held, asked)
    if isinstance(found, ImageFailure):
        return found
    image = await tagged(unit, held, found)
    if asked.tag is not None and len(image.tags) > 1:
        await remove_tag(unit, held, image, asked.tag, now)
        return [ImageId(asked.tag, image.digest)]
    if parents := await unit.manifests.parents(held.key, image.digest):
        return outcomes.referenced(asked, parents)
    await remove_image(unit, held, image, now)
    return [ImageId(tag, image.digest) for tag in image.tags] or [ImageId(None, image.digest)]


async def remove_tag(unit: Unit, held: Repository, image: Image, tag: Tag, now: int) -> None:
    """Remove one tag; the image stays."""
    await unit.tags.delete(held.key, tag)
    await events.announce(unit, held.id.registry, now, [events.deleted(held.id, image, tag)])


async def remove_image(unit: Unit, held: Repository, image: Image, now: int) -> None:
    """Remove an image with its tags; whoever does so has seen that no index lists it."""
    await unit.tags.delete_of(held.key, image.digest)
    await unit.layers.release(held.key, image.digest, now)
    await unit.manifests.delete(held.key, image.digest)
    await unit.manifests.bereave(held.key, image.digest)
    await events.announce(unit, held.id.registry, now, events.deleted_all(held.id, image))


async def remove_some(unit: Unit, held: Repository, now: int) -> int:
    """Remove some images of a repository that goes with all it has, whatever lists them; how many, until none is left.

    As many as one unit may take: whoever waits for the repository waits for one of them.
    """
    images: list[Image] = []
    told: list[Event] = []
    for image, tags, _ in await unit.snapshots.page(held.key, "", _IMAGES):
        images.append(replace(image, tags=[Tag(tag) for tag in tags]))
        told += events.deleted_all(held.id, images[-1])
        if len(told) >= _EVENTS:
            break
    if images:
        await events.announce(unit, held.id.registry, now, told)
        last = images[-1].digest
        await unit.tags.delete_through(held.key, last)
        await unit.layers.release_through(held.key, last, now)
        await unit.manifests.delete_through(held.key, last)
    return len(images)


async def tagged(unit: Unit, held: Repository, image: Image) -> Image:
    """The image with its tags."""
    return replace(image, tags=await unit.tags.of(held.key, image.digest))
