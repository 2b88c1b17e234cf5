from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from bench.client import Connection, UnexpectedAnswerError


@contextmanager
def answering(pieces: Sequence[bytes]) -> Iterator[int]:
    """A server that answers its one request with these pieces and ends; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"],
        [HEAD, b"3\r", b"\nab", b"c\r", b"\n2\r\nde", b"\r\n0", b"\r\n\r\n"],
    ],
)
def test_a_chunked_body_is_put_together(pieces: Sequence[bytes]) -> None:
    with answering(pieces) as port, Connection("127.0.0.1", port, None) as connection:
        assert connection.request("GET", "/").body == b"abcde"


def test_a_chunked_body_that_ends_early_is_an_error() -> None:
    with (
        answering([HEAD, b"3\r\nab"]) as port,
        Connection("127.0.0.1", port, None) as connection,
        pytest.raises(UnexpectedAnswerError),
    ):
        connection.request("GET", "/")
