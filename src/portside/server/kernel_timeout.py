"""Having the kernel cut connections whose peer takes nothing (TCP_USER_TIMEOUT, Linux).

The application stops feeding a reader that stalls, but what it handed over before lies in the server library, which
waits for ever to write it; so does an answer that was short enough to hand over whole. The option is set on the
listening socket and inherited by every connection; the library has no setting for it and does not show its sockets, so
the listener is looked up among this process's descriptors.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_PAUSE = 0.1
_ATTEMPTS = 100


def apply_when_listening(seconds: int, attempts: int = _ATTEMPTS) -> None:
    """Called in a worker's event loop: set the option as soon as there is a listener."""
    if not hasattr(socket, "TCP_USER_TIMEOUT") or not _DESCRIPTORS.exists():
        return
    if not apply(seconds) and attempts:
        asyncio.get_running_loop().call_later(_PAUSE, apply_when_listening, seconds, attempts - 1)


def apply(seconds: int) -> int:
    """Set the option on every listening TCP socket of this process; how many there are."""
    found = 0
    for entry in _DESCRIPTORS.iterdir():
        # A descriptor may be gone by now, or be no socket.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as candidate:
            if candidate.family in {socket.AF_INET, socket.AF_INET6} and _listens(candidate):
                candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
                found += 1
    return found


def _listens(candidate: socket.socket) -> bool:
    return candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
