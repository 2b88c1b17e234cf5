"""A request as ASGI hands it over: what its signature covers, in what circumstances it came, and its body.

Rule: a body is bounded in bytes and in time, and one that stops short is an error and never an end.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from portside.core.errors import BodyTruncated, RequestTooLarge, SerializationError
from portside.identity.caller import Circumstances
from portside.identity.sigv4 import Request
from portside.registry.bodies import PATIENCE, longest

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Body:
    """A body and the hash that its signature must cover."""

    content: bytearray
    sha256: str


def request_of(scope: Scope) -> Request:
    """Give the request as it stood on the wire; its payload hash is still to come."""
    return Request(
        method=scope["method"],
        path=_text(scope.get("raw_path") or scope["path"].encode()),
        query=_text(scope["query_string"]),
        headers=[(_text(name), _text(value)) for name, value in scope["headers"]],
        payload_sha256="",
    )


def circumstances_of(scope: Scope, request: Request) -> Circumstances:
    """Give what is known of the request besides what it asks."""
    client = scope.get("client")
    return Circumstances(
        at=time.time_ns() // 1000,
        source_ip=client[0] if client else "",
        secure=scope["scheme"] == "https",
        user_agent=request.header("user-agent") or "",
    )


def announced_length(request: Request) -> int | None:
    """Give Content-Length; raises SerializationError for one that cannot be relied on."""
    length = request.header("content-length")
    if length is None:
        return None
    if request.header("transfer-encoding") is not None:
        raise SerializationError("A request has a Content-Length or a Transfer-Encoding, not both.")
    if _NUMBER.fullmatch(length) is None:
        raise SerializationError("The Content-Length is not a number.")
    return int(length)


async def read_body(receive: Receive, announced: int | None, limit: int, *, patience: float = PATIENCE) -> Body:
    """Read a whole body, hashed as it comes; raises RequestTooLarge and BodyTruncated."""
    if announced is not None and announced > limit:
        raise RequestTooLarge(limit)
    content = bytearray()
    sha256 = hashlib.sha256()
    expected = limit if announced is None else announced
    try:
        async with asyncio.timeout(longest(expected, patience)):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyTruncated
                piece: bytes = message.get("body", b"")
                if len(content) + len(piece) > limit:
                    raise RequestTooLarge(limit)
                content += piece
                sha256.update(piece)
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyTruncated from None
    return Body(content, sha256.hexdigest())


def _text(wire: bytes) -> str:
    # Bytes that are no UTF-8 survive the way into the signature's arithmetic.
    return wire.decode("utf-8", "surrogateescape")
