"""The keys of OpenID Connect issuers: read from a file that the operator gives, or fetched under the rules of egress.

An account's administrator names issuers, so their addresses are a user's choice: HTTPS only, certificates verified, no
redirects, no private or loopback address unless the operator named the host, the address that was checked is the one
that is connected to, and both size and time are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import structlog

from portside.core.iam_errors import IdentityProviderUnreachable
from portside.registry.content import Threads
from portside.server.egress import Egress

_log = structlog.get_logger()
_LARGEST = 256 * 1024
_PATIENCE = 5.0
_FRESH = 300.0
"""Seconds that keys are remembered for."""
_SOONEST = 30.0
"""Seconds after which keys are fetched again for a token that names another one."""
_MOST = 1000
Keys = Sequence[Mapping[str, Any]]


class _Refused(Exception):
    """The address is not one that may be asked."""


class FetchedIssuers:
    """See registry/web_identity.py."""

    def __init__(self, egress: Egress, threads: Threads) -> None:
        self._egress = egress
        self._threads = threads
        self._remembered: dict[str, tuple[float, Keys]] = {}

    async def keys(self, issuer: str, *, anew: bool = False) -> Keys:
        """See Issuers."""
        given = self._egress.files.get(issuer.rstrip("/"))
        at, keys = self._remembered.get(issuer, (float("-inf"), ()))
        age = time.monotonic() - at
        if age < (_SOONEST if anew else _FRESH):
            return keys
        try:
            if given is not None:
                keys = await self._threads.run(partial(_read, given))
            else:
                keys = await self._threads.run(partial(self._fetch, issuer))
        except (OSError, ValueError, http.client.HTTPException, _Refused) as error:
            _log.warning("issuer's keys not had", issuer=issuer, reason=str(error) or type(error).__name__)
            raise IdentityProviderUnreachable(
                "The keys of the identity provider could not be had. The operator's log says why."
            ) from None
        if len(self._remembered) >= _MOST:
            self._remembered.clear()
        self._remembered[issuer] = (time.monotonic(), keys)
        return keys

    def _fetch(self, issuer: str) -> Keys:
        found = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ValueError("its configuration is of another issuer")
        return _keys(self._get(str(found.get("jwks_uri", ""))))

    def _get(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username:
            raise _Refused(f"{url[:256]} is not an address that may be asked")
        port = parts.port or 443
        connection = http.client.HTTPSConnection(parts.hostname, port, timeout=_PATIENCE)
        deadline: threading.Timer | None = None  # whoever sends a byte now and then is cut off, too
        try:
            # The connection is made here and not by the library: to the very address that was checked.
            raw = self._connected(parts.hostname, port)
            connection.sock = self._context().wrap_socket(raw, server_hostname=parts.hostname)
            deadline = threading.Timer(_PATIENCE, connection.sock.shutdown, [socket.SHUT_RDWR])
            deadline.daemon = True
            deadline.start()
            connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise ValueError(f"{url[:256]} answers {response.status}")
            content = response.read(_LARGEST + 1)
        finally:
            if deadline is not None:
                deadline.cancel()
            connection.close()
        if len(content) > _LARGEST:
            raise ValueError(f"{url[:256]} answers more than {_LARGEST} bytes")
        found = json.loads(content)
        if not isinstance(found, dict):
            raise ValueError(f"{url[:256]} answers no object")  # noqa: TRY004 - a value from outside
        return cast("dict[str, Any]", found)

    def _connected(self, host: str, port: int) -> socket.socket:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for row in found:
            address = str(row[4][0])
            if host not in self._egress.private_hosts and not ipaddress.ip_address(address).is_global:
                raise _Refused(f"{host} has the private address {address}; the setting oidc.private_hosts allows it")
        chosen = found[0][4]
        return socket.create_connection((str(chosen[0]), port), timeout=_PATIENCE)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._egress.authorities is not None:
            context.load_verify_locations(self._egress.authorities)
        return context


def _read(path: Path) -> Keys:
    found: Any = json.loads(path.read_bytes())
    return _keys(cast("dict[str, Any]", found) if isinstance(found, dict) else {})


def _keys(found: Mapping[str, Any]) -> Keys:
    keys: Any = found.get("keys")
    if not isinstance(keys, list):
        raise ValueError("it has no list of keys")  # noqa: TRY004 - a value from outside
    return [cast("dict[str, Any]", key) for key in cast("list[Any]", keys) if isinstance(key, dict)]
