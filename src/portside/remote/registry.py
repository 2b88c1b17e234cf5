"""One registry over HTTP: authorised, repeated where that is safe, at the pace it bears; redirects get no login.

Rule: only what may be sent twice is sent twice; the body of an upload is not, its caller asks first how far it came.
Sources: OCI distribution-spec 1.1; ecr-behaviour 1.2-1.3 for the answers of ECR.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from portside.remote.authorization import Authorization
from portside.remote.challenge import Challenge
from portside.remote.credentials import Logins
from portside.remote.errors import Denied, NotFound, RemoteError, Unauthenticated, Unexpected, Unreachable
from portside.remote.http import Body, Http, Response, is_loopback, read_body
from portside.remote.pace import Pace, pause_before
from portside.remote.text import parse

ATTEMPTS = 6
_REDIRECTS = 5
_LONGEST_ERROR = 64 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_SERVER_ERROR = 500
_EXPIRED = "authorization token has expired"
"""ECR's 403 for a token that aged carries no challenge, only these words (ecr-behaviour 1.2)."""
_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a registry."""

    method: str
    path: str
    """From `/v2/` on, or a whole address that the registry gave."""
    scope: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Callable[[], Body] | None = None
    """Makes the body; called once for each attempt."""
    repeatable: bool = True


class RegistryClient:
    """A registry as a client sees it. May be used from several threads."""

    def __init__(
        self,
        host: str,
        http: Http,
        logins: Logins,
        *,
        may_be_plain: bool = False,
        at_once: int = 8,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`may_be_plain`: speak HTTP when the host has no TLS; loopback hosts always may."""
        self.host = host
        self._http = http
        self._authorization = Authorization(host, http, logins, clock=clock)
        self._pace = Pace(at_once, sleep=sleep, clock=clock)
        self._sleep = sleep
        self._loopback = is_loopback(host)
        self._may_be_plain = may_be_plain or self._loopback
        self._base: str | None = None if self._may_be_plain else f"https://{_HUB.get(host, host)}"
        self._deciding = threading.Lock()
        self._greeted: Challenge | None = None
        self._was_greeted = False

    def speaks_ecr(self) -> bool:
        """Ask whether the registry is ECR or Portside: by its challenge. Raises Unreachable."""
        base = self.base
        found = self._authorization.challenge or self._greeted
        if found is None and not self._was_greeted:
            self._answering(base)
            found = self._greeted
        return found is not None and found.speaks_ecr

    @property
    def base(self) -> str:
        """Scheme and host. The first use may ask the host whether it speaks TLS; raises Unreachable."""
        with self._deciding:
            if self._base is None:
                self._base = self._decided()
            return self._base

    def send(self, ask: Ask) -> Response:
        """Send a request, and give the answer below 400 with its body unread.

        Raises Unauthenticated, Denied, NotFound, Unreachable, Unexpected; Refusal for what only the caller can judge.
        """
        attempt = 0
        shown = 0
        while True:
            try:
                with self._pace.turn():
                    authorization = self._authorization.header(ask.scope)
                    response = self._follow(ask, authorization)
            except Unreachable:
                attempt += 1
                if not ask.repeatable or attempt >= ATTEMPTS:
                    raise
                self._sleep(pause_before(attempt))
                continue
            if response.status < HTTPStatus.BAD_REQUEST:
                self._pace.went_well()
                return response
            refusal = self._refusal(ask, response)
            if refusal.wants_login and shown < _LOGINS:
                shown += 1
                self._authorization.renew(authorization, refusal.challenge, ask.scope, self.base)
            elif refusal.status in _AGAIN and attempt < ATTEMPTS - 1:
                self._pace.refused(attempt, refusal.retry_after)
                attempt += 1
            else:
                raise refusal.explained(self.host, with_login=authorization is not None)
            if not ask.repeatable:
                raise Unreachable(f"{self.host} took only a part of it ({refusal})", "try again")

    def _follow(self, ask: Ask, authorization: str | None) -> Response:
        url = urljoin(self.base, ask.path)
        headers = dict(ask.headers)
        here = urlsplit(self.base)
        for _ in range(_REDIRECTS + 1):
            parts = urlsplit(url)
            ours = (parts.scheme, parts.netloc) == (here.scheme, here.netloc)
            if here.scheme == "https" and parts.scheme != "https":
                raise Unexpected(f"{self.host} sends us on to an address without TLS", "ask who runs the registry")
            mine = {"Authorization": authorization} if ours and authorization else {}
            response = self._http.exchange(ask.method, url, {**headers, **mine}, ask.body() if ask.body else None)
            onward = response.headers.get("Location")
            if response.status not in _MOVED or ask.method not in {"GET", "HEAD"} or not onward:
                return response
            response.drain_conn()
            url = urljoin(url, onward)
        raise Unexpected(f"{self.host} sends us on without end", "ask who runs the registry")

    def _refusal(self, ask: Ask, response: Response) -> Refusal:
        content = b""
        try:
            if ask.method == "HEAD":
                # There is no body, and as long as its end is not read the connection serves no other request.
                response.drain_conn()
            else:
                content = read_body(response, self.host, _LONGEST_ERROR)
        except Unreachable:
            response.close()
        response.release_conn()
        return Refusal.of(response, content, f"{ask.method} {urlsplit(ask.path).path}")

    def _decided(self) -> str:
        # A loopback registry mostly has no TLS, as one that was named insecure mostly has.
        name = _HUB.get(self.host, self.host)
        first, second = ("http", "https") if self._loopback else ("https", "http")
        try:
            return self._answering(f"{first}://{name}")
        except Unreachable as failure:
            try:
                return self._answering(f"{second}://{name}")
            except Unreachable:
                raise failure from None

    def _answering(self, base: str) -> str:
        response = self._http.exchange("GET", f"{base}/v2/", {})
        read_body(response, base, _LONGEST_ERROR)
        self._greeted = Challenge.parse(response.headers.get("WWW-Authenticate"))
        self._was_greeted = True
        if response.status == HTTPStatus.BAD_REQUEST:
            raise Unreachable(f"{self.host} does not speak HTTP there", "check the port")
        return base


