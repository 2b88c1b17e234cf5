"""Having the kernel cut connections whose peer takes nothing (TCP_USER_TIMEOUT, Linux).

The application stops feeding a reader that stalls, but what it handed over before lies in the server library, which
waits for ever to write it; so does an answer that was short enough to hand over whole. The option is set on the
listening socket and inherited by every connection.
"""

from __future__ import annotations

import socket


def cut_stalled_readers(listener: socket.socket, seconds: int) -> None:
    """Close what `listener` will accept once its peer has acknowledged nothing for so long."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
