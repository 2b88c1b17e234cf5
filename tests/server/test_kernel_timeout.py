"""The option that has the kernel cut connections whose peer takes nothing."""

from __future__ import annotations

import asyncio
import socket

from portside.server import kernel_timeout
from tests.clients import commands


def option(of: socket.socket) -> int:
    return of.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_it_is_set_on_listeners_and_inherited_by_their_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as other:
        assert kernel_timeout.apply(7) >= 1
        assert (option(listener), option(other)) == (7000, 0)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert option(accepted) == 7000
        # The descriptors that were looked at are open still, and ours.
        assert listener.getsockname()[1] > 0


async def test_it_is_tried_again_until_there_is_a_listener() -> None:
    kernel_timeout.apply_when_listening(9)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await asyncio.to_thread(commands.until, lambda: option(listener) == 9000, "the option")
