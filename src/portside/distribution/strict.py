"""ECR's own odd answers, for testing clients against them: `compat.strict_ecr`.

Everything that strictness changes on the wire stands here, as handlers in front of the ordinary ones, and as the last
touch to every answer. What it changes in the registry are `Rules` (registry/rules.py), which wiring hands in.
Sources: ecr-behaviour 1.3 to 1.11. Each row of docs/divergences.md that names the setting is tested both ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter, RegistryError
from portside.distribution import blobs, errors, listings, manifests, uploads
from portside.distribution.exchange import Exchange, Reply
from portside.distribution.manners import Manners
from portside.distribution.routes import ROUTES, Handler, Route
from portside.identity.tokens import TICKET_PARAMETER
from portside.registry.registry import Registry

_PAGE = 100
_MOST = 1000
_TEXT = "text/plain; charset=utf-8"
_ADDRESSES = frozenset({"Location", "Link"})


async def _get_manifest(registry: Registry, exchange: Exchange) -> Reply:
    return _without("Docker-Content-Digest", await manifests.get(registry, exchange))


async def _put_manifest(registry: Registry, exchange: Exchange) -> Reply:
    return _without("Location", await manifests.put(registry, exchange))


async def _get_blob(registry: Registry, exchange: Exchange) -> Reply:
    """Send the client elsewhere for the bytes, as ECR does to S3; only an image's layers can be had."""
    if TICKET_PARAMETER in exchange.query:
        return await blobs.get(registry, exchange)
    digest, repository = Digest.parse(exchange.parts["digest"]), exchange.repository
    ticket = await registry.layers.download_ticket(exchange.caller, repository, digest)
    address = f"/v2/{repository.name}/blobs/{digest}?{urlencode({TICKET_PARAMETER: ticket})}"
    return Reply(307, {"Location": address})


async def _begin_upload(registry: Registry, exchange: Exchange) -> Reply:
    """Open an upload whatever came with the request; a blob in its body is dropped."""
    if exchange.query.pop("digest", None) is None:
        return await uploads.begin(registry, exchange)
    reply = await uploads.begin(registry, exchange)
    # Only now: whoever may not push is told so before a byte is waited for.
    async for _ in exchange.body():
        pass
    return reply


async def _receive(registry: Registry, exchange: Exchange) -> Reply:
    """Take a chunk, and answer with the range of the first one."""
    upload = await uploads.take(registry, exchange)
    headers = uploads.received(exchange, upload).headers
    return Reply(201, {**headers, "Range": f"0-{max(upload.first_part - 1, 0)}"})


async def _tags(registry: Registry, exchange: Exchange) -> Reply:
    repository = exchange.repository
    limit, token = _page(exchange)
    found = await registry.images.identifiers(
        exchange.caller, repository, tag_status="TAGGED", limit=limit, token=token
    )
    content = {"name": repository.name, "tags": [one.tag for one in found.items]}
    return _listing(f"/v2/{repository.name}/tags/list", content, limit, found.next_token)


async def _catalog(registry: Registry, exchange: Exchange) -> Reply:
    limit, token = _page(exchange)
    found = await registry.repositories.describe(exchange.caller, exchange.registry, (), limit=limit, token=token)
    content = {"repositories": [one.id.name for one in found.items]}
    return _listing("/v2/_catalog", content, limit, found.next_token)


def _page(exchange: Exchange) -> tuple[int, str | None]:
    """How many entries, and the token that the last page ended with."""
    text = exchange.query.get("n", str(_PAGE))
    if not text.isascii() or not text.isdigit() or int(text[:9]) < 1:
        raise InvalidParameter("maxResults", "Member must have value greater than or equal to 1")
    if len(text) > len(str(_MOST)) or int(text) > _MOST:
        raise InvalidParameter("maxResults", f"Member must have value less than or equal to {_MOST}")
    return int(text), exchange.query.get("last")


def _listing(path: str, content: Mapping[str, Any], limit: int, token: str | None) -> Reply:
    headers = {"Content-Type": _TEXT}
    if token is not None:
        headers["Link"] = f'<{path}?last={quote(token, safe="")}&n={limit}>; rel="next"'
    return Reply(200, headers, json.dumps(content).encode())


def _without(header: str, reply: Reply) -> Reply:
    return Reply(reply.status, {name: text for name, text in reply.headers.items() if name != header}, reply.body)


_IN_PLACE_OF: Mapping[Handler, Handler] = {
    manifests.get: _get_manifest,
    manifests.put: _put_manifest,
    manifests.delete: manifests.delete_image,
    blobs.get: _get_blob,
    uploads.begin: _begin_upload,
    uploads.receive: _receive,
    listings.tags: _tags,
    listings.catalog: _catalog,
}


def _routes() -> Sequence[Route]:
    """The ordinary rows with ECR's handlers; it has none that deletes a blob."""
    return tuple(
        replace(route, handler=_IN_PLACE_OF.get(route.handler, route.handler))
        for route in ROUTES
        if not (route.methods == frozenset({"DELETE"}) and "digest" in route.path.groupindex)
    )


def _words(error: RegistryError) -> tuple[int, str, str]:
    status, code, message = errors.words(error)
    if isinstance(error, InvalidParameter) and code != "TAG_INVALID":
        return 405, "UNSUPPORTED", message
    return status, code, message


def _finish(exchange: Exchange, reply: Reply) -> Reply:
    """Make addresses absolute: on the host that was asked."""
    absolute = {
        name: text.replace("/", f"{exchange.origin}/", 1)
        for name, text in reply.headers.items()
        if name in _ADDRESSES and text.startswith(("/", "</"))
    }
    return Reply(reply.status, {**reply.headers, **absolute}, reply.body)


STRICT = Manners(_routes(), _words, _finish, advises=False)
"""As ECR."""