_LOGINS = 2
"""How often a request is sent again with another login: a remembered one, then a fresh one."""


class Refusal(RemoteError):
    """A status of 400 or more."""

    def __init__(self, status: int, codes: frozenset[str], message: str, ask: str) -> None:
        super().__init__(message or f"HTTP {status}")
        self.status = status
        self.codes = codes
        self.said = message
        self.ask = ask
        self.retry_after: float | None = None
        self.challenge: Challenge | None = None

    @classmethod
    def of(cls, response: Response, content: bytes, ask: str) -> Refusal:
        """Read an answer's status, headers and body."""
        codes, message = _errors(content)
        made = cls(response.status, codes, message, ask)
        made.retry_after = _seconds(response.headers.get("Retry-After"))
        made.challenge = Challenge.parse(response.headers.get("WWW-Authenticate"))
        return made

    @property
    def wants_login(self) -> bool:
        """Whether another login may help."""
        return self.status == HTTPStatus.UNAUTHORIZED or (
            self.status == HTTPStatus.FORBIDDEN and _EXPIRED in self.said.lower()
        )

    def explained(self, host: str, *, with_login: bool) -> RemoteError:
        """Say what to do about it: one of the room's own failures, or the refusal itself."""
        if self.wants_login:
            how = "does not take the login" if with_login else "wants a login"
            return Unauthenticated(f"{host} {how}", f"run 'portside login {host}'")
        if self.status == HTTPStatus.FORBIDDEN:
            return Denied(self.said or f"{host} does not allow {self.ask}", "ask for a policy that allows it")
        if self.status == HTTPStatus.NOT_FOUND:
            advice = "create it, or push with --create" if "NAME_UNKNOWN" in self.codes else ""
            return NotFound(self.said or f"{host} does not have it ({self.ask})", advice)
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Unreachable(f"{host} has too many requests and did not recover", "try again later, or with --jobs 1")
        if self.status >= _SERVER_ERROR:
            return Unreachable(f"{host} keeps failing with HTTP {self.status}", "try again later")
        self.message = f"{host} answered {self.ask} with HTTP {self.status}{f' ({self.said})' if self.said else ''}"
        return self


def repository_scope(repository: str, *, push: bool = True) -> str:
    """The scope that a token for this repository is asked with."""
    return f"repository:{repository}:{'pull,push' if push else 'pull'}"


def _errors(content: bytes) -> tuple[frozenset[str], str]:
    try:
        document: object = parse(content)
        errors = cast("list[dict[str, Any]]", cast("dict[str, Any]", document)["errors"])
        codes = frozenset(str(one.get("code", "")) for one in errors)
        message = "; ".join(str(one.get("message") or one.get("code") or "") for one in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset(), ""
    return codes, " ".join(message.split())[:1000]


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
