"""Referrers: an index of the manifests with one subject (OCI distribution-spec, Listing Referrers)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.distribution.exchange import Exchange, Reply
from portside.distribution.listings import page, page_link
from portside.registry.referrers import Referrer
from portside.registry.registry import Registry

_MOST = 100


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
    if found.more and found.items:
        path = f"/v2/{repository.name}/referrers/{subject}"
        kept = "" if wanted is None else f"&artifactType={quote(wanted, safe='')}"
        headers["Link"] = page_link(path, limit, str(found.items[-1].image.digest), kept)
    listed = [_descriptor(one) for one in found.items]
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": listed}
    return Reply(200, headers, json.dumps(index, separators=(",", ":")).encode())


def _descriptor(referrer: Referrer) -> dict[str, Any]:
    image = referrer.image
    described: dict[str, Any] = {"mediaType": image.media_type, "digest": str(image.digest), "size": image.size}
    if image.artifact_type is not None:
        described["artifactType"] = image.artifact_type
    if referrer.annotations:
        described["annotations"] = referrer.annotations
    return described
