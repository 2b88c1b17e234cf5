"""The keys of OpenID Connect issuers: read from a file that the operator gives, or fetched under the rules of egress.

An account's administrator names issuers, so their addresses are a user's choice: HTTPS only, certificates verified, no
redirects, no private or loopback address unless the operator named the host, the address that was checked is the one
that is connected to, and both size and time are bounded.

Whoever sends a token, signed by nobody, makes this server ask. So an issuer is asked by one request at a time, while
the others wait for its answer, not again within ten seconds whatever it answered, and few issuers at once.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
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
_FRESH = 300.0
"""Seconds that keys are remembered for."""
_SOONEST = 10.0
"""Seconds after which an issuer is asked again: after a failure, or for a token that names another key."""
_MOST = 1000
_AT_ONCE = 2
"""Issuers that are asked at one time; each holds a thread."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that stand for IPv4 ones (RFC 6052)."""
_HEADERS = {"Accept": "application/json", "User-Agent": "portside", "Connection": "close"}
Keys = Sequence[Mapping[str, Any]]


class _Refused(Exception):
    """The address is not one that may be asked."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of an issuer. Times are seconds of a monotonic clock."""

    asked_at: float
    keys: Keys
    had_at: float
    """When the keys were had; long ago where they never were."""


_NOTHING = _Answer(float("-inf"), (), float("-inf"))


class FetchedIssuers:
    """See registry/web_identity.py. `patience` is how many seconds one answer may take, from first byte to last."""

    def __init__(
        self,
        egress: Egress,
        threads: Threads,
        *,
        patience: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._egress = egress
        self._threads = threads
        self._patience = patience
        self._monotonic = monotonic
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def keys(self, issuer: str, *, anew: bool = False) -> Keys:
        """See Issuers."""
        async with self._asking.setdefault(issuer, asyncio.Lock()):
            answer = self._answers.get(issuer, _NOTHING)
            asked_just_now = self._monotonic() - answer.asked_at < _SOONEST
            if not asked_just_now and (anew or not self._is_fresh(answer)):
                answer = await self._asked(issuer, answer)
        if not self._is_fresh(answer):
            raise IdentityProviderUnreachable(
                "The keys of the identity provider could not be had. The operator's log says why."
            )
        return answer.keys

    def _is_fresh(self, answer: _Answer) -> bool:
        return self._monotonic() - answer.had_at < _FRESH

    async def _asked(self, issuer: str, before: _Answer) -> _Answer:
        given = self._egress.files.get(issuer.rstrip("/"))
        try:
            async with self._turns:
                work = partial(self._fetch, issuer) if given is None else partial(_read, given)
                keys, had_at = await self._threads.run(work), self._monotonic()
        except (OSError, ValueError, RecursionError, http.client.HTTPException, _Refused) as error:
            _log.warning("issuer's keys not had", issuer=issuer, reason=str(error) or type(error).__name__)
            keys, had_at = before.keys, before.had_at
        if len(self._answers) >= _MOST:
            self._forget()
        answer = self._answers[issuer] = _Answer(self._monotonic(), keys, had_at)
        return answer

    def _forget(self) -> None:
        self._answers.clear()
        # Those that somebody holds or waits for stay what they are.
        self._asking = {issuer: lock for issuer, lock in self._asking.items() if lock.locked()}

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
        connection = http.client.HTTPSConnection(parts.hostname, port)
        # The connection is made here and not by the library: to the very address that was checked.
        with closing(connection), self._connected(parts.hostname, port) as connected:
            connection.sock = connected
            path = parts.path or "/"
            connection.request("GET", f"{path}?{parts.query}" if parts.query else path, headers=_HEADERS)
            with connection.getresponse() as response:
                if response.status != http.client.OK:
                    raise ValueError(f"{url[:256]} answers {response.status}")
                content = response.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"{url[:256]} answers more than {_LARGEST} bytes")
        found = json.loads(content)
        if not isinstance(found, dict):
            raise ValueError(f"{url[:256]} answers no object")  # noqa: TRY004 - a value from outside
        return cast("dict[str, Any]", found)

    @contextmanager
    def _connected(self, host: str, port: int) -> Generator[ssl.SSLSocket]:
        raw = socket.create_connection((self._address(host, port), port), timeout=self._patience)
        with raw, self._context().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False) as wrapped:
            # A socket's own timeout begins anew with every byte; this one does not.
            end = threading.Timer(self._patience, _cut, (wrapped,))
            end.start()
            try:
                wrapped.do_handshake()
                yield wrapped
            finally:
                end.cancel()
                end.join()

    def _address(self, host: str, port: int) -> str:
        found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            if host not in self._egress.private_hosts and not is_public(address):
                raise _Refused(f"{host} has the private address {address}; the setting oidc.private_hosts allows it")
        return found[0]

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._egress.authorities is not None:
            context.load_verify_locations(self._egress.authorities)
        return context


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it is an IPv4 address in IPv6's clothes."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _cut(wrapped: ssl.SSLSocket) -> None:
    """End a connection under whoever reads from it. Not by TLS's own way, which another thread is in the middle of."""
    with suppress(OSError):
        socket.socket.shutdown(wrapped, socket.SHUT_RDWR)


def _read(path: Path) -> Keys:
    found: Any = json.loads(path.read_bytes())
    return _keys(cast("dict[str, Any]", found) if isinstance(found, dict) else {})


def _keys(found: Mapping[str, Any]) -> Keys:
    keys: Any = found.get("keys")
    if not isinstance(keys, list):
        raise ValueError("it has no list of keys")  # noqa: TRY004 - a value from outside
    return [cast("dict[str, Any]", key) for key in cast("list[Any]", keys) if isinstance(key, dict)]
