"""Taking the port before anything is made, and keeping it while workers come and go.

The port is bound and listened on at once, by a socket that all workers share: a second server is refused at its start,
and whoever connects before a worker is ready, or while a lost one is replaced, waits a moment and is not refused.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from portside.server.errors import Refused

BACKLOG = 4096
"""Connections that wait to be accepted, as far as the system lets them."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A port that is ours. Keep the value alive for as long as the port is needed."""

    address: str
    """The host as a numeric address."""
    port: int
    holder: socket.socket
    """Listens already."""


def reserve(host: str, port: int) -> Reservation:
    """Take `port`, or any free one for 0; raises Refused."""
    family, place = _resolve(host, port)
    holder = socket.socket(family, socket.SOCK_STREAM)
    # So that connections of a server that just stopped do not block the port; a listener still does.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _listen(holder, place, host)
    return Reservation(place[0], holder.getsockname()[1], holder)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise Refused(f"host: '{host}' is not an address of this machine, nor a name of one.") from None
    # `localhost` means both loopback addresses; clients try IPv4 wherever they try only one.
    found.sort(key=lambda item: item[0] != socket.AF_INET)
    family, _, _, _, place = found[0]
    return family, (str(place[0]), port)


def _listen(listener: socket.socket, place: tuple[str, int], host: str) -> None:
    try:
        listener.bind(place)
        # Two that begin at the same moment may both bind, but only one of them listens.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Refused(_reason(error, host, place[1])) from None


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port: {port} on {host} is in use; stop what listens there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"port: {port} needs privileges that this user does not have; choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host: '{host}' is not an address of this machine."
    return f"port: {port} on {host} cannot be bound: {error.strerror}."
