"""A proxy on loopback that behaves badly on request: it stands between a client and a real registry.

Each rule names the requests that it is for and what happens to them, a number of times; every other request passes as
it is. What passed is kept, headers and all, so that a test can see who was shown a credential.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PIECE = 64 * 1024
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Answer:
    """What the proxy says: the registry's answer, or one of its own."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


@dataclass
class Rule:
    """What happens to requests of this method whose path matches, the first `times` times after `after` of them."""

    method: str
    path: str
    times: int = 1
    after: int = 0
    answer: Answer | None = None
    """Said in the registry's place."""
    change: Callable[[Answer], None] | None = None
    """Done to the registry's answer."""
    cut_request_after: int | None = None
    """The connection breaks when so many bytes of the body have passed to the registry."""
    cut_answer_after: int | None = None
    """The connection breaks when so many bytes of the answer have passed to the client."""

    def fits(self, method: str, path: str) -> bool:
        """Count a request that it is for; gives whether it is one of those that something happens to."""
        if method != self.method or re.search(self.path, path) is None or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True)
class Passed:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Proxy:
    """A proxy that runs."""

    port: int
    upstream: int
    rules: list[Rule] = field(default_factory=list[Rule])
    passed: list[Passed] = field(default_factory=list[Passed])
    lock: threading.Lock = field(default_factory=threading.Lock)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        """The host as an image name begins with it."""
        return f"localhost:{self.port}"

    def requests(self, method: str, path: str = "") -> list[Passed]:
        """The requests of a method whose path matches."""
        return [one for one in self.passed if one.method == method and re.search(path, one.path)]

    def take(self, one: Passed) -> Rule | None:
        """Keep a request; gives the rule that is for it."""
        with self.lock:
            self.passed.append(one)
            return next((rule for rule in self.rules if rule.fits(one.method, one.path)), None)


def refusal(status: int, code: str = "UNKNOWN", message: str = "", **headers: str) -> Answer:
    """A registry's error."""
    body = f'{{"errors":[{{"code":"{code}","message":"{message}"}}]}}'.encode()
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Answer(status, [("Content-Type", "application/json"), *named], body)


def header(name: str, value: str) -> Callable[[Answer], None]:
    """A change: the header has another value."""

    def change(answer: Answer) -> None:
        answer.headers = [(one, old) for one, old in answer.headers if one.lower() != name.lower()]
        answer.headers.append((name, value))

    return change


@contextmanager
def proxy(upstream: int) -> Generator[Proxy]:
    """Run a proxy before the registry on this port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    running = Proxy(server.server_port, upstream)
    server.proxy = running  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, _Cut):
            super().handle_one_request()
            return
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        pass

    def do_GET(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        rule = proxy.take(
            Passed(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        )
        length = int(self.headers.get("Content-Length") or 0)
        if rule is not None and rule.answer is not None:
            self._drain(length)
            self._say(rule.answer, None)
            return
        cut = rule.cut_request_after if rule is not None else None
        answer = self._forward(proxy, length, cut)
        if rule is not None and rule.change is not None:
            rule.change(answer)
        self._say(answer, rule.cut_answer_after if rule is not None else None)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - their names in the standard library

    def _forward(self, proxy: Proxy, length: int, cut: int | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "keep-alive"}:
                    connection.putheader(name, value)
            connection.endheaders()
            self._pass(connection, length, cut)
            response = connection.getresponse()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
            if self.command == "HEAD" and (said := response.headers.get("Content-Length")):
                headers.append(("Content-Length", said))
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()

    def _pass(self, connection: http.client.HTTPConnection, length: int, cut: int | None) -> None:
        left = length if cut is None else min(cut, length)
        while left:
            piece = self.rfile.read(min(_PIECE, left))
            if not piece:
                raise _Cut
            left -= len(piece)
            connection.send(piece)
        if cut is not None:
            # Let the registry take what it was sent before it sees the end.
            assert connection.sock is not None
            connection.sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.getresponse().read()
            self._reset()

    def _drain(self, length: int) -> None:
        while length and (piece := self.rfile.read(min(_PIECE, length))):
            length -= len(piece)

    def _say(self, answer: Answer, cut: int | None) -> None:
        self.send_response_only(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(answer.body if cut is None else answer.body[:cut])
        if cut is not None:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Cut


class _Cut(Exception):
    """The connection is broken on purpose."""
