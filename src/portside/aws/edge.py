"""The control plane's edge: find the service, establish the caller, read the request, run the handler.

Order: a caller is established before the request's content is judged, so that a stranger learns nothing from how
requests are judged. Every failure becomes AWS words here and only here; handlers raise and never build an error.
"""

from __future__ import annotations

import re
import traceback
import uuid
from dataclasses import replace

import structlog

from portside.aws import errors
from portside.aws.call import ISSUERS, Call, UnsignedCall, issuer
from portside.aws.ecr import model
from portside.aws.ecr import operations as ecr
from portside.aws.protocol import answers, documents, query
from portside.aws.protocol.answers import Answer
from portside.aws.protocol.arrival import (
    Receive,
    Scope,
    Send,
    announced_length,
    circumstances_of,
    read_body,
    request_of,
)
from portside.aws.services import IAM, STS
from portside.core.errors import (
    AuthenticationError,
    MissingAuthentication,
    OperationNotImplemented,
    RegistryError,
    UnknownOperation,
    UnsupportedOnThisRoute,
)
from portside.core.hosts import HostNames
from portside.core.names import RegistryId
from portside.identity.outbound import ALGORITHMS
from portside.identity.sigv4 import Authorization, Request, parse
from portside.registry.bodies import Bodies, Sender
from portside.registry.failures import in_registry_words
from portside.registry.registry import Registry

_log = structlog.get_logger()

_GLOBAL_REGION = "us-east-1"
"""The region that clients of AWS's global endpoints sign for: accepted for STS beside the configured ones."""
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_KEYS = ".well-known/jwks.json"
_PAGES = {".well-known/openid-configuration", _KEYS}
_ACCOUNT = re.compile(r"[0-9]{12}")
_LONGEST_UNSIGNED = 64 * 1024
"""Bytes of a request that nobody has signed: a token of a few thousand, and some policies."""


