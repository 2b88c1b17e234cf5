"""Prerequisite 5: the network. Name, port, certificate, proxy, clock, and where Amazon keeps layers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from portside.client.doctor.findings import Finding, good, note
from portside.client.hosts import EcrHost
from portside.remote.errors import Unreachable
from portside.remote.http import Http, Trust, context, proxy_for, read_body

TOPIC = "network"
_SKEW = 5 * 60
"""Seconds between a clock and the server's from which on signatures are refused (SigV4)."""
_PATIENCE = 10.0
_LONGEST = 64 * 1024
_PORTS = {"https": 443, "http": 80}


def check(
    base: str,
    http: Http,
    trust: Trust,
    *,
    amazon: EcrHost | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Finding]:
    """`base`: scheme and host of the registry. Raises Unreachable at the first step that fails."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    proxy = proxy_for(base)
    if proxy is not None:
        yield note(
            TOPIC, f"{host} is reached through the proxy {urlsplit(proxy).netloc.rpartition('@')[2]}", "see NO_PROXY"
        )
    else:
        yield good(TOPIC, f"{host} has the address {_address(host, port)}")
        yield good(TOPIC, f"port {port} is open")
        if parts.scheme == "https":
            yield good(TOPIC, f"its certificate is good until {_until(host, port, trust)}")
    yield from _clock(base, http, now())
    if amazon is not None and proxy is None:
        layers = f"prod-{amazon.region}-starport-layer-bucket.s3.{amazon.region}.amazonaws.com"
        _connected(layers, 443).close()
        yield good(TOPIC, f"{layers}, where pulls find layers, is reachable")


def _address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise Unreachable(f"{host} has no address", "check the name, and DNS") from None
    address = str(found[0][4][0])
    _connected(host, port).close()
    return address


def _connected(host: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=_PATIENCE)
    except OSError as error:
        why = error.strerror or "no answer in time"
        raise Unreachable(f"{host} cannot be reached on port {port} ({why})", "check firewall, VPN and proxy") from None


def _until(host: str, port: int, trust: Trust) -> str:
    with _connected(host, port) as plain:
        try:
            with context(trust).wrap_socket(plain, server_hostname=host) as secure:
                found = secure.getpeercert() or {}
        except (ssl.SSLError, OSError) as error:
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or "TLS failed"
            raise Unreachable(f"{host} is not trusted ({why})", "name its CA with SSL_CERT_FILE") from None
    return str(found.get("notAfter", "a time that it does not say"))


def _clock(base: str, http: Http, now: datetime) -> Iterator[Finding]:
    response = http.exchange("GET", f"{base}/v2/", {})
    read_body(response, base, _LONGEST)
    yield good(TOPIC, f"it answers ({response.status} to a question without a login)")
    said: datetime | None = None
    with suppress(TypeError, ValueError):
        said = parsedate_to_datetime(response.headers.get("Date") or "")
    if said is None:
        return
    skew = abs((said - now).total_seconds())
    if skew > _SKEW:
        raise Unreachable(
            f"Your clock is {skew:.0f} s off the server's", "set it right: signatures are refused otherwise"
        )
    yield good(TOPIC, f"your clock is {skew:.0f} s off the server's")
