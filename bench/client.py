"""The load's HTTP client: one kept connection, a bare socket, answers that are thrown away unread by the kernel.

It is cheap on purpose, so that on a small machine the server and not the client is what is measured. Bodies have a
Content-Length, or are chunked and then kept whole, since only short ones come so.
"""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_HEADERS_END = b"\r\n\r\n"
_BUFFER = 1 << 20
_PATIENCE = 120


class UnexpectedAnswerError(Exception):
    """The server answered with something else than the scenario needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers in lower case, and the body or its SHA-256 when either was asked for."""

    status: int
    headers: Mapping[str, str]
    length: int
    body: bytes = b""

    def expect(self, status: int) -> Answer:
        """Insist on a status."""
        if self.status != status:
            raise UnexpectedAnswerError(f"status {self.status} instead of {status} {self.body[:300]!r}")
        return self


class Connection:
    """One HTTP/1.1 connection."""

    def __init__(self, host: str, port: int, authorization: str | None) -> None:
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A timeout in the kernel: Python's own would cost a poll before every call.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE, 0))
        self._buffer = bytearray(_BUFFER)
        self._always = f"Host: {self._host}\r\nUser-Agent: portside-bench\r\n"
        self._authorization = f"Authorization: {authorization}\r\n" if authorization else ""

    @property
    def host(self) -> str:
        """Host and port, as requests name them."""
        return self._host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: Iterable[Sequence[bytes | memoryview]] = (),
        *,
        keep: bool = False,
    ) -> Answer:
        """Send a request, each element of `body` with one call; read the answer, and keep its body only if asked.

        An Authorization of its own takes the place of the connection's.
        """
        target = target.removeprefix(f"http://{self._host}")
        given = headers or {}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        standing = self._always if "Authorization" in given else self._always + self._authorization
        self._send([f"{method} {target} HTTP/1.1\r\n{standing}{lines}\r\n".encode("latin-1")])
        for buffers in body:
            self._send(buffers)
        return self._answer(method, keep=keep)

    def sha256(self, target: str, headers: Mapping[str, str] | None = None) -> tuple[Answer, str]:
        """GET a body and hash it: for checking, outside of what is measured."""
        answer = self.request("GET", target, headers, keep=True)
        return answer, hashlib.sha256(answer.body).hexdigest()

    def _send(self, buffers: Sequence[bytes | memoryview]) -> None:
        sent, size = self._socket.sendmsg(buffers), sum(map(len, buffers))
        if sent < size:
            self._socket.sendall(b"".join(buffers)[sent:])

    def _answer(self, method: str, *, keep: bool) -> Answer:
        head, rest = self._head()
        first, _, lines = head.decode("latin-1").partition("\r\n")
        status = int(first.split(" ", 2)[1])
        pairs = (line.partition(":") for line in lines.split("\r\n"))
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if method == "HEAD" or status in {204, 304}:
            return Answer(status, headers, 0)
        if headers.get("transfer-encoding") == "chunked":
            body = self._chunked(rest)
            return Answer(status, headers, len(body), body)
        if "content-length" not in headers:
            raise UnexpectedAnswerError(f"an answer {status} without Content-Length")
        length = int(headers["content-length"])
        body = self._keep(rest, length) if keep or status >= 400 else self._discard(rest, length)
        return Answer(status, headers, length, body)

    def _head(self) -> tuple[bytes, bytes]:
        held = b""
        while (end := held.find(_HEADERS_END)) < 0:
            held += self._more(4096)
        return held[:end], held[end + len(_HEADERS_END) :]

    def _chunked(self, rest: bytes) -> bytes:
        held, body, at = bytearray(rest), bytearray(), 0
        while True:
            while (end := held.find(b"\r\n", at)) < 0:
                held += self._more()
            size = int(held[at:end].partition(b";")[0], 16)
            at = end + 2 + size + 2  # no trailers: the last chunk is followed by an empty line
            while len(held) < at:
                held += self._more()
            if not size:
                return bytes(body)
            body += held[end + 2 : at - 2]

    def _more(self, most: int = 1 << 16) -> bytes:
        more = self._socket.recv(most)
        if not more:
            raise UnexpectedAnswerError("the server closed the connection")
        return more

    def _discard(self, rest: bytes, length: int) -> bytes:
        missing = length - len(rest)
        while missing > 0:
            # MSG_TRUNC: the kernel drops the bytes instead of copying them (tcp(7)).
            got = self._socket.recv_into(self._buffer, min(missing, _BUFFER), socket.MSG_TRUNC)
            if not got:
                raise UnexpectedAnswerError(f"the body ended {missing} bytes early")
            missing -= got
        return b""

    def _keep(self, rest: bytes, length: int) -> bytes:
        body = bytearray(rest)
        while len(body) < length:
            got = self._socket.recv_into(self._buffer, min(length - len(body), _BUFFER))
            if not got:
                raise UnexpectedAnswerError(f"the body ended {length - len(body)} bytes early")
            body += memoryview(self._buffer)[:got]
        return bytes(body)
