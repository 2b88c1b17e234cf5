"""The `Authorization` of requests to one registry: its login, or the tokens that its token service gives for it.

Rule: a login is shown to the registry it belongs to, and to the token service that this registry names over TLS
(or on the same host); a redirect never takes it along (`remote/registry.py`).
Source: distribution, token authentication specification and OAuth2 token authentication.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from portside.remote.challenge import Challenge
from portside.remote.credentials import Login, Logins
from portside.remote.errors import Unauthenticated, Unreachable
from portside.remote.http import Http, Response, host_of, read_body
from portside.remote.text import parse

_LONGEST_TOKEN = 1024 * 1024
_GOOD_FOR = 60.0
"""Seconds, when the service does not say (token authentication specification)."""
_EARLY = 10.0
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: float


class Authorization:
    """Keeps what convinces one registry. May be used from several threads."""

    def __init__(self, host: str, http: Http, logins: Logins, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._http = http
        self._logins = logins
        self._clock = clock
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._asked = False
        self._challenge: Challenge | None = None
        self._is_plain = False
        self._tokens: dict[str, _Token] = {}

    @property
    def challenge(self) -> Challenge | None:
        """What the registry asked for last; None when it did not ask yet."""
        return self._challenge

    def header(self, scope: str) -> str | None:
        """Give the value for a request within this scope (`repository:NAME:pull,push`); None to send none."""
        with self._lock:
            if self._challenge is not None and self._challenge.scheme == "bearer":
                token = self._tokens.get(scope)
                if token is None or token.until < self._clock():
                    token = self._tokens[scope] = self._fetch(self._challenge, scope)
                return f"Bearer {token.value}"
            login = self._known()
            return None if login is None or not login.username else f"Basic {_basic(login)}"

    def renew(self, refused: str | None, challenge: Challenge | None, scope: str, base: str) -> None:
        """Take in that the registry refused the value `refused`, asking for `challenge`; the next `header` is another.

        `base`: the registry's address.
        Raises Unauthenticated when there is nothing else to show.
        """
        with self._lock:
            self._is_plain = urlsplit(base).scheme == "http"
            if challenge is not None:
                self._challenge = challenge
            if challenge is not None and challenge.scheme == "bearer":
                held = self._tokens.get(scope)
                if held is not None and refused == f"Bearer {held.value}":
                    del self._tokens[scope]
                return
            login = self._known()
            if login is not None and refused != f"Basic {_basic(login)}":
                return  # another thread renewed it meanwhile
            ecr_at = base if self._challenge is not None and self._challenge.speaks_ecr else None
            self._login = self._logins.login(self._host, renew=refused is not None, ecr_at=ecr_at)
            self._asked = True
            if self._login is None:
                raise Unauthenticated(f"{self._host} wants a login", f"run 'portside login {self._host}'")

    def _known(self) -> Login | None:
        if not self._asked:
            self._login = self._logins.login(self._host)
            self._asked = True
        return self._login

    def _fetch(self, challenge: Challenge, scope: str) -> _Token:
        self._must_be_safe(challenge.realm)
        login = self._known()
        if login is not None and login.identity_token:
            response = self._exchanged(challenge, scope, login)
        else:
            url = f"{challenge.realm}{'&' if '?' in challenge.realm else '?'}{challenge.question(scope)}"
            headers = {} if login is None else {"Authorization": f"Basic {_basic(login)}"}
            response = self._http.exchange("GET", url, headers)
        content = read_body(response, challenge.realm, _LONGEST_TOKEN)
        if response.status != HTTPStatus.OK:
            raise self._refused(challenge, response.status, login)
        return self._read(content)

    def _exchanged(self, challenge: Challenge, scope: str, login: Login) -> Response:
        form = {
            "grant_type": "refresh_token",
            "service": challenge.service,
            "scope": challenge.scope or scope,
            "client_id": "portside",
            "refresh_token": login.identity_token,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._http.exchange("POST", challenge.realm, headers, urlencode(form).encode())

    def _must_be_safe(self, realm: str) -> None:
        parts = urlsplit(realm)
        same = parts.hostname == urlsplit(f"//{self._host}").hostname
        # Without TLS only where the registry itself has none: nothing is shown to anybody who did not see it already.
        if parts.scheme == "https" or (self._is_plain and parts.scheme == "http" and same):
            return
        raise Unauthenticated(
            f"{self._host} names a token service that is not safe to use", "ask who runs the registry"
        )

    def _refused(self, challenge: Challenge, status: int, login: Login | None) -> Exception:
        if status >= _SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            return Unreachable(f"The token service {host_of(challenge.realm)} answers {status}", "try again later")
        if login is None:
            return Unauthenticated(f"{self._host} wants a login", f"run 'portside login {self._host}'")
        return Unauthenticated(f"{self._host} does not take the login", f"run 'portside login {self._host}' again")

    def _read(self, content: bytes) -> _Token:
        try:
            found: object = parse(content)
        except ValueError:
            found = None
        document = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        value = document.get("token") or document.get("access_token")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise Unauthenticated(f"The token service of {self._host} gave no token", "ask who runs the registry")
        lasting = document.get("expires_in")
        seconds = float(lasting) if isinstance(lasting, (int, float)) and lasting > 0 else _GOOD_FOR
        return _Token(value, self._clock() + max(seconds - _EARLY, seconds / 2))


def _basic(login: Login) -> str:
    return base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
