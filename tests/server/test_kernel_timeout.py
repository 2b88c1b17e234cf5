"""The option that has the kernel cut connections whose peer takes nothing."""

from __future__ import annotations

import socket

from portside.server.kernel_timeout import cut_stalled_readers


def option(of: socket.socket) -> int:
    return of.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_it_is_inherited_by_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cut_stalled_readers(listener, 7)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert option(accepted) == 7000
