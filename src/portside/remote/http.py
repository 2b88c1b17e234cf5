"""HTTP to one kind of place: connections, proxies, trust, and the words for what goes wrong below HTTP.

Rule: one call is one attempt, and follows no redirect; who calls knows what may be sent twice and which header may
go to another host.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from portside import __version__
from portside.remote.errors import Unreachable, Unusable

Body = bytes | BinaryIO | Iterable[bytes] | None
Response = urllib3.BaseHTTPResponse

AGENT = f"portside/{__version__}"
_PIECE = 1024 * 1024
"""Bytes read and sent at a time: at urllib3's 16 KiB the calls cost more than the copying."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which servers are believed."""

    ca_files: tuple[Path, ...] = ()
    """Certificates that are trusted besides the system's."""
    insecure: bool = False
    """Take any certificate, and speak HTTP where TLS is not offered: only for hosts that were named for it."""
    client_certificate: tuple[Path, Path] | None = None
    """A certificate and its key, for hosts that ask for one (`certs.d/HOST/NAME.cert`)."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that may pass without any progress."""

    connect: float = 10.0
    read: float = 120.0


class Http:
    """A pool of connections. May be used from several threads."""

    def __init__(self, trust: Trust | None = None, timeouts: Timeouts | None = None, *, connections: int = 16) -> None:
        self._trust = trust or Trust()
        self._timeouts = timeouts or Timeouts()
        self._connections = connections
        self._pools: dict[tuple[str, str | None], urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: Body = None) -> Response:
        """Send one request and give the answer, whose body is not read yet.

        The caller reads it (`read_body`) or drains it. Raises Unreachable, and Unusable for a proxy's bad address.
        """
        try:
            return self._pool(url).urlopen(
                method,
                url,
                body=body,
                headers={"User-Agent": AGENT, **headers},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                assert_same_host=False,
            )
        except (HTTPError, OSError) as error:
            raise explained(error, url) from error

    def _pool(self, url: str) -> urllib3.PoolManager:
        key = urlsplit(url).scheme, proxy_for(url)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._made(*key)
            return self._pools[key]

    def _made(self, scheme: str, proxy: str | None) -> urllib3.PoolManager:
        given: dict[str, Any] = {
            "num_pools": 8,
            "maxsize": self._connections,
            "blocksize": _PIECE,
            "timeout": urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.read),
        }
        if scheme == "https" or proxy is not None:
            given["ssl_context"] = context(self._trust)
        if proxy is None:
            return urllib3.PoolManager(**given)
        try:
            parts = urlsplit(proxy)
            login = (
                urllib3.make_headers(proxy_basic_auth=f"{parts.username}:{parts.password}") if parts.username else None
            )
            bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
            return urllib3.ProxyManager(bare, proxy_headers=login, **given)
        except ValueError as error:
            raise Unusable("The proxy's address cannot be read", "set HTTPS_PROXY to http://HOST:PORT") from error


def read_body(response: Response, url: str, longest: int) -> bytes:
    """Read an answer's body of `longest` bytes at most. Raises Unreachable, also for one that is longer."""
    try:
        content = response.read(longest + 1)
        while len(content) <= longest and (more := response.read(longest + 1 - len(content))):
            content += more
    except (HTTPError, OSError) as error:
        raise explained(error, url) from error
    if len(content) > longest:
        response.close()
        raise Unreachable(f"{host_of(url)} answered with more than {longest} bytes where a short answer belongs")
    response.release_conn()
    return content


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for this address; none for loopback, as NO_PROXY says, or without one."""
    parts = urlsplit(url)
    if is_loopback(parts.netloc):
        return None
    proxies = getproxies()
    if proxy_bypass(parts.netloc):
        return None
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if found is None or "://" in found else f"http://{found}"


@lru_cache(maxsize=64)
def context(trust: Trust) -> ssl.SSLContext:
    """What TLS believes: the system's certificates or those of SSL_CERT_FILE and AWS_CA_BUNDLE, and the trust's own."""
    made = ssl.create_default_context()
    bundle = os.environ.get("AWS_CA_BUNDLE")
    for file in (*((Path(bundle),) if bundle else ()), *trust.ca_files):
        try:
            made.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise Unusable(f"The certificates in {file} cannot be read", "name a file in PEM form") from error
    if trust.client_certificate is not None:
        made.load_cert_chain(*trust.client_certificate)
    if trust.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def is_loopback(host: str) -> bool:
    """Whether `HOST[:PORT]` can only be this machine: `localhost`, or an address of 127.0.0.0/8 or ::1."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Host and port of an address, without what may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def explained(error: Exception, url: str) -> Unreachable:
    """Say in a person's words why a host could not be spoken to."""
    cause: BaseException | None = error
    if isinstance(error, MaxRetryError):
        cause = error.reason
    host = host_of(url)
    if isinstance(cause, ProxyError):
        return Unreachable(f"The proxy did not let us through to {host}", "check HTTPS_PROXY and NO_PROXY")
    if isinstance(cause, SSLError):
        return Unreachable(f"{host} is not trusted ({_reason(cause)})", "name its CA with SSL_CERT_FILE")
    if isinstance(cause, (NameResolutionError, socket.gaierror)):
        return Unreachable(f"{host} has no address", "check the name, and DNS")
    if isinstance(cause, NewConnectionError):
        return Unreachable(f"{host} refused the connection", "check that it runs, and the port")
    if isinstance(cause, (ConnectTimeoutError, ReadTimeoutError, TimeoutError)):
        return Unreachable(f"{host} did not answer in time", "try again; the push goes on where it stopped")
    return Unreachable(f"The connection to {host} broke", "try again; the push goes on where it stopped")


def _reason(error: BaseException) -> str:
    inner = error.args[0] if error.args else error
    return str(getattr(inner, "verify_message", "") or getattr(inner, "reason", "") or "TLS failed")
