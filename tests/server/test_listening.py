"""Taking the port."""

from __future__ import annotations

import socket

import pytest

from portside.server.errors import Refused
from portside.server.listening import reserve


def test_a_port_that_somebody_listens_on_is_refused_by_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Refused, match=rf"{port} on 127\.0\.0\.1 is in use"):
            reserve("127.0.0.1", port)


def test_a_listener_that_shares_its_port_is_seen_too() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other, pytest.raises(Refused, match="in use"):
        reserve("127.0.0.1", other.getsockname()[1])


def test_a_reserved_port_refuses_a_second_server_and_lets_connections_wait() -> None:
    reservation = reserve("localhost", 0)
    place = (reservation.address, reservation.port)
    with reservation.holder:
        with pytest.raises(Refused, match="in use"):
            reserve("127.0.0.1", reservation.port)
        with socket.create_connection(place) as early, reservation.holder.accept()[0] as accepted:
            assert accepted.getpeername() == early.getsockname()


def test_connections_of_a_server_that_just_stopped_do_not_block_its_port() -> None:
    first = reserve("127.0.0.1", 0)
    with socket.create_connection((first.address, first.port)) as client:
        accepted, _ = first.holder.accept()
        accepted.close()  # by the server first: its end lingers
        first.holder.close()
        assert client.recv(1) == b""
    with reserve("127.0.0.1", first.port).holder:
        pass


def test_a_host_that_is_not_here_is_refused() -> None:
    with pytest.raises(Refused, match=r"192\.0\.2\.1"):
        reserve("192.0.2.1", 0)
    with pytest.raises(Refused, match=r"no\.such\.name\.invalid"):
        reserve("no.such.name.invalid", 0)


def test_localhost_is_the_ipv4_loopback() -> None:
    reservation = reserve("localhost", 0)
    with reservation.holder:
        assert reservation.address == "127.0.0.1"
