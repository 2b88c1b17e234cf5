"""Clients that take their time on purpose are cut off, and nobody else waits for them."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import select
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients import commands
from tests.faults.pusher import Pusher
from tests.wire.conversation import connect, hear
from tests.wire.people import Office
from tests.wire.second import serve_on_granian
from tests.wire.server import RunningRegistry, serve

LIMITS = {"header-seconds": 1, "idle-seconds": 1, "silence-seconds": 1, "stall-seconds": 2, "body-rate": 100_000}
LAYER = os.urandom(1 << 20) * 32
SOON = 10.0
"""Seconds after which a client that should have been cut was not."""
MANY = 300
POWER = "AmazonEC2ContainerRegistryPowerUser"
PART = 16 << 20
"""Bytes of a layer, more than the sockets and the library hold together."""


@pytest.fixture(scope="module")
def impatient() -> Iterator[RunningRegistry]:
    options = [word for name, value in LIMITS.items() for word in (f"--limits-{name}", str(value))]
    with short_folder() as folder, serve(folder, *options) as registry:
        registry.create("slow/app")
        yield registry


@pytest.fixture(scope="module", params=["uvicorn", "granian"])
def on_both(request: pytest.FixtureRequest) -> Iterator[RunningRegistry]:
    """What the application does by itself, it does on any server."""
    if request.param == "uvicorn":
        yield request.getfixturevalue("impatient")
        return
    with short_folder() as folder, serve_on_granian(folder, silence_seconds=1, body_rate=100_000) as registry:
        registry.create("slow/app")
        yield registry


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    folder = Path("/tmp") / f"fault-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


def head(registry: RunningRegistry, method: str, path: str, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Basic {registry.token}", *more, "", ""]
    return "\r\n".join(lines).encode()


def begin(registry: RunningRegistry) -> str:
    with Pusher(registry.port, registry.token, "slow/app") as pusher:
        return pusher.begin()


def held(registry: RunningRegistry, location: str) -> str | None:
    with Pusher(registry.port, registry.token, "slow/app") as pusher:
        return pusher.call("GET", location)[0].headers["Range"]


def until_closed(connection: socket.socket, feed: Callable[[], bytes] = bytes) -> bytes:
    """What the server said before it closed the connection, which is sent `feed()` ten times a second."""
    deadline, heard = time.monotonic() + SOON, b""
    connection.settimeout(0.1)
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            try:
                if data := feed():
                    connection.sendall(data)
                piece = connection.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return heard
            if not piece:
                return heard
            heard += piece
    pytest.fail("the connection stands")


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: local", b"\r\n"],
    ids=["nothing", "half a line", "half a header", "an empty line"],
)
def test_a_head_that_does_not_come_is_not_waited_for(impatient: RunningRegistry, sent: bytes) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(sent)
        until_closed(connection)


def test_a_head_that_drips_is_not_waited_for(impatient: RunningRegistry) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        until_closed(connection, lambda: b"X-A: b\r\n")


def test_a_connection_that_idles_is_closed(impatient: RunningRegistry) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert until_closed(connection).count(b"200 OK") == 1


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
UNREAD: dict[str, tuple[bytes, bytes]] = {
    "a page that is not there": (b"PUT /v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    "a question about health": (GET + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "a method that is not answered": (
        b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        b"x",
    ),
    "a trailer without end": (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"x"),
}


def test_an_empty_line_does_not_keep_a_connection(impatient: RunningRegistry) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(GET + b"\r\n")
        time.sleep(0.3)
        connection.sendall(b"\r\n")
        assert until_closed(connection).count(b"HTTP/1.1 ") == 1


def test_empty_lines_that_drip_do_not_keep_a_connection(impatient: RunningRegistry) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(GET + b"\r\n")
        assert until_closed(connection, lambda: b"\r\n").count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(("sent", "later"), UNREAD.values(), ids=UNREAD)
def test_a_body_that_nobody_reads_does_not_keep_a_connection(
    impatient: RunningRegistry, sent: bytes, later: bytes
) -> None:
    with connect(impatient.port) as connection:
        connection.sendall(sent)
        heard = until_closed(connection, lambda: later)
    assert heard.count(b"HTTP/1.1 ") == 1
    assert b"connection: close\r\n" in heard.lower()


@pytest.mark.parametrize(
    ("sent", "wait", "refusal"),
    [
        (b"GET / HT", LIMITS["header-seconds"] + 0.5, b"HTTP/1.1 408 "),
        (b"\x00\x01rubbish\r\n\r\n", 0.5, b"HTTP/1.1 400 "),
    ],
    ids=["a request that has begun", "rubbish"],
)
def test_what_comes_behind_a_download_is_refused_after_it(
    impatient: RunningRegistry, sent: bytes, wait: float, refusal: bytes
) -> None:
    """Neither is the download cut, nor is anything but the blob written into it."""
    with Pusher(impatient.port, impatient.token, "slow/app") as pusher:
        digest = pusher.push_blob(LAYER)
    with connect(impatient.port, window=65536) as connection:
        connection.sendall(head(impatient, "GET", f"/v2/slow/app/blobs/{digest}", f"Range: bytes=0-{PART - 1}"))
        time.sleep(0.1)
        connection.sendall(sent)
        time.sleep(wait)
        heard = until_closed(connection)
    _, _, rest = heard.partition(b"\r\n\r\n")
    assert rest[:PART] == LAYER[:PART]
    assert rest[PART:].startswith(refusal)


def test_a_body_that_goes_wrong_while_it_is_answered_ends_the_answer(impatient: RunningRegistry) -> None:
    with Pusher(impatient.port, impatient.token, "slow/app") as pusher:
        digest = pusher.push_blob(LAYER)
    with connect(impatient.port, window=65536) as connection:
        connection.sendall(head(impatient, "GET", f"/v2/slow/app/blobs/{digest}", "Transfer-Encoding: chunked"))
        time.sleep(0.3)
        connection.sendall(b"rubbish\r\n\r\n")
        time.sleep(0.3)
        heard = until_closed(connection)
    _, _, rest = heard.partition(b"\r\n\r\n")
    assert len(rest) < len(LAYER)
    assert LAYER.startswith(rest)


def test_few_requests_are_queued_behind_one_another(impatient: RunningRegistry) -> None:
    """The last that is answered says so, so that a client knows which to send again."""
    with connect(impatient.port) as connection:
        connection.sendall((GET + b"\r\n") * 5000)
        heard = until_closed(connection)
    assert heard.count(b"HTTP/1.1 200 ") == heard.count(b"HTTP/1.1 ") == 9
    assert heard.lower().count(b"connection: close\r\n") == 1


def test_a_body_that_falls_silent_is_not_waited_for_and_what_came_is_kept(on_both: RunningRegistry) -> None:
    location = begin(on_both)
    with connect(on_both.port) as connection:
        connection.sendall(head(on_both, "PATCH", location, "Content-Length: 1000") + b"hello")
        assert until_closed(connection).startswith(b"HTTP/1.1 400 ")
    assert held(on_both, location) == "0-4"


def test_a_body_that_drips_is_not_waited_for(on_both: RunningRegistry) -> None:
    location = begin(on_both)
    with connect(on_both.port) as connection:
        connection.sendall(head(on_both, "PATCH", location, "Content-Length: 1000000") + b"hello")
        assert until_closed(connection, lambda: b"x").startswith(b"HTTP/1.1 400 ")


def test_a_body_that_keeps_the_pace_is_taken_however_long_it_lasts(on_both: RunningRegistry) -> None:
    """Three times as long as a silence may be, at twice the pace that is asked for."""
    location, piece = begin(on_both), bytes(20_000)
    with connect(on_both.port) as connection:
        connection.sendall(head(on_both, "PATCH", location, f"Content-Length: {30 * len(piece)}"))
        for _ in range(30):
            connection.sendall(piece)
            time.sleep(0.1)
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("times", [1, 200], ids=["one answer", "answers one upon another"])
def test_a_reader_that_stalls_is_cut_and_what_it_held_is_free(impatient: RunningRegistry, times: int) -> None:
    """A long answer is held by the application, many short ones by the server library alone."""
    with Pusher(impatient.port, impatient.token, "slow/app") as pusher:
        digest = pusher.push_blob(LAYER if times == 1 else LAYER[: 200 * 1024])
    with connect(impatient.port, window=4096) as connection:
        connection.sendall(head(impatient, "GET", f"/v2/slow/app/blobs/{digest}") * times)
        commands.until(lambda: is_gone(connection, impatient.port), "the end of the connection", seconds=SOON)


def is_gone(connection: socket.socket, port: int) -> bool:
    """Whether the server's end of a connection is closed; nothing is read to find out."""
    mine = connection.getsockname()[1]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not any(
        int(local.rpartition(":")[2], 16) == port and int(remote.rpartition(":")[2], 16) == mine and state == "01"
        for _, local, remote, state, *_ in lines
    )


