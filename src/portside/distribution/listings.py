"""The version check, the catalog and tag lists."""

from __future__ import annotations

import json
from urllib.parse import quote

from portside.core.errors import InvalidParameter
from portside.distribution.exchange import Exchange, Reply
from portside.registry.registry import Registry

_MOST = 1000
_JSON = "application/json; charset=utf-8"


async def version(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/`: whoever is authenticated may know that this is a registry."""
    del registry, exchange
    return Reply(200, {"Content-Type": _JSON}, b"{}")


async def catalog(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/_catalog`."""
    limit, after = page(exchange, _MOST)
    names = await registry.repositories.names(exchange.caller, exchange.registry, after=after, limit=limit + 1)
    headers = {"Content-Type": _JSON}
    if len(names) > limit > 0:
        headers["Link"] = page_link("/v2/_catalog", limit, names[limit - 1])
    return Reply(200, headers, json.dumps({"repositories": list(names[:limit])}).encode())


async def tags(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/tags/list`, in lexical order."""
    limit, after = page(exchange, _MOST)
    repository = exchange.repository
    found = await registry.images.tags(exchange.caller, repository, after=after, limit=limit)
    headers = {"Content-Type": _JSON}
    if found.next_token and limit:
        headers["Link"] = page_link(f"/v2/{repository.name}/tags/list", limit, found.next_token)
    return Reply(200, headers, json.dumps({"name": repository.name, "tags": list(found.items)}).encode())


def page(exchange: Exchange, most: int) -> tuple[int, str]:
    """How many entries are asked for, never more than `most`, and after which; raises InvalidParameter."""
    text = exchange.query.get("n", str(most))
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - more digits than any page has
        raise InvalidParameter("maxResults", "Member must be a number of entries")
    last = exchange.query.get("last", "")
    if "\0" in last:
        raise InvalidParameter("last", "Member must not contain a null character")
    return min(int(text), most), last


def page_link(path: str, limit: int, last: str, more: str = "") -> str:
    """The Link header to the page after `last` (RFC 8288); `more` are further parameters, quoted."""
    return f'<{path}?n={limit}&last={quote(last, safe="")}{more}>; rel="next"'
