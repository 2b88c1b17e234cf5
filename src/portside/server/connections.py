"""A connection: uvicorn's HTTP/1.1 protocol with limits on what comes before a body.

The parser refuses what has two readings (a Content-Length beside a Transfer-Encoding, two lengths, folded lines). What
it leaves open is time, size and number: a request's head has to be complete after a while, and within a size, and a
worker has so many connections; who exceeds that is answered with 408, 431 or 503, and the connection closed.
"""

from __future__ import annotations

from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES = 64 * 1024


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
        """Bytes that came since headers began, at the most."""
        self._body: list[bytes] = []

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
        self._unparsed = self._reading
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its headers are too large."""
        self._begun = False
        if self._unparsed > HEADER_BYTES and _size(self.url, self.headers) > HEADER_BYTES:
            raise ValueError("headers too large")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Gather the parts of a body that came together: docker's chunks are small, and each would be copied thrice."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand over the end of a body before its end is told."""
        self._hand_over()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._reading = len(data)
        self._unparsed += self._reading
        super().data_received(data)
        if self._body:
            self._hand_over()
        if not self._begun:
            if self._timer is not None:
                self._stop_waiting()
        elif self._unparsed > HEADER_BYTES:
            self.send_400_response("")
        elif self._timer is None:
            self._wait_for_headers()

    def send_400_response(self, msg: str) -> None:
        """Refuse and close; the parser's complaint, `msg`, says nothing that a client could use."""
        del msg
        if self.transport.is_closing():
            return
        large = self._unparsed > HEADER_BYTES
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

    def _refuse(self, status: HTTPStatus) -> None:
        self._stop_waiting()
        text = f"{status.value} {status.phrase}"
        self.transport.write(
            f"HTTP/1.1 {text}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text) + 1}\r\n"
            f"Connection: close\r\n\r\n{text}\n".encode("ascii")
        )
        self.transport.close()

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(self._header_seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
