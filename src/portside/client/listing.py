"""`portside ls`: a registry's repositories, or a repository's tags and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

from portside.client.connections import Connections
from portside.remote.errors import Unexpected
from portside.remote.http import read_body
from portside.remote.references import Reference, is_host
from portside.remote.registry import Ask, RegistryClient, repository_scope
from portside.remote.text import parse

_LONGEST = 16 * 1024 * 1024
_PAGE = 1000
_PAGES = 10_000


def listing(connections: Connections, name: str | None, *, jobs: int) -> dict[str, Any]:
    """`{"registry", "repositories": […]}`, or `{"repository", "tags": [{"tag", "digest"}]}`.

    `name`: a host, `HOST/REPOSITORY`, `REPOSITORY` of the person's own registry, or None for that registry.
    """
    if name is None or is_host(name):
        host = name or connections.own_registry()
        client = connections.client(host)
        found = _pages(client, f"/v2/_catalog?n={_PAGE}", "registry:catalog:*", "repositories")
        return {"registry": host, "repositories": list(found)}
    reference = connections.destination(name)
    client, target = connections.client(reference.host), connections.target(reference)
    path = f"/v2/{reference.repository}/tags/list?n={_PAGE}"
    tags = list(_pages(client, path, repository_scope(reference.repository, push=False), "tags"))
    with ThreadPoolExecutor(jobs) as threads:
        digests = list(threads.map(target.holds, tags))
    entries = [
        {"tag": tag, "digest": str(digest) if digest else None} for tag, digest in zip(tags, digests, strict=True)
    ]
    return {"repository": Reference(reference.host, reference.repository).name, "tags": entries}


def _pages(client: RegistryClient, path: str, scope: str, member: str) -> Iterator[str]:
    for _ in range(_PAGES):
        response = client.send(Ask("GET", path, scope))
        link = response.headers.get("Link") or ""
        try:
            document: dict[str, list[str] | None] = parse(read_body(response, path, _LONGEST))
            yield from document[member] or []
        except (ValueError, KeyError, TypeError):
            raise Unexpected(f"{client.host} answered no list", "check that it is a registry") from None
        if 'rel="next"' not in link:
            return
        path = urljoin(path, link.partition("<")[2].partition(">")[0])
    raise Unexpected(f"{client.host} lists without end", "ask who runs the registry")
