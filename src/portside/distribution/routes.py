"""The routes, a row each: method, path, handler. Names hold slashes, so paths are matched from their ends."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from portside.distribution import blobs, listings, manifests, referrers, uploads
from portside.distribution.exchange import Exchange, Reply
from portside.registry.registry import Registry

Handler = Callable[[Registry, Exchange], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row."""

    methods: frozenset[str]
    path: re.Pattern[str]
    handler: Handler


def _row(methods: str, path: str, handler: Handler) -> Route:
    return Route(frozenset(methods.split()), re.compile(path), handler)


ROUTES = (
    _row("GET HEAD", r"/v2/?", listings.version),
    _row("GET HEAD", r"/v2/_catalog", listings.catalog),
    _row("GET HEAD", r"/v2/(?P<name>.+)/tags/list", listings.tags),
    _row("GET", r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)", manifests.get),
    _row("HEAD", r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)", manifests.head),
    _row("PUT", r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)", manifests.put),
    _row("DELETE", r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)", manifests.delete),
    _row("GET HEAD", r"/v2/(?P<name>.+)/referrers/(?P<subject>[^/]+)", referrers.get),
    _row("POST", r"/v2/(?P<name>.+)/blobs/uploads/?", uploads.begin),
    _row("GET HEAD", r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[0-9a-f-]{36})", uploads.status),
    _row("PATCH", r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[0-9a-f-]{36})", uploads.receive),
    _row("PUT", r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[0-9a-f-]{36})", uploads.complete),
    _row("DELETE", r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[0-9a-f-]{36})", uploads.cancel),
    _row("GET", r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)", blobs.get),
    _row("HEAD", r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)", blobs.head),
    _row("DELETE", r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)", blobs.delete),
)


def match(method: str, path: str, routes: Sequence[Route] = ROUTES) -> tuple[Handler | None, dict[str, str], bool]:
    """The handler, the path's parts, and whether the path exists under any method."""
    exists = False
    for route in routes:
        if found := route.path.fullmatch(path):
            if method in route.methods:
                return route.handler, found.groupdict(), True
            exists = True
    return None, {}, exists


def methods(path: str, routes: Sequence[Route] = ROUTES) -> str:
    """The Allow header of an address (RFC 9110, 10.2.1)."""
    return ", ".join(sorted({name for route in routes if route.path.fullmatch(path) for name in route.methods}))
