"""HTTP by hand: bytes to a server, and what comes back until it closes the connection or falls silent."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
SILENCE = 0.5
"""Seconds without a byte after which a server is taken to keep the connection."""


@dataclass(frozen=True)
class Heard:
    """What a server said."""

    content: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """The status of every answer, interim ones too."""
        return [int(status) for status in _STATUS.findall(self.content)]


def connect(port: int, *, window: int | None = None, timeout: float = 30) -> socket.socket:
    """A connection; with a small window it stands still soon when it is not read."""
    connection = socket.socket()
    if window is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(timeout)
    connection.connect(("127.0.0.1", port))
    return connection


def say(port: int, data: bytes, silence: float = SILENCE) -> Heard:
    """Send bytes on a new connection and hear the server out."""
    with connect(port) as connection:
        with contextlib.suppress(OSError):  # it has answered and closed already
            connection.sendall(data)
        return hear(connection, silence)


def hear(connection: socket.socket, silence: float = SILENCE) -> Heard:
    """What comes until the server closes or is silent for so long."""
    connection.settimeout(silence)
    heard = bytearray()
    try:
        while piece := connection.recv(65536):
            heard += piece
    except TimeoutError:
        return Heard(bytes(heard), closed=False)
    except ConnectionResetError:
        pass
    return Heard(bytes(heard), closed=True)