class ControlPlane:
    """The ASGI application behind `/`: ECR's API and STS on one endpoint (iam-behaviour 1.1)."""

    def __init__(self, registry: Registry, hosts: HostNames, regions: frozenset[str], bodies: Bodies) -> None:
        self._registry = registry
        self._hosts = hosts
        self._regions = regions
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = str(uuid.uuid4())
        request = request_of(scope)
        try:
            if scope["path"].startswith(ISSUERS):
                answer = await self._published(scope)
            elif _speaks_query(request):
                answer = await self._query(scope, receive, request, request_id)
            else:
                answer = await self._ecr(scope, receive, request)
        except Exception as failure:  # noqa: BLE001 - the one place where everything ends
            error = in_registry_words(failure)
            _note(request, request_id, failure, error)
            answer = _failed(request, error, request_id)
        await answers.send_answer(answer, request_id, send)

    async def refuse(self, scope: Scope, error: RegistryError, send: Send) -> None:
        """Answer one request with an error, without looking at it."""
        request_id = str(uuid.uuid4())
        await answers.send_answer(_failed(request_of(scope), error, request_id), request_id, send)

    async def _ecr(self, scope: Scope, receive: Receive, request: Request) -> Answer:
        announced = announced_length(request)
        operation = _operation(request)
        if request.method != "POST":
            raise UnsupportedOnThisRoute
        authorization = parse(request)
        if authorization.presigned:
            raise MissingAuthentication
        await self._admit(scope, request, authorization, "ecr")
        limit = ecr.longest_body(operation.name)
        async with self._bodies.held(limit if announced is None else announced, _sender(scope, authorization)):
            body = await read_body(receive, announced, limit)
            signed = replace(request, payload_sha256=body.sha256)
            call = await self._call(scope, signed, authorization, "ecr")
            handler = ecr.HANDLERS.get(operation.name)
            if handler is None:
                raise OperationNotImplemented(operation.name)
            asked = documents.read(body.content, operation.request)
            del body  # what was read from it is as large again
            return answers.document(await handler(call, asked))

    async def _query(self, scope: Scope, receive: Receive, request: Request, request_id: str) -> Answer:
        announced = announced_length(request)
        if request.method not in {"GET", "POST"}:
            raise UnsupportedOnThisRoute
        expected = 0 if request.method == "GET" else ecr.SMALL
        held = expected if announced is None else announced
        try:
            authorization = parse(request)
        except MissingAuthentication:
            return await self._unsigned(scope, receive, request, request_id, announced)
        service = IAM if authorization.service == "iam" else STS
        await self._admit(scope, request, authorization, service.name)
        async with self._bodies.held(held, _sender(scope, authorization)):
            body = await read_body(receive, announced, ecr.SMALL)
            signed = replace(request, payload_sha256=body.sha256)
            call = await self._call(scope, signed, authorization, service.name)
            fields = query.read(request.query if request.method == "GET" else body.content)
        return await service.answer(call, fields, request_id)

    async def _unsigned(
        self, scope: Scope, receive: Receive, request: Request, request_id: str, announced: int | None
    ) -> Answer:
        """Answer the operations that bring their proof with them; every other one has to be signed."""
        if request.method != "POST":
            raise MissingAuthentication
        sender = ("", (scope.get("client") or ("",))[0])
        async with self._bodies.held(_LONGEST_UNSIGNED if announced is None else announced, sender):
            body = await read_body(receive, announced, _LONGEST_UNSIGNED)
            fields = query.read(body.content)
        host = self._hosts.meaning(request.header("host") or "")
        call = UnsignedCall(
            circumstances_of(scope, request), host.region or min(self._regions), self._registry, self._hosts
        )
        return await STS.answer_unsigned(call, fields, request_id)

    async def _published(self, scope: Scope) -> Answer:
        """Answer whoever asks for what an account publishes as an issuer of tokens; anybody may."""
        account, _, page = scope["path"].removeprefix(ISSUERS).partition("/")
        is_account = _ACCOUNT.fullmatch(account) is not None and scope["method"] == "GET"
        keys = await self._registry.outbound.key_set(account) if is_account and page in _PAGES else None
        if keys is None:
            return Answer(404, _JSON, b'{"message":"Not Found"}')
        address = issuer(self._hosts, RegistryId(account, min(self._regions)))
        about = {
            "issuer": address,
            "jwks_uri": f"{address}/{_KEYS}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
        }
        return Answer(200, _JSON, documents.write(dict(keys) if page == _KEYS else about))

    async def _call(self, scope: Scope, request: Request, authorization: Authorization, service: str) -> Call:
        """Establish the caller, and the region: the scope of the signature says which, the host must agree."""
        sender = _sender(scope, authorization)
        try:
            caller = await self._registry.callers.by_signature(
                request,
                authorization,
                circumstances_of(scope, request),
                services=frozenset({service}),
                regions=self._regions_of(request, service),
            )
        except AuthenticationError:
            self._bodies.doubt(sender)
            raise
        self._bodies.prove(sender)
        scope.setdefault("state", {})["principal"] = caller.principal.arn
        return Call(caller, authorization.region, self._registry, self._hosts)

    async def _admit(self, scope: Scope, request: Request, authorization: Authorization, service: str) -> None:
        await self._registry.callers.admit(
            request,
            authorization,
            circumstances_of(scope, request),
            services=frozenset({service}),
            regions=self._regions_of(request, service),
        )

    def _regions_of(self, request: Request, service: str) -> frozenset[str]:
        region = self._hosts.meaning(request.header("host") or "").region
        regions = self._regions if region is None else self._regions & {region}
        return regions if service == "ecr" else regions | {_GLOBAL_REGION}


def _failed(request: Request, error: RegistryError | None, request_id: str) -> Answer:
    if not _speaks_query(request):
        return answers.failed_document(error)
    signed_for_iam = "/iam/" in (request.header("authorization") or "")
    return answers.failed_query(error, (IAM if signed_for_iam else STS).namespace, request_id)


def _sender(scope: Scope, authorization: Authorization) -> Sender:
    return authorization.access_key, (scope.get("client") or ("",))[0]


def _speaks_query(request: Request) -> bool:
    """Whether this is a request of the Query services; every other one is answered in JSON."""
    if request.header("x-amz-target") is not None:
        return False
    return (request.header("content-type") or "").lower().startswith(_FORM) or "Action=" in request.query


def _operation(request: Request) -> model.Operation:
    target = request.header("x-amz-target") or ""
    prefix, _, name = target.partition(".")
    if prefix != model.TARGET_PREFIX or name not in model.OPERATIONS:
        raise UnknownOperation(f"Could not find operation {target[:128]}" if target else "The request names no target")
    return model.OPERATIONS[name]


def _note(request: Request, request_id: str, failure: Exception, error: RegistryError | None) -> None:
    """Log what is the server's own fault. Never the request's headers, its body or any local variable."""
    operation = request.header("x-amz-target") or "query"
    if error is None:
        told = "".join(traceback.format_exception(failure))
        _log.error("request failed", request_id=request_id, operation=operation, traceback=told)
    elif errors.word(error).status >= errors.OURS:
        _log.error("request failed", request_id=request_id, operation=operation, reason=error.message)
