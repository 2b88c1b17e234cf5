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


def test_a_reserved_port_refuses_a_second_server_and_connections_but_not_workers() -> None:
    reservation = reserve("localhost", 0)
    place = (reservation.address, reservation.port)
    with reservation.holder:
        with pytest.raises(Refused, match="in use"):
            reserve("127.0.0.1", reservation.port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place)
        with socket.create_server(place, reuse_port=True), socket.create_connection(place):
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
