"""One request and its answer, over bare ASGI.

Rules that servers leave to the application: a body that stops short is an error and never an end; a streamed answer
stops when its reader is gone, since sending to nobody succeeds silently.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from portside.core.errors import BodyTruncated, RequestTooLarge
from portside.core.names import RegistryId, RepositoryId
from portside.identity.caller import Caller
from portside.registry.bodies import Bodies
from portside.registry.content import Piece

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_LENGTH = re.compile(r"[0-9]{1,18}")
_BODILESS = frozenset({204, 304})
"""Answers without a body, whose length must not be told, or not be told wrong (RFC 9110, 8.6)."""
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Reply:
    """An answer. A streamed body's Content-Length is among its headers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | AsyncIterator[Piece] = b""


class Exchange:
    """What a handler is given: the request, and who sent it."""

    def __init__(self, scope: Scope, receive: Receive, bodies: Bodies) -> None:
        self._scope = scope
        self._receive = receive
        self._bodies = bodies
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        # Set by the edge before a handler runs.
        self.caller: Caller
        self.registry: RegistryId
        self.parts: Mapping[str, str] = {}

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last of a repeated one."""
        return dict(parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def all_of(self, parameter: str) -> list[str]:
        """Every value of a parameter of the query, in order."""
        listed = parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return [value for name, value in listed if name == parameter]

    @property
    def repository(self) -> RepositoryId:
        """The repository in the path; raises InvalidParameter."""
        return self.registry.repository(self.parts["name"])

    @property
    def origin(self) -> str:
        """`SCHEME://HOST` as the client asked for it."""
        return f"{self._scope['scheme']}://{self.headers.get('host', '')}"

    @property
    def is_framed(self) -> bool:
        """Whether the headers leave no doubt where the body ends (RFC 9112, 6.3)."""
        length = self.headers.get("content-length")
        encoding = self.headers.get("transfer-encoding")
        if encoding is not None:
            return length is None and encoding.lower() == "chunked"
        return length is None or _LENGTH.fullmatch(length) is not None

    @property
    def has_body(self) -> bool:
        """Whether the client sends anything."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it comes; raises BodyTruncated when the client hangs up before its end.

        A client that is silent or too slow is cut by the server (server/patience.py), which looks the same.
        """
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BodyTruncated
            if data := message.get("body"):
                yield data
            more = message.get("more_body", False)

    @asynccontextmanager
    async def whole_body(self, limit: int) -> AsyncGenerator[bytes]:
        """The body at once, and memory for it while the block lasts.

        Raises RequestTooLarge, TooManyRequests, and BodyTruncated for one that comes too slowly to be kept memory for.
        """
        expected = int(self.headers.get("content-length", limit))
        if expected > limit:
            raise RequestTooLarge(limit)
        async with self._bodies.held(expected):
            content = bytearray()
            try:
                async with asyncio.timeout(self._bodies.longest(expected)):
                    async for data in self.body():
                        content += data
                        if len(content) > limit:
                            raise RequestTooLarge(limit)
            except TimeoutError:
                raise BodyTruncated from None
            yield bytes(content)


async def answer(exchange: Exchange, reply: Reply, receive: Receive, send: Send) -> None:
    """Send a reply."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    body = reply.body
    if isinstance(body, bytes):
        if "Content-Length" not in reply.headers and reply.status not in _BODILESS:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await _stream(body, receive, send)


async def _stream(body: AsyncIterator[Piece], receive: Receive, send: Send) -> None:
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        async for piece in body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await body.aclose()  # type: ignore[attr-defined]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def failure_body(code: str, message: str) -> bytes:
    """The OCI error envelope."""
    return json.dumps({"errors": [{"code": code, "message": message}]}, separators=(",", ":")).encode() + b"\n"
