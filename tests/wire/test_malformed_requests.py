"""Requests that are malformed, or that can be read in two ways, on both servers: refused, and the connection closed.

docs/explanation/hostile-clients.md says which of it the server library refuses and which the application.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.pusher import Pusher
from tests.wire.conversation import connect, hear, say
from tests.wire.second import serve_on_granian
from tests.wire.server import RunningRegistry, serve

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v2/ HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
MALFORMED: dict[str, bytes] = {
    "two different lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a negative length": POST + b"Content-Length: -5\r\n\r\nhello",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "an empty length": POST + b"Content-Length: \r\n\r\nhello",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "a length beyond 63 bits": POST + b"Content-Length: 9223372036854775808\r\n\r\nhello",
    "the coding identity": POST + b"Transfer-Encoding: identity\r\n\r\nhello",
    "a coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked twice": POST + CHUNKED * 2 + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "a coding after a control character": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunks of HTTP/1.0": b"POST /v2/ HTTP/1.0\r\nHost: a\r\n" + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "a space before the colon": GET + b"X-A : b\r\n\r\n",
    "a folded header": GET + b"X-A: b\r\n c\r\n\r\n",
    "a folded first header": b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "NUL in a header": GET + b"X-A: a\x00b\r\n\r\n",
    "NUL in the path": b"GET /heal\x00thz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a bare CR": b"GET /healthz HTTP/1.1\rHost: localhost\r\r",
    "a space in the method": b"GE T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "HTTP/2.0 in words": b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two authorizations": GET + b"Authorization: Basic QVdTOmE=\r\nAuthorization: Basic QVdTOmI=\r\n\r\n",
    "two hosts": b"GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
}
OVERSIZED: dict[str, bytes] = {
    "a long header": GET + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
    "a header beyond every buffer": GET + b"X-A: " + b"a" * 3_000_000 + b"\r\n\r\n",
    "headers that are long together": GET + b"".join(b"X-%d: %b\r\n" % (n, b"a" * 1000) for n in range(70)) + b"\r\n",
    "a request line of 100 KB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
CHUNKS: dict[str, bytes] = {
    "a size that is no number": b"zz\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": b"5\r\nhelloX\r\n0\r\n\r\n",
    "sizes that end with LF": b"5\nhello\n0\n\n",
}


@pytest.fixture(scope="module", params=["uvicorn", "granian"])
def served(request: pytest.FixtureRequest, state: Path) -> Iterator[RunningRegistry]:
    folder = state / f"malformed-{request.param}"
    folder.mkdir(mode=0o700)
    with serve(folder) if request.param == "uvicorn" else serve_on_granian(folder) as registry:
        registry.create("team/app")
        yield registry
        assert registry.is_ready()


def is_second(registry: RunningRegistry) -> bool:
    return "granian" in str(registry.data)


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_is_refused_and_the_connection_closed(served: RunningRegistry, message: bytes) -> None:
    heard = say(served.port, message)
    assert (heard.statuses, heard.closed) == ([400], True)
    assert served.is_ready()


@pytest.mark.parametrize("message", OVERSIZED.values(), ids=OVERSIZED)
def test_an_oversized_head_is_refused_and_the_connection_closed(served: RunningRegistry, message: bytes) -> None:
    heard = say(served.port, message)
    assert heard.closed
    assert set(heard.statuses) <= {400, 414, 431}
    assert len(heard.statuses) == 1
    assert served.is_ready()


def test_rubbish_after_a_request_is_a_malformed_request(served: RunningRegistry) -> None:
    heard = say(served.port, GET + b"\r\n\x00\x01rubbish\r\n\r\n")
    assert heard.closed
    # uvicorn's parser is ahead of its application, and refuses the connection before the first request is answered.
    assert heard.statuses in ([200, 400], [400])
    assert b"rubbish" not in heard.content


def test_a_length_together_with_chunks_is_never_read_in_two_ways(served: RunningRegistry) -> None:
    """Refused, or read as chunks alone; what follows them is not taken for the next request's head."""
    inner = b"GET /v2/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    heard = say(served.port, POST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + inner)
    assert heard.closed
    assert len(heard.statuses) == 1
    assert heard.statuses[0] in {400, 401}


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"
INNER = GET + b"\r\n"
WRAPPED: dict[str, bytes] = {
    "a length": b"Content-Length: %d\r\n\r\n%b" % (len(INNER), INNER),
    "chunks": CHUNKED + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER),
}


