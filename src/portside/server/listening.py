"""Taking the port before anything is made, and keeping it while workers come and go.

Workers listen with SO_REUSEPORT, which would let a second server join an occupied port unseen. So the port is bound
once without it, which fails when anybody listens, and then held for this process's life by a socket that is bound
with it and never listens: no other server gets in between, and a connection without a worker is refused.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from portside.server.errors import Refused


@dataclass(frozen=True, slots=True)
class Reservation:
    """A port that is ours. Keep the value alive for as long as the port is needed."""

    address: str
    """The host as a numeric address, which is what the server binds."""
    port: int
    holder: socket.socket


def reserve(host: str, port: int) -> Reservation:
    """Take `port`, or any free one for 0; raises Refused."""
    family, place = _resolve(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Only so that connections of a server that just stopped do not block the port; a listener still does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, place, host)
        place = (place[0], probe.getsockname()[1])
    holder = socket.socket(family, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _bind(holder, place, host)
    return Reservation(*place, holder)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise Refused(f"host: '{host}' is not an address of this machine, nor a name of one.") from None
    # `localhost` means both loopback addresses; clients try IPv4 wherever they try only one.
    found.sort(key=lambda item: item[0] != socket.AF_INET)
    family, _, _, _, place = found[0]
    return family, (str(place[0]), port)


def _bind(listener: socket.socket, place: tuple[str, int], host: str) -> None:
    try:
        listener.bind(place)
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
