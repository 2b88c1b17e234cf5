"""Clients for the soak: many connections in one event loop, which come again when they are told to, as docker does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass, field

_ATTEMPTS = 30
_PATIENCE = 120.0
_OPENING = 64
"""Connections that are opened at a time; all of them stay open."""


class SoakFailedError(Exception):
    """A request was not answered as it should have been."""


@dataclass
class Tally:
    """What happened, in seconds and in numbers."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    throttled: int = 0
    reopened: int = 0
    """Kept connections that the server had closed when they were used again."""
    failures: list[str] = field(default_factory=list)
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_OPENING))
    """One event loop plays thousands of clients: without it, each would be slow to send what it has to send."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    content: bytes


class Client:
    """One connection that is kept, and opened again where HTTP allows it."""

    def __init__(self, port: int, authorization: str, tally: Tally) -> None:
        self._port = port
        self._authorization = authorization
        self._tally = tally
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, kind: str, path: str, expected: int, *, body: bytes = b"", content_type: str | None = None
    ) -> Answer:
        """One request, whose method is the first word of its kind; again while the server says 429.

        Its time counts from the first attempt to the last answer.
        """
        method = kind.partition(" ")[0]
        began = time.perf_counter()
        for _ in range(_ATTEMPTS):
            async with asyncio.timeout(_PATIENCE):
                answer = await self._once(method, path, body, content_type)
            if answer.status != 429:
                break
            self._tally.throttled += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
        self._tally.seconds[kind].append(time.perf_counter() - began)
        if answer.status != expected:
            raise SoakFailedError(f"{method} {path}: {answer.status} instead of {expected}: {answer.content[:200]!r}")
        return answer

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = None

    async def _once(self, method: str, path: str, body: bytes, content_type: str | None) -> Answer:
        kept = self._reader is not None
        try:
            return await self._exchange(method, path, body, content_type)
        except (ConnectionError, asyncio.IncompleteReadError):
            await self.close()
            if not kept:
                raise
        self._tally.reopened += 1
        return await self._exchange(method, path, body, content_type)

    async def _exchange(self, method: str, path: str, body: bytes, content_type: str | None) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {self._authorization}"]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}")
        message = "\r\n".join([*lines, "", ""]).encode() + body
        if self._reader is None or self._writer is None:
            async with self._tally.opening:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._writer.write(message)
        else:
            self._writer.write(message)
        await self._writer.drain()
        answer = await self._answer(self._reader, method)
        if answer.headers.get("connection") == "close":
            await self.close()
        return answer

    async def _answer(self, reader: asyncio.StreamReader, method: str) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        return Answer(int(head[0].split()[1]), headers, await reader.readexactly(length))