@pytest.mark.parametrize("body", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("head", [GET, POST], ids=["that is answered", "that is refused"])
def test_the_body_of_a_request_that_asks_for_another_protocol_is_no_request(
    served: RunningRegistry, head: bytes, body: bytes
) -> None:
    """Refused by our server; where the second one ignores the wish, it reads the body as one."""
    first, rest = body[: body.index(INNER)], body[body.index(INNER) :]
    with connect(served.port) as connection:
        connection.sendall(head + UPGRADE + first)
        time.sleep(0.1)
        with contextlib.suppress(OSError):  # refused, and closed
            connection.sendall(rest)
        heard = hear(connection)
    assert len(heard.statuses) == 1
    assert heard.statuses == [400] or is_second(served)


def test_a_request_that_asks_for_another_protocol_is_answered_in_this_one(served: RunningRegistry) -> None:
    """And what came with it is answered too, or the client told by the end of the connection that it is not."""
    heard = say(served.port, GET + UPGRADE + b"\r\n" + INNER)
    assert set(heard.statuses) == {200}
    assert len(heard.statuses) == 2 or (heard.closed and b"connection: close\r\n" in heard.content.lower())


def test_a_field_behind_the_body_is_no_header(served: RunningRegistry) -> None:
    token = f"Authorization: Basic {served.token}\r\n".encode()
    ask = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n"
    assert say(served.port, ask + CHUNKED + b"\r\n0\r\n" + token + b"\r\n").statuses == [401]
    wrong = b"Authorization: Basic QVdTOng=\r\nX-Forwarded-For: 10.1.2.3\r\nHost: b\r\n"
    assert say(served.port, ask + token + CHUNKED + b"\r\n0\r\n" + wrong + b"\r\n").statuses == [200]


@pytest.mark.parametrize("field", [b"A: b\r\n", b"b" * 1000], ids=["many", "one without end"])
def test_fields_behind_the_body_come_to_an_end(served: RunningRegistry, field: bytes) -> None:
    with Pusher(served.port, served.token, "team/app") as pusher:
        location = pusher.begin()
    head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {served.token}\r\n".encode()
    with connect(served.port) as connection:
        connection.sendall(head + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nA: ")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            flood(connection, field * (10_000 // len(field)))


def flood(connection: socket.socket, data: bytes) -> None:
    for _ in range(400):
        connection.sendall(data)
        time.sleep(0.001)


def test_two_equal_lengths_are_one_length_or_refused(served: RunningRegistry) -> None:
    heard = say(served.port, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
    assert heard.closed
    assert heard.statuses[0] in {400, 401}


@pytest.mark.parametrize("method", [b"BREW", b"get", b"CONNECT", b"TRACE"])
def test_an_odd_method_does_nothing(served: RunningRegistry, method: bytes) -> None:
    target = b"localhost:80" if method == b"CONNECT" else b"/v2/"
    heard = say(served.port, method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert len(heard.statuses) == 1
    assert 400 <= heard.statuses[0] < 500


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS)
def test_a_bad_chunk_is_the_end_of_a_body_and_never_its_content(served: RunningRegistry, body: bytes) -> None:
    with Pusher(served.port, served.token, "team/app") as pusher:
        location = pusher.begin()
        head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {served.token}\r\n".encode()
        heard = say(served.port, head + CHUNKED + b"\r\n" + body)
        assert heard.closed
        assert set(heard.statuses) <= {400}
        answer, _ = pusher.call("GET", location)
        assert answer.headers["Range"] in {"0-0", "0-4"}


def test_http_1_0_is_answered_and_closed(served: RunningRegistry) -> None:
    heard = say(served.port, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (heard.statuses, heard.closed) == ([200], True)


def test_the_host_of_an_absolute_target_opens_nothing(served: RunningRegistry) -> None:
    """It is not looked at: the Host header says which registry is meant, and the token which account."""
    heard = say(served.port, b"GET http://999999999999.dkr.ecr.x.test/v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert heard.statuses == [401]
    assert b"999999999999" not in heard.content


def test_a_body_that_waits_to_be_wanted_is_asked_for(served: RunningRegistry) -> None:
    with Pusher(served.port, served.token, "team/app") as pusher:
        location = pusher.begin()
    head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {served.token}\r\n"
    with connect(served.port) as connection:
        connection.sendall(f"{head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        assert hear(connection).statuses == [202]


def test_a_body_that_waits_is_not_asked_for_when_it_is_not_wanted(served: RunningRegistry) -> None:
    heard = say(served.port, POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert (heard.statuses, heard.closed) == ([401], True)


@pytest.mark.parametrize("sent", [0, 100_000, 5_000_000])
def test_an_early_refusal_arrives_while_the_body_is_still_coming(served: RunningRegistry, sent: int) -> None:
    heard = say(served.port, POST + b"Content-Length: 5000000\r\n\r\n" + secrets.token_bytes(sent))
    assert (heard.statuses, heard.closed) == ([401], True)
