"""One connection, fed by hand: packets as a network cuts them, which no socket can be made to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from portside.server.connections import HEADER_BYTES, MOST_QUEUED, Connection, ConnectionConfig

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


class Line(asyncio.Transport):
    """What the server has said, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closed = False
        self.ended = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        assert not self.ended
        self.said += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Whoever feeds it stops by himself."""

    resume_reading = pause_reading


async def read_and_answer(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await answer(_scope, receive, send)


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def connected(app: Callable[..., Any]) -> tuple[Connection, Line]:
    config = ConnectionConfig(
        app, header_seconds=1, connections=10, timeout_keep_alive=1, lifespan="off", log_config=None, ws="none"
    )
    connection, line = Connection(config, ServerState(), {}), Line()
    connection.connection_made(line)
    return connection, line


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_head_that_begins_in_a_bodys_last_packet_is_not_too_large() -> None:
    connection, line = connected(read_and_answer)
    size = 2 * HEADER_BYTES
    connection.data_received(POST + b"Content-Length: %d\r\n\r\n" % size)
    connection.data_received(bytes(size) + GET[:10])
    await settle()
    connection.data_received(GET[10:] + b"\r\n")
    await settle()
    assert line.said.count(b"HTTP/1.1 200 ") == line.said.count(b"HTTP/1.1 ") == 2
    assert not line.closed


async def test_a_head_that_begins_in_a_bodys_last_packet_has_a_size_all_the_same() -> None:
    connection, line = connected(read_and_answer)
    connection.data_received(POST + b"Content-Length: 5\r\n\r\nhello" + GET + b"A: ")
    for _ in range(3):
        connection.data_received(b"a" * (HEADER_BYTES // 2))
    await settle()
    assert line.said.count(b"HTTP/1.1 200 ") == 1
    assert line.said.count(b"HTTP/1.1 431 ") == 1
    assert line.closed


async def test_a_bad_chunk_behind_much_of_a_body_is_no_large_head() -> None:
    connection, line = connected(read_and_answer)
    connection.data_received(POST + b"Transfer-Encoding: chunked\r\n\r\n20000\r\n")
    connection.data_received(bytes(0x20000))
    connection.data_received(b"rubbish\r\n")
    await settle()
    assert line.said.startswith(b"HTTP/1.1 400 ")
    assert line.said.count(b"HTTP/1.1 ") == 1
    assert line.closed


async def test_a_connection_is_closed_after_an_answer_that_did_not_wait_for_the_body_and_did_not_say_so() -> None:
    """And not before the sender has had time to read it: to close upon bytes that come takes the answer back."""
    connection, line = connected(answer)
    connection.data_received(POST + b"Content-Length: 5\r\n\r\nhel")
    await settle()
    assert line.ended
    assert not line.closed
    connection.data_received(b"lo" + GET + b"\r\n")
    await settle()
    assert line.said.count(b"HTTP/1.1 ") == line.said.count(b"HTTP/1.1 200 ") == 1
    await asyncio.sleep(2.1)
    assert line.closed


async def test_as_many_requests_as_may_wait_are_answered_and_the_connection_kept_for_one_less() -> None:
    for many, closed in ((MOST_QUEUED, False), (MOST_QUEUED + 1, True)):
        connection, line = connected(answer)
        connection.data_received((GET + b"\r\n") * many)
        await settle()
        await settle()
        assert line.said.count(b"HTTP/1.1 200 ") == many
        assert line.closed == closed
