"""Blobs: look, read whole or by ranges, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from secrets import token_hex

from portside.core.digest import Digest
from portside.core.records import Layer
from portside.distribution.conditions import entity_tag, is_known, range_of
from portside.distribution.exchange import Exchange, Reply
from portside.distribution.ranges import Parts, asked
from portside.registry.content import Piece
from portside.registry.registry import Registry


async def head(registry: Registry, exchange: Exchange) -> Reply:
    """`HEAD /v2/NAME/blobs/DIGEST`."""
    digest = Digest.parse(exchange.parts["digest"])
    layer = await registry.layers.look(exchange.caller, exchange.repository, digest)
    if is_known(exchange.headers, digest):
        return Reply(304, _validators(layer))
    return Reply(200, {**_headers(layer), "Content-Length": str(layer.size)})


async def get(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/blobs/DIGEST`: the whole, or the ranges that are asked for."""
    digest = Digest.parse(exchange.parts["digest"])
    content = await registry.layers.open(exchange.caller, exchange.repository, digest)
    if is_known(exchange.headers, digest):
        return Reply(304, _validators(content.layer))
    size, headers = content.layer.size, _headers(content.layer)
    spans = asked(range_of(exchange.headers, digest), size)
    if not spans:
        headers["Content-Length"] = str(size)
        return Reply(200, headers, await _begun(content.read(0, size)) if size else b"")
    if len(spans) == 1:
        [span] = spans
        headers |= {"Content-Length": str(span.stop - span.start), "Content-Range": span.of(size)}
        return Reply(206, headers, await _begun(content.read(span.start, span.stop)))
    parts = Parts(spans, size, headers["Content-Type"], token_hex(16))
    headers |= {"Content-Length": str(parts.length), "Content-Type": parts.media_type}
    return Reply(206, headers, await _begun(parts.body(content.read)))


async def delete(registry: Registry, exchange: Exchange) -> Reply:
    """`DELETE /v2/NAME/blobs/DIGEST`: refused while an image of the repository refers to it."""
    digest = Digest.parse(exchange.parts["digest"])
    await registry.layers.delete(exchange.caller, exchange.repository, digest)
    return Reply(202)


async def _begun(pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
    """The same pieces, the first of which has been read: damage that shows at once is answered with an error."""
    read = [await anext(pieces)]

    async def all_pieces() -> AsyncIterator[Piece]:
        yield read.pop()  # and not kept for as long as the rest takes
        async for piece in pieces:
            yield piece

    return all_pieces()


def _validators(layer: Layer) -> dict[str, str]:
    return {"Docker-Content-Digest": str(layer.digest), "ETag": entity_tag(layer.digest)}


def _headers(layer: Layer) -> dict[str, str]:
    return {**_validators(layer), "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
