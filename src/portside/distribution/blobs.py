"""Blobs: look, and read whole or by range."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from portside.core.digest import Digest
from portside.core.errors import InvalidRange
from portside.core.records import Layer
from portside.distribution.exchange import Exchange, Reply
from portside.registry.content import Piece
from portside.registry.registry import Registry

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


async def head(registry: Registry, exchange: Exchange) -> Reply:
    """`HEAD /v2/NAME/blobs/DIGEST`."""
    digest = Digest.parse(exchange.parts["digest"])
    layer = await registry.layers.look(exchange.caller, exchange.repository, digest)
    return Reply(200, {**_headers(layer), "Content-Length": str(layer.size)})


async def get(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/blobs/DIGEST`, with one Range if it is asked for."""
    digest = Digest.parse(exchange.parts["digest"])
    content = await registry.layers.open(exchange.caller, exchange.repository, digest)
    size, headers = content.layer.size, _headers(content.layer)
    asked = _asked(exchange.headers.get("range"), size)
    if asked is None:
        return Reply(
            200, {**headers, "Content-Length": str(size)}, await _begun(content.read(0, size)) if size else b""
        )
    start, stop = asked
    headers |= {"Content-Length": str(stop - start), "Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    return Reply(206, headers, await _begun(content.read(start, stop)))


async def _begun(pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
    """The same pieces, the first of which has been read: damage that shows at once is answered with an error."""
    read = [await anext(pieces)]

    async def all_pieces() -> AsyncIterator[Piece]:
        yield read.pop()  # and not kept for as long as the rest takes
        async for piece in pieces:
            yield piece

    return all_pieces()


def _headers(layer: Layer) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Docker-Content-Digest": str(layer.digest),
        "Accept-Ranges": "bytes",
    }


def _asked(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open range that a header asks for (RFC 9110, 14.1.2); None for all, as for a header of another form."""
    found = _RANGE.fullmatch(header or "")
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if first == "":
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise InvalidRange(size)
    return start, stop
