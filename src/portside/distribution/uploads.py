"""Blob uploads: begin, receive, status, complete, cancel (ecr-behaviour 1.9; OCI distribution-spec, Push)."""

from __future__ import annotations

import re

from portside.core.digest import ALGORITHMS, Digest
from portside.core.errors import InvalidParameter
from portside.core.names import RepositoryId
from portside.core.records import Upload
from portside.distribution.exchange import Exchange, Reply
from portside.registry.registry import Registry

_ALGORITHM = "digest-algorithm"
_CONTENT_RANGE = re.compile(r"(?:bytes )?([0-9]{1,19})-([0-9]{1,19})(?:/.*)?")


async def begin(registry: Registry, exchange: Exchange) -> Reply:
    """`POST /v2/NAME/blobs/uploads/`, with the whole blob when `digest` is given.

    `digest-algorithm` says what the digest will be made with, so that the bytes are counted with it while they come.

    With `mount` the blob is taken from `from`, or from wherever the caller may read it; when it cannot be, the answer
    is an upload like any other (ecr-behaviour 1.9).
    """
    repository = exchange.repository
    _algorithm(exchange)
    if "mount" in exchange.query:
        mounted = await _mounted(registry, exchange)
        if mounted is not None:
            return _created(repository, mounted)
    at_once = "digest" in exchange.query and "mount" not in exchange.query
    if at_once:
        Digest.parse(exchange.query["digest"])  # before there is an upload that nobody hears of
    upload = await registry.uploads.begin(exchange.caller, repository)
    if not at_once:
        return Reply(202, _progress(exchange, upload))
    return await _complete(registry, exchange, upload.id)


async def status(registry: Registry, exchange: Exchange) -> Reply:
    """`GET /v2/NAME/blobs/uploads/UPLOAD`."""
    upload = await registry.uploads.status(exchange.caller, exchange.repository, exchange.parts["upload"])
    return Reply(204, _progress(exchange, upload))


async def receive(registry: Registry, exchange: Exchange) -> Reply:
    """`PATCH /v2/NAME/blobs/uploads/UPLOAD`."""
    return received(exchange, await take(registry, exchange))


async def take(registry: Registry, exchange: Exchange) -> Upload:
    """Take a chunk; the upload as it then stands."""
    first, last = _part(exchange)
    return await registry.uploads.receive(
        exchange.caller,
        exchange.repository,
        exchange.parts["upload"],
        exchange.body(),
        first=first,
        last=last,
        algorithm=_algorithm(exchange),
    )


def received(exchange: Exchange, upload: Upload) -> Reply:
    """The answer to a chunk."""
    return Reply(202, _progress(exchange, upload))


async def complete(registry: Registry, exchange: Exchange) -> Reply:
    """`PUT /v2/NAME/blobs/uploads/UPLOAD?digest=DIGEST`, with the last bytes or without."""
    return await _complete(registry, exchange, exchange.parts["upload"])


async def cancel(registry: Registry, exchange: Exchange) -> Reply:
    """`DELETE /v2/NAME/blobs/uploads/UPLOAD`."""
    await registry.uploads.cancel(exchange.caller, exchange.repository, exchange.parts["upload"])
    return Reply(204)


async def _mounted(registry: Registry, exchange: Exchange) -> Digest | None:
    digest = Digest.parse(exchange.query["mount"])
    named = exchange.query.get("from")
    source = None if named is None else exchange.registry.repository(named)
    layer = await registry.mounts.mount(exchange.caller, exchange.repository, digest, source)
    return None if layer is None else layer.digest


async def _complete(registry: Registry, exchange: Exchange, upload: str) -> Reply:
    repository = exchange.repository
    digest = Digest.parse(exchange.query.get("digest", ""))
    first, last = _part(exchange)
    done = await registry.uploads.complete(
        exchange.caller,
        repository,
        upload,
        [digest],
        body=exchange.body() if exchange.has_body else None,
        first=first,
        last=last,
    )
    return _created(repository, done.digest)


def _created(repository: RepositoryId, digest: Digest) -> Reply:
    location = f"/v2/{repository.name}/blobs/{digest}"
    return Reply(201, {"Location": location, "Docker-Content-Digest": str(digest)})


def _part(exchange: Exchange) -> tuple[int | None, int | None]:
    header = exchange.headers.get("content-range")
    if header is None:
        return None, None
    found = _CONTENT_RANGE.fullmatch(header)
    if found is None or int(found[2]) < int(found[1]):
        raise InvalidParameter("partFirstByte", "Content-Range must have the form FIRST-LAST")
    return int(found[1]), int(found[2])


def _algorithm(exchange: Exchange) -> str:
    """What the client says that its digest will be made with; raises InvalidParameter."""
    algorithm = exchange.query.get(_ALGORITHM, "sha256")
    if algorithm not in ALGORITHMS:
        raise InvalidParameter("digest", f"Member must be made with one of {', '.join(sorted(ALGORITHMS))}")
    return algorithm


def progress(exchange: Exchange, repository: RepositoryId, upload: str, received: int) -> dict[str, str]:
    """Where an upload goes on and how far it is; before its first byte too the range is `0-0`, as docker reads it.

    The algorithm travels in the address, so that whichever process takes the next bytes counts with it.
    """
    location = f"/v2/{repository.name}/blobs/uploads/{upload}"
    algorithm = exchange.query.get(_ALGORITHM)
    if algorithm in ALGORITHMS:
        location += f"?{_ALGORITHM}={algorithm}"
    return {"Location": location, "Docker-Upload-UUID": upload, "Range": f"0-{max(received - 1, 0)}"}


def _progress(exchange: Exchange, upload: Upload) -> dict[str, str]:
    return progress(exchange, exchange.repository, upload.id, upload.received)
