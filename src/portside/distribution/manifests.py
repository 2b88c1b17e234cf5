"""Manifests: get, look, put, delete."""

from __future__ import annotations

from portside.core import manifests
from portside.core.errors import ImageNotFound, ImageReferenced, InvalidParameter
from portside.core.names import Tag, parse_reference, parse_tag
from portside.core.records import Image
from portside.distribution.conditions import entity_tag, is_known
from portside.distribution.exchange import Exchange, Reply
from portside.registry.registry import Registry

_MOST_TAGS = 100
"""Ours: as many tags as one push may set; the specification asks for ten."""


async def get(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/manifests/REFERENCE`: the bytes as they were pushed, whatever is accepted (ecr-behaviour 1.4)."""
    wanted = parse_reference(exchange.parts["reference"])
    if "if-none-match" in exchange.headers:
        image = await registry.images.look(exchange.caller, exchange.repository, wanted)
        if is_known(exchange.headers, image.digest):
            return Reply(304, _validators(image))
    stored = await registry.images.get(exchange.caller, exchange.repository, wanted)
    return Reply(200, _headers(stored.image), stored.content)


async def head(registry: Registry, exchange: Exchange) -> Reply:
    """`HEAD /v2/NAME/manifests/REFERENCE`."""
    wanted = parse_reference(exchange.parts["reference"])
    image = await registry.images.look(exchange.caller, exchange.repository, wanted)
    if is_known(exchange.headers, image.digest):
        return Reply(304, _validators(image))
    return Reply(200, _headers(image))


async def put(registry: Registry, exchange: Exchange) -> Reply:
    """`PUT /v2/NAME/manifests/REFERENCE`; the same again is answered alike.

    One that is pushed by digest takes its tags as parameters: `?tag=v1&tag=latest`.
    """
    wanted, repository = parse_reference(exchange.parts["reference"]), exchange.repository
    tags = _tags(exchange) if wanted.tag is None else [wanted.tag]
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip() or None
    await registry.images.may_put(exchange.caller, repository)
    async with exchange.whole_body(manifests.MAXIMUM_SIZE) as content:
        pushed = await registry.images.put(
            exchange.caller, repository, content, media_type=media_type, tags=tags, digest=wanted.digest
        )
    digest = str(pushed.image.digest)
    headers = {"Location": f"/v2/{repository.name}/manifests/{digest}", "Docker-Content-Digest": digest}
    if pushed.image.subject is not None:
        headers["OCI-Subject"] = str(pushed.image.subject)
    if tags and wanted.tag is None:
        headers["OCI-Tag"] = ", ".join(tags)
    return Reply(201, headers)


async def delete(registry: Registry, exchange: Exchange) -> Reply:
    """`DELETE /v2/NAME/manifests/REFERENCE`: a tag, or an image with all its tags."""
    wanted = parse_reference(exchange.parts["reference"])
    if wanted.tag is None:
        return await delete_image(registry, exchange)
    await registry.images.untag(exchange.caller, exchange.repository, wanted.tag)
    return Reply(202)


async def delete_image(registry: Registry, exchange: Exchange) -> Reply:
    """The same as a BatchDeleteImage of one."""
    wanted, repository = parse_reference(exchange.parts["reference"]), exchange.repository
    _, failures = await registry.images.delete_many(exchange.caller, repository, [wanted])
    for failure in failures:
        if failure.code == "ImageReferencedByManifestList":
            raise ImageReferenced(failure.reason)
        raise ImageNotFound(repository, wanted)
    return Reply(202)


def _tags(exchange: Exchange) -> list[Tag]:
    tags = list(dict.fromkeys(parse_tag(text) for text in exchange.all_of("tag")))
    if len(tags) > _MOST_TAGS:
        raise InvalidParameter("imageTag", f"Member must not have more than {_MOST_TAGS} tags")
    return tags


def _validators(image: Image) -> dict[str, str]:
    return {"Docker-Content-Digest": str(image.digest), "ETag": entity_tag(image.digest)}


def _headers(image: Image) -> dict[str, str]:
    return {
        **_validators(image),
        "Content-Type": image.media_type,
        "Content-Length": str(image.size),
    }