def test_slow_clients_do_not_stop_others(impatient: RunningRegistry) -> None:
    location, office = begin(impatient), Office(impatient)
    other = office.token(office.user("other", POWER))
    with contextlib.ExitStack() as stack, Pusher(impatient.port, other, "slow/app") as pusher:
        for number in range(MANY):
            connection = stack.enter_context(connect(impatient.port, window=4096))
            kinds = (b"", b"GET / HT", head(impatient, "PATCH", location, "Content-Length: 9"))
            connection.sendall(kinds[number % len(kinds)])
        content = os.urandom(500_000)
        began = time.monotonic()
        assert pusher.blob(pusher.push_blob(content)) == content
        assert time.monotonic() - began < 5


def test_slow_uploads_of_one_user_leave_places_for_others(folder: Path) -> None:
    with serve(folder, "--limits-uploads", "8", "--limits-wait-seconds", "1") as registry:
        registry.create("slow/app")
        office = Office(registry)
        greedy = office.token(office.user("greedy", POWER))
        with contextlib.ExitStack() as stack, Pusher(registry.port, greedy, "slow/app") as pusher:
            locations = [pusher.begin() for _ in range(20)]
            dripping = [_drip(stack, registry.port, greedy, location) for location in locations]
            commands.until(lambda: len(_answered(dripping)) == 14, "the end of all but six", seconds=SOON)
            for one in [hear(connection, 0.1).content for connection in _answered(dripping)]:
                assert one.startswith(b"HTTP/1.1 429 ")
                assert b"\r\nretry-after: 1\r\n" in one.lower()
                assert b"TOOMANYREQUESTS" in one
            assert pusher.call("POST", "/v2/slow/app/blobs/uploads/")[0].status == http.client.TOO_MANY_REQUESTS
            with Pusher(registry.port, registry.token, "slow/app") as other:
                began = time.monotonic()
                assert other.blob(other.push_blob(LAYER[:500_000])) == LAYER[:500_000]
                assert time.monotonic() - began < 5
        with Pusher(registry.port, greedy, "slow/app") as pusher:
            pusher.push_blob(b"later")


def _answered(connections: list[socket.socket]) -> list[socket.socket]:
    return select.select(connections, [], [], 0)[0]


def _drip(stack: contextlib.ExitStack, port: int, token: str, location: str) -> socket.socket:
    connection = stack.enter_context(connect(port))
    lines = (f"PATCH {location} HTTP/1.1", "Host: localhost", f"Authorization: Basic {token}", "Content-Length: 9")
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + b"x")
    return connection
