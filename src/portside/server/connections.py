"""A connection: uvicorn's HTTP/1.1 protocol with limits on what comes before a body.

The parser refuses what has two readings (a Content-Length beside a Transfer-Encoding, two lengths, folded lines). What
it leaves open is time, size and number: a request's head has to be complete after a while, and within a size, and a
worker has so many connections; who exceeds that is answered with 408, 431 or 503, and the connection closed.

Rules: every byte that is written is part of the answer whose turn it is, so a refusal waits until the answers before it
are out. While no request is being answered a timer runs, whatever came; while one is, the application has the time
(server/patience.py).
"""

from __future__ import annotations

from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from portside.server import framing

HEADER_BYTES = 64 * 1024
"""Of a request's head, and of what follows its body."""
_LINGER = 2.0
"""Seconds in which the rest of a body that nobody wants is read away, so that its sender comes to read the answer."""
MOST_QUEUED = 8
"""Requests that may wait for the answer to the one before them; one packet has room for thousands."""


class ConnectionConfig(Config):
    """uvicorn's settings of a server, and what else is allowed to a connection."""

    def __init__(self, app: Any, *, header_seconds: int, connections: int, **named: Any) -> None:
        """`header_seconds` for a request's head; `connections` at a time, idle ones too."""
        super().__init__(app, **named)
        self.header_seconds = header_seconds
        self.most_connections = connections


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(self, config: ConnectionConfig, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._header_seconds = config.header_seconds
        self._most_connections = config.most_connections
        self._timer: TimerHandle | None = None
        self._begun = True
        """Whether a request's headers are awaited: from the connection's beginning on, then from a first byte on."""
        self._reading = 0
        self._unparsed = 0
        """Bytes that came since headers began, or since a body's last piece, at the most."""
        self._others = 0
        """How many of these may belong to the request before, whose end came in the same packet."""
        self._open = False
        """Whether the body of the last request, or what follows it, is still to come."""
        self._body: list[bytes] = []
        self._lingering = False
        """Whether the last answer is out, and what still comes is thrown away."""
        self._refusal: HTTPStatus | None = None
        """What is said, and the connection closed, once the requests that came before are answered."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > self._most_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note that headers are coming."""
        self._begun = True
        self._unparsed = self._others = self._reading
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its headers are too large or it hides another one."""
        if self._unparsed > HEADER_BYTES and _size(self.url, self.headers) > HEADER_BYTES:
            raise ValueError("headers too large")
        if len(self.pipeline) >= MOST_QUEUED:
            raise ValueError("too many requests at once")
        upgrades = self.parser.should_upgrade()  # pyright: ignore[reportOptionalMemberAccess]
        # The parser stops at the head of what asks for another protocol: it would take the body for the next request.
        if upgrades and framing.has_body(self.headers):
            raise ValueError("a body whose end is not looked for")
        self._begun = False
        self._unparsed = self._others = 0
        has_body = framing.has_body(self.headers)
        super().on_headers_complete()
        if has_body:
            # The cycle closes the connection behind its answer: not while the client is still sending.
            self.cycle.transport = _BehindBody(self, self.transport)  # pyright: ignore[reportAttributeAccessIssue]
        self._open = True
        # What follows the body is taken for headers by the base class; the request's own are complete.
        self.headers = []
        # What follows in the same packet is lost when the parser stops, or not taken; HTTP has the client repeat it.
        if upgrades or len(self.pipeline) >= MOST_QUEUED:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Gather the parts of a body that came together: docker's chunks are small, and each would be copied thrice."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand over the end of a body before its end is told."""
        self._open = False
        self._hand_over()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, unless there is nothing that could be one."""
        if not self.cycle.response_complete:
            super().on_response_complete()  # others wait for their answers
            return
        if self._open:
            self.close_behind_body()  # its rest is of no use to anybody
            return
        if self._refusal is not None and not self.transport.is_closing():
            self._say(self._refusal)
        super().on_response_complete()
        if self._begun and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._wait_for_headers()

    def close_behind_body(self) -> None:
        """Close once the client has had time to read its answer.

        To close while bytes wait to be read resets the connection, and takes the answer away with it (RFC 9112, 9.6).
        """
        if not self._open:
            self.transport.close()
        elif not self._lingering and not self.transport.is_closing():
            self._lingering = True
            self._stop_waiting()
            self._unset_keepalive_if_required()
            self.flow.resume_reading()
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self._timer = self.loop.call_later(_LINGER, self.transport.close)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._refusal is not None or self._lingering:
            return
        self._reading = len(data)
        self._unparsed += self._reading
        super().data_received(data)
        if self._body:
            self._hand_over()
            self._unparsed = 0
        if self._unparsed - self._others > HEADER_BYTES and (self._begun or self._open):
            self.send_400_response("")
        elif self._is_answering():
            if self._timer is not None:
                self._stop_waiting()
        elif self._timer is None and not self.transport.is_closing():
            # Even an empty line, which begins nothing, has ended the time that the base class lets a connection idle.
            self._wait_for_headers()

    def send_400_response(self, msg: str) -> None:
        """Refuse and close; the parser's complaint, `msg`, says nothing that a client could use."""
        del msg
        if self.transport.is_closing():
            return
        large = self._begun and self._unparsed > HEADER_BYTES
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if large else HTTPStatus.BAD_REQUEST)

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no upgrade had been asked for, as HTTP lets a server do; it is no reason for a warning."""

    def _hand_over(self) -> None:
        parts, self._body = self._body, []
        if not parts or self.cycle.response_complete:
            return
        if self.cycle.body:
            parts.insert(0, bytes(self.cycle.body))
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        # Where the base class gathers a bytearray, which `receive` copies into bytes; bytes it takes as they are.
        self.cycle.body = whole  # pyright: ignore[reportAttributeAccessIssue]
        if len(whole) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def _refuse(self, status: HTTPStatus) -> None:
        self._stop_waiting()
        if not self._is_answering():
            self._say(status)
        elif not self._open:
            self._refusal = status
        elif self.pipeline or self.cycle.response_started:
            # It is the body of a request whose answer is under way, or not begun: no place is left to say anything.
            self.transport.abort()
        else:
            self.cycle.disconnected = True  # or its answer would follow
            self.cycle.message_event.set()
            self._say(status)

    def _say(self, status: HTTPStatus) -> None:
        text = f"{status.value} {status.phrase}"
        self.transport.write(
            f"HTTP/1.1 {text}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text) + 1}\r\n"
            f"Connection: close\r\n\r\n{text}\n".encode("ascii")
        )
        self.transport.close()

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(self._header_seconds, self._expire)

    def _expire(self) -> None:
        if self._begun:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


class _BehindBody:
    """What a request with a body is answered through."""

    __slots__ = ("_connection", "is_closing", "write")

    def __init__(self, connection: Connection, transport: Any) -> None:
        self._connection = connection
        self.write = transport.write
        self.is_closing = transport.is_closing

    def close(self) -> None:
        """Close behind the answer."""
        self._connection.close_behind_body()
