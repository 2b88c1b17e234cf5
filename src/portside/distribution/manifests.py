"""Manifests: get, look, put, delete."""

from __future__ import annotations

from portside.core import manifests
from portside.core.errors import ImageNotFound, ImageReferenced
from portside.core.names import parse_reference
from portside.core.records import Image
from portside.distribution.exchange import Exchange, Reply
from portside.registry.registry import Registry


async def get(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/manifests/REFERENCE`: the bytes as they were pushed, whatever is accepted (ecr-behaviour 1.4)."""
    wanted = parse_reference(exchange.parts["reference"])
    stored = await registry.images.get(exchange.caller, exchange.repository, wanted)
    return Reply(200, _headers(stored.image), stored.content)


async def head(registry: Registry, exchange: Exchange) -> Reply:
    """`HEAD /v2/NAME/manifests/REFERENCE`."""
    wanted = parse_reference(exchange.parts["reference"])
    return Reply(200, _headers(await registry.images.look(exchange.caller, exchange.repository, wanted)))


async def put(registry: Registry, exchange: Exchange) -> Reply:
    """`PUT /v2/NAME/manifests/REFERENCE`; the same again is answered alike."""
    wanted, repository = parse_reference(exchange.parts["reference"]), exchange.repository
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip() or None
    async with exchange.whole_body(manifests.MAXIMUM_SIZE) as content:
        pushed = await registry.images.put(
            exchange.caller, repository, content, media_type=media_type, tag=wanted.tag, digest=wanted.digest
        )
    digest = str(pushed.image.digest)
    return Reply(201, {"Location": f"/v2/{repository.name}/manifests/{digest}", "Docker-Content-Digest": digest})


async def delete(registry: Registry, exchange: Exchange) -> Reply:
    """`DELETE /v2/NAME/manifests/REFERENCE`: BatchDeleteImage of one."""
    wanted, repository = parse_reference(exchange.parts["reference"]), exchange.repository
    _, failures = await registry.images.delete_many(exchange.caller, repository, [wanted])
    for failure in failures:
        if failure.code == "ImageReferencedByManifestList":
            raise ImageReferenced(failure.reason)
        raise ImageNotFound(repository, wanted)
    return Reply(202)


def _headers(image: Image) -> dict[str, str]:
    return {
        "Content-Type": image.media_type,
        "Content-Length": str(image.size),
        "Docker-Content-Digest": str(image.digest),
    }
