"""The data plane's edge: find the route, establish the caller, run the handler, turn every failure into OCI words.

All of it happens here and only here; handlers raise and never build an error answer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from portside.core.errors import (
    AuthenticationError,
    BodyTruncated,
    InvalidLayerPart,
    InvalidRange,
    LimitExceeded,
    MissingAuthentication,
    RegistryError,
    RegistryTokenInvalid,
    RepositoryNotFound,
    RequestTooLarge,
    TooManyRequests,
    Unavailable,
    UnsupportedOnThisRoute,
    UploadBusy,
)
from portside.core.hosts import HostNames
from portside.core.names import RegistryId
from portside.distribution.exchange import Exchange, Receive, Reply, Scope, Send, answer, failure_body
from portside.distribution.manners import OPEN, Manners
from portside.distribution.routes import match, methods
from portside.distribution.uploads import progress
from portside.identity.caller import Circumstances
from portside.identity.tokens import TICKET_PARAMETER
from portside.registry.bodies import Bodies
from portside.registry.failures import in_registry_words
from portside.registry.registry import Registry

_log = structlog.get_logger()
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_UNREAD = (AuthenticationError, BodyTruncated, LimitExceeded, RequestTooLarge, TooManyRequests)
_JSON = "application/json; charset=utf-8"
_NOT_FOUND = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class DataPlane:
    """The ASGI application behind `/v2`."""

    def __init__(self, registry: Registry, hosts: HostNames, bodies: Bodies, manners: Manners = OPEN) -> None:
        self._registry = registry
        self._hosts = hosts
        self._bodies = bodies
        self._manners = manners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, self._bodies)
        try:
            reply = await self._reply(exchange, scope)
        except Exception as failure:  # noqa: BLE001 - the one place where everything ends
            reply = self._failed(exchange, scope, failure)
        reply = self._manners.finish(exchange, reply)
        reply.headers = {**_VERSION, **reply.headers}
        await answer(exchange, reply, receive, send)

    async def refuse(self, scope: Scope, error: RegistryError, send: Send) -> None:
        """Answer one request with an error, without looking at it."""
        exchange = Exchange(scope, _nothing, self._bodies)
        reply = self._failed(exchange, scope, error)
        reply.headers = {**_VERSION, **reply.headers}
        await answer(exchange, reply, _nothing, send)

    async def _reply(self, exchange: Exchange, scope: Scope) -> Reply:
        if not exchange.is_framed:
            body = failure_body("UNSUPPORTED", "The headers leave in doubt where the request's body ends.")
            return Reply(400, {"Content-Type": _JSON, "Connection": "close"}, body)
        handler, parts, exists = match(exchange.method, exchange.path, self._manners.routes)
        if not exists:
            return Reply(404, _NOT_FOUND, b"404 page not found\n")
        exchange.parts = parts
        await self._establish(exchange, scope)
        if handler is None:
            raise UnsupportedOnThisRoute
        if share := scope["state"].get("share"):
            await share(exchange.caller.principal.holder)
        return await handler(self._registry, exchange)

    async def _establish(self, exchange: Exchange, scope: Scope) -> None:
        circumstances = Circumstances(
            at=time.time_ns() // 1000,
            source_ip=(scope.get("client") or ("",))[0],
            secure=scope["scheme"] == "https",
            user_agent=exchange.headers.get("user-agent", ""),
        )
        meaning = self._hosts.meaning(exchange.headers.get("host", ""))
        callers = self._registry.callers
        # Only the address of a blob has a `digest`: a ticket is for a download and opens nothing else.
        if TICKET_PARAMETER in exchange.query and "digest" in exchange.parts and exchange.method in {"GET", "HEAD"}:
            exchange.caller, repository = await callers.by_ticket(
                exchange.query[TICKET_PARAMETER], exchange.parts["name"], exchange.parts["digest"], circumstances
            )
            exchange.registry = repository.registry
        else:
            if "authorization" not in exchange.headers:
                raise MissingAuthentication
            bearer = await callers.by_token(exchange.headers["authorization"], circumstances)
            exchange.caller = bearer.caller
            exchange.registry = RegistryId(meaning.account or bearer.caller.principal.account, bearer.region)
        if meaning.region not in {None, exchange.registry.region}:
            raise RegistryTokenInvalid
        scope.setdefault("state", {})["principal"] = exchange.caller.principal.arn

    def _failed(self, exchange: Exchange, scope: Scope, failure: Exception) -> Reply:
        error = in_registry_words(failure)
        if error is None:
            _log.exception("request failed", method=exchange.method, path=exchange.path)
            body = failure_body("UNKNOWN", "The registry failed to answer. Try again.")
            return Reply(500, {"Content-Type": _JSON}, body)
        status, code, message = self._manners.words(error)
        if status == 401:  # noqa: PLR2004 - the challenge's own status
            headers = {**self._challenge(exchange, scope), **_headers(exchange, error)}
            return Reply(401, headers, b"Not Authorized\n")
        if status >= 500:  # noqa: PLR2004 - ours to look at
            _log.error("request failed", method=exchange.method, path=exchange.path, reason=error.message)
        headers = {"Content-Type": _JSON, **_headers(exchange, error)}
        if status == 405:  # noqa: PLR2004 - which must say what else there is
            headers["Allow"] = methods(exchange.path, self._manners.routes)
        advice = _advice(exchange, error) if self._manners.advises else ""
        return Reply(status, headers, failure_body(code, message + advice))

    def _challenge(self, exchange: Exchange, scope: Scope) -> Mapping[str, str]:
        """What ECR answers to unusable credentials, down to its odd empty header (ecr-behaviour 1.2)."""
        realm = f"{scope['scheme']}://{exchange.headers.get('host', '')}/".replace('"', "")
        return {
            "Content-Type": "text/plain; charset=utf-8",
            "Sizes": "",
            "Www-Authenticate": f'Basic realm="{realm}",service="ecr.amazonaws.com"',
        }


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}


def _headers(exchange: Exchange, error: RegistryError) -> dict[str, str]:
    if isinstance(error, InvalidLayerPart):
        return progress(exchange, error.repository, error.upload, error.received)
    if isinstance(error, InvalidRange):
        return {"Content-Range": f"bytes */{error.size}"}
    # Where the rest of a body will not be read, the connection is of no more use.
    closing = {"Connection": "close"} if exchange.has_body and isinstance(error, _UNREAD) else {}
    if isinstance(error, TooManyRequests | Unavailable | UploadBusy):
        return {"Retry-After": "1", **closing}
    return closing


def _advice(exchange: Exchange, error: RegistryError) -> str:
    """The next command, for a push that found no repository; clients show the message and nothing else."""
    if isinstance(error, RepositoryNotFound) and exchange.method in {"POST", "PUT", "PATCH"}:
        return f". Create it first: aws ecr create-repository --repository-name {error.repository.name}"
    return ""
