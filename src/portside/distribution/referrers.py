"""Referrers: an index of the manifests with one subject (OCI distribution-spec, Listing Referrers)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from portside.core import manifests, media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.distribution.exchange import Exchange, Reply
from portside.distribution.listings import page, page_link
from portside.registry.referrers import Referrer
from portside.registry.registry import Registry

_MOST = 100
_OPENING = f'{{"schemaVersion":2,"mediaType":"{media_types.OCI_INDEX}","manifests":['.encode()
_CLOSING = b"]}"
_ROOM = manifests.MAXIMUM_SIZE - len(_OPENING) - len(_CLOSING)
"""Bytes of descriptors on a page: clients read an index of at most 4 MiB (OCI distribution-spec, Pushing Manifests)."""


async def get(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/referrers/DIGEST`, of one `artifactType` when it is given; an unknown subject has none."""
    limit, after = page(exchange, _MOST)
    repository, subject = exchange.repository, Digest.parse(exchange.parts["subject"])
    wanted = exchange.query.get("artifactType") or None
    if "\0" in (wanted or ""):
        raise InvalidParameter("artifactType", "Member must not contain a null character")
    found = await registry.referrers.page(
        exchange.caller, repository, subject, artifact_type=wanted, after=after, limit=limit
    )
    headers = {"Content-Type": media_types.OCI_INDEX}
    if wanted is not None:
        headers["OCI-Filters-Applied"] = "artifactType"
    listed = _fitting(found.items)
    if (found.more or len(listed) < len(found.items)) and listed:
        path = f"/v2/{repository.name}/referrers/{subject}"
        kept = "" if wanted is None else f"&artifactType={quote(wanted, safe='')}"
        headers["Link"] = page_link(path, limit, str(found.items[len(listed) - 1].image.digest), kept)
    return Reply(200, headers, _OPENING + b",".join(listed) + _CLOSING)


def _fitting(referrers: Sequence[Referrer]) -> list[bytes]:
    """The descriptors of as many from the first on as clients read; one that is too long alone goes unannotated."""
    listed: list[bytes] = []
    left = _ROOM
    for referrer in referrers:
        written = _written(_descriptor(referrer))
        if len(written) > _ROOM:
            written = _written(_descriptor(replace(referrer, annotations={})))
        left -= len(written) + 1
        if listed and left < 0:
            break
        listed.append(written)
    return listed


def _written(document: dict[str, Any]) -> bytes:
    # Escapes for what is not ASCII would be up to three times as long as the manifest that it came from.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _descriptor(referrer: Referrer) -> dict[str, Any]:
    image = referrer.image
    described: dict[str, Any] = {"mediaType": image.media_type, "digest": str(image.digest), "size": image.size}
    if image.artifact_type is not None:
        described["artifactType"] = image.artifact_type
    if referrer.annotations:
        described["annotations"] = referrer.annotations
    return described
