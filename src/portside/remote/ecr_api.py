"""The ECR API as a client: one signed call, retried where the service says it is busy (ecr-behaviour 0.1).

Every operation that the push tool calls may be sent twice: the second answer says the same, or that it is done.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from portside.identity import sigv4
from portside.remote.credentials import SigningKeys
from portside.remote.errors import (
    Denied,
    NotFound,
    RemoteError,
    Unauthenticated,
    Unexpected,
    Unreachable,
)
from portside.remote.http import Http, host_of, read_body
from portside.remote.pace import pause_before
from portside.remote.text import parse

_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_TYPE = "application/x-amz-json-1.1"
_LONGEST_ANSWER = 16 * 1024 * 1024
_ATTEMPTS = 6
_LONGEST_TEXT = 1000
_SERVER_ERROR = 500

_BUSY = frozenset(
    {"ThrottlingException", "ServerException", "ServiceUnavailable", "InternalFailure", "RequestTimeoutException"}
)
_STALE = frozenset({"ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
    }
)
_ABSENT = frozenset({"RepositoryNotFoundException", "ImageNotFoundException", "LayersNotFoundException"})


class EcrError(RemoteError):
    """The service refused, for a reason that only the caller can judge; `word` is its `__type`."""

    def __init__(self, word: str, message: str, members: dict[str, Any]) -> None:
        super().__init__(message or word)
        self.word = word
        self.members = members


class EcrApi:
    """One endpoint of the service in one region. May be used from several threads."""

    def __init__(
        self,
        http: Http,
        endpoint: str,
        region: str,
        keys: SigningKeys,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._url = f"{endpoint.rstrip('/')}/"
        self._region = region
        self._keys = keys
        self._clock = clock
        self._sleep = sleep

    @property
    def endpoint(self) -> str:
        """Where the calls go."""
        return self._url

    @property
    def region(self) -> str:
        """The region that the calls are signed for."""
        return self._region

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation, and give its reply.

        Raises EcrError for a modelled exception, Unauthenticated, Denied, NotFound, Unreachable, Unexpected.
        """
        body = json.dumps(members, separators=(",", ":")).encode()
        renewed = False
        for attempt in range(_ATTEMPTS):
            try:
                status, reply = self._once(operation, body, renew=renewed)
            except Unreachable:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._sleep(pause_before(attempt))
                continue
            if status == HTTPStatus.OK:
                return reply
            word = _word(reply)
            if word in _STALE and not renewed:
                renewed = True
            elif attempt == _ATTEMPTS - 1 or not (word in _BUSY or status >= _SERVER_ERROR):
                raise self._refusal(operation, status, word, reply)
            else:
                self._sleep(pause_before(attempt))
        raise Unreachable(f"{host_of(self._url)} did not answer {operation}", "try again later")

    def _once(self, operation: str, body: bytes, *, renew: bool) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(self._url)
        headers = [
            ("Content-Type", _TYPE),
            ("Host", parts.netloc),
            ("X-Amz-Target", f"{_TARGET}.{operation}"),
        ]
        bare = sigv4.Request("POST", parts.path or "/", "", headers, hashlib.sha256(body).hexdigest())
        keys = self._keys.keys(renew=renew)
        signed = sigv4.sign(bare, keys, region=self._region, service="ecr", at=self._clock())
        response = self._http.exchange("POST", self._url, dict(signed.headers), body)
        content = read_body(response, self._url, _LONGEST_ANSWER)
        return response.status, _document(content)

    def _refusal(self, operation: str, status: int, word: str, reply: dict[str, Any]) -> RemoteError:
        message = _text(reply)
        host = host_of(self._url)
        known = _known(word, host, operation, message)
        if known is not None:
            return known
        if word in _BUSY or status >= _SERVER_ERROR:
            return Unreachable(f"{host} keeps answering {word or status} to {operation}", "try again later")
        if word:
            return EcrError(word, message, reply)
        return Unexpected(f"{host} answered {operation} with HTTP {status}", "check that the endpoint is an ECR API")


def _known(word: str, host: str, operation: str, message: str) -> RemoteError | None:
    if word in _UNKNOWN or word in _STALE:
        said = f"{host} does not take these AWS credentials ({message or word})"
        return Unauthenticated(said, "check the profile, the region and the clock")
    if word.startswith("AccessDenied"):
        return Denied(message or f"{operation} is not allowed", "ask for a policy that allows it")
    if word in _ABSENT:
        advice = "create it, or push with --create" if word.startswith("Repository") else ""
        return NotFound(message or word, advice)
    return None


def _document(content: bytes) -> dict[str, Any]:
    try:
        found: object = parse(content or b"{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _word(reply: dict[str, Any]) -> str:
    return str(reply.get("__type", "")).rpartition("#")[2]


def _text(reply: dict[str, Any]) -> str:
    return " ".join(str(reply.get("message") or reply.get("Message") or "").split())[:_LONGEST_TEXT]
