"""An engine that answers wrong, over a real socket; the right one is in `tests/wire/test_push_tool.py`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.remote.engine import Endpoint, Engine
from portside.remote.errors import NotFound, RemoteError, Unexpected, Unreachable, Unusable

ID = str(Digest.of(b"config"))


class Said:
    """An engine that says the same to everybody, and keeps what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "e.sock"
        self.answer = b""
        self.asked: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def engine(self) -> Engine:
        return Engine(Endpoint(f"unix://{self.path}"))

    def say(self, body: bytes, status: str = "200 OK") -> None:
        self.answer = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            status.encode(),
            len(body),
            body,
        )

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                asked = b""
                while not asked.endswith(b"0\r\n\r\n" if asked.startswith(b"POST") else b"\r\n\r\n"):
                    asked += connection.recv(65_536)
                self.asked.append(asked)
                connection.sendall(self.answer)


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Said]:
    made = Said(tmp_path)
    yield made
    made.stop()


def test_an_image_is_described(said: Said) -> None:
    said.say(f'{{"Id": "{ID}", "Os": "linux", "Architecture": "amd64", "RootFS": {{"Layers": ["{ID}"]}}}}'.encode())
    image = said.engine.inspect("team/app:1")
    assert (str(image.id), image.platform, len(image.layers)) == (ID, "linux/amd64", 1)
    assert b"GET /images/team%2Fapp%3A1/json " in said.asked[0]


def test_a_name_stays_within_its_place(said: Said) -> None:
    said.say(b"{}", "404 Not Found")
    with pytest.raises(NotFound, match="no image"):
        said.engine.inspect("../containers/json?x=1 HTTP/1.1\r\nX: y")
    assert b"GET /images/..%2Fcontainers%2Fjson%3Fx%3D1%20HTTP%2F1.1%0D%0AX%3A%20y/json HTTP/1.1" in said.asked[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"Id": 7}', b'{"Id": "x", "RootFS": {}}', b"\xff"])
def test_an_image_that_is_described_in_no_known_way_is_said_so(body: bytes, said: Said) -> None:
    said.say(body)
    with pytest.raises(Unexpected, match="cannot be read"):
        said.engine.inspect("app:1")


def test_an_engine_s_own_failure_is_said(said: Said) -> None:
    said.say(b'{"message": "no space"}', "500 Internal Server Error")
    with pytest.raises(Unexpected, match=r"HTTP 500 \(no space\)"):
        said.engine.inspect("app:1")


def test_a_load_that_fails_is_said(said: Said) -> None:
    said.say(b'{"stream":"Loading"}\n{"error":"invalid diffID"}\n')
    with pytest.raises(Unexpected, match="invalid diffID"):
        said.engine.load([b"x"])


def test_an_engine_that_breaks_off_is_unreachable(said: Said) -> None:
    said.answer = b""
    with pytest.raises(Unreachable, match="does not answer"):
        said.engine.version()


def test_an_engine_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"no engine listens there.*set DOCKER_HOST"):
        Engine(Endpoint(f"unix://{tmp_path}/nothing")).version()


@pytest.mark.parametrize("address", ["ssh://user@host", "npipe:////./pipe/docker_engine", "", "http", "tcp://"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(RemoteError) as refused:
        Engine(Endpoint(address)).version()
    assert isinstance(refused.value, Unusable)
