"""How long the two sides of a request are waited for: a client that sends its body, and one that reads its answer.

A client that is silent, or drips, counts as gone: the planes then see what they see when it hangs up. One that does
not read is cut off. Only time that is spent waiting for the client counts, so a slow disk is nobody's fault but ours.

Why a timer that looks at a time stamp: an `asyncio.timeout` around each of a body's thousands of messages costs more
than most of them. One timer a side is armed at the first wait, and none for a request that waits for nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Message, Receive, Send

from portside.server import framing
from portside.server.framing import Headers

PIECE = 64 * 1024
"""Bytes that are sent at a time to a reader that is slow, or when readers are many: the server holds several."""
_LARGE = 256 * 1024
"""A whole answer longer than this is sent piece by piece, so that it can be seen to progress."""
_SLOW = 1.0
"""Seconds for one piece, after which a reader is slow."""


class ReaderStalled(Exception):
    """The client stopped reading its answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long clients are waited for."""

    silence: float
    """Seconds without a byte of a body."""
    rate: int
    """Bytes a second that a body keeps up, once it has lasted as long as a silence may."""
    stall: float
    """Seconds that one piece of an answer may take."""
    body: float
    """Seconds of waiting for all of a body, however well it keeps up."""


class _Side:
    """The waits for one side of a request."""

    __slots__ = ("_began", "_limit", "_loop", "_task", "_timer", "expired", "waited")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.expired = False
        self.waited = 0.0
        """Seconds of all waits that have ended."""

    def begin(self) -> None:
        """A wait begins in this task."""
        now = self._began = self._loop.time()
        # An answer's end is awaited by another task than the one that sends it.
        self._task = asyncio.current_task()
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._limit, self._look)

    def end(self) -> float:
        """The wait is over; its seconds."""
        assert self._began is not None
        took = self._loop.time() - self._began
        self._began = None
        self.waited += took
        return took

    def cut(self) -> bool:
        """Whether it is this side's timer that cancelled the task, and nobody else."""
        return self.expired and self._task is not None and self._task.uncancel() == 0

    def close(self) -> None:
        """No more waits."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        due = (now if self._began is None else self._began) + self._limit
        if due > now or self._task is None:
            self._timer = self._loop.call_at(due, self._look)
            return
        self.expired = True
        self._task.cancel()


class Patience:
    """The `receive` and `send` of one request, with an end to every wait; it remembers what went out."""

    __slots__ = (
        "_body",
        "_crowded",
        "_ended",
        "_headers",
        "_limits",
        "_reader",
        "_receive",
        "_received",
        "_send",
        "_whole",
        "sent",
        "status",
    )

    def __init__(
        self, receive: Receive, send: Send, limits: Limits, *, headers: Headers = (), crowded: bool = False
    ) -> None:
        """`headers` are the request's.

        `crowded` is whether memory is short, so that answers go out in small pieces from the start.
        """
        self._receive = receive
        self._send = send
        self._limits = limits
        self._crowded = crowded
        self._headers = headers
        self._received = 0
        self._ended = False
        """Whether the body was read to its end."""
        self._whole = False
        self._body: _Side | None = None
        self._reader: _Side | None = None
        self.status: int | None = None
        """The status that was answered; None before that."""
        self.sent = 0
        """Bytes of the answer's body that were handed over."""

    async def receive(self) -> Message:
        """See ASGI; a client that is too slow has gone."""
        if self._whole:
            return await self._receive()  # nothing is left to come but the client's leaving
        side = self._body
        if side is None:
            side = self._body = _Side(self._limits.silence)
        side.begin()
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not side.cut():
                raise
            return self._gone()
        finally:
            side.end()
        self._received += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        self._ended = self._whole and message["type"] == "http.request"
        limits = self._limits
        if not self._whole and side.waited > min(limits.silence + self._received / limits.rate, limits.body):
            return self._gone()
        return message

    async def send(self, message: Message) -> None:
        """See ASGI; raises ReaderStalled."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self._ended and framing.has_body(self._headers):
                message = _closing(message)
            await self._send(message)
            return
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        self.sent += len(body)
        if self._reader is None and not more and len(body) <= _LARGE:
            await self._send(message)  # the whole of a short answer: the server takes it at once
            return
        size = PIECE if self._crowded else max(len(body), 1) if more else _LARGE
        at = 0
        while len(body) - at > size:
            await self._pass(body[at : at + size], more=True)
            at += size
            size = PIECE if self._crowded else size
        await self._pass(body[at:] if at else body, more=more)

    def close(self) -> None:
        """The request has ended."""
        for side in (self._body, self._reader):
            if side is not None:
                side.close()

    async def _pass(self, piece: bytes, *, more: bool) -> None:
        side = self._reader
        if side is None:
            side = self._reader = _Side(self._limits.stall)
        side.begin()
        try:
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        except asyncio.CancelledError:
            if not side.cut():
                raise
            raise ReaderStalled from None
        finally:
            # From the first slow piece on they are small, so that a line of a few kilobytes a second is fast enough.
            self._crowded |= side.end() > _SLOW

    def _gone(self) -> Message:
        self._whole = True
        return {"type": "http.disconnect"}


def _closing(message: Message) -> Message:
    """The beginning of an answer, whoever gives it, after which nobody reads on in a body to find the next request."""
    headers = [header for header in message.get("headers", ()) if header[0].lower() != b"connection"]
    return {**message, "headers": [*headers, (b"connection", b"close")]}
