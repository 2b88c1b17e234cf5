"""The Query services, IAM and STS: from a form to a handler and back (iam-behaviour 4.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portside.aws.call import Call, UnsignedCall
from portside.aws.iam import model as iam_model
from portside.aws.iam import operations as iam
from portside.aws.protocol import answers, parameters
from portside.aws.protocol.answers import Answer
from portside.aws.protocol.parameters import Shape
from portside.aws.protocol.query import Value
from portside.aws.sts import model as sts_model
from portside.aws.sts import operations as sts
from portside.core.errors import MissingAuthentication, OperationNotImplemented, UnknownOperation

_Members = Mapping[str, Value] | None
_Handler = Callable[[Call, Mapping[str, Any]], Awaitable[_Members]]
_UnsignedHandler = Callable[[UnsignedCall, Mapping[str, Any]], Awaitable[_Members]]


@dataclass(frozen=True, slots=True)
class Service:
    """One service, its model and its handlers."""

    name: str
    """In the scope of signatures."""
    version: str
    namespace: str
    operations: frozenset[str]
    requests: Mapping[str, str | None]
    shapes: Mapping[str, Shape]
    with_result: frozenset[str]
    handlers: Mapping[str, _Handler]
    unsigned: Mapping[str, _UnsignedHandler]

    async def answer(self, call: Call, fields: Mapping[str, str], request_id: str) -> Answer:
        """Carry out an operation for a caller."""
        operation = self._operation(fields)
        handler = self.handlers.get(operation)
        if handler is not None:
            members = await handler(call, self._read(operation, fields))
        elif operation in self.unsigned:
            unsigned = UnsignedCall(call.caller.circumstances, call.region, call.registry, call.hosts)
            members = await self.unsigned[operation](unsigned, self._read(operation, fields))
        else:
            raise OperationNotImplemented(operation)
        return self._answer(operation, members, request_id)

    async def answer_unsigned(self, call: UnsignedCall, fields: Mapping[str, str], request_id: str) -> Answer:
        """Carry out an operation that needs no signature; raises MissingAuthentication for all others."""
        operation = fields.get("Action", "")
        handler = self.unsigned.get(operation)
        if handler is None or fields.get("Version") != self.version:
            raise MissingAuthentication
        return self._answer(operation, await handler(call, self._read(operation, fields)), request_id)

    def _operation(self, fields: Mapping[str, str]) -> str:
        action, version = fields.get("Action", ""), fields.get("Version", "")
        if version != self.version or action not in self.operations:
            raise UnknownOperation(f"Could not find operation {action[:128]} for version {version[:32]}")
        return action

    def _read(self, operation: str, fields: Mapping[str, str]) -> dict[str, Any]:
        return parameters.read(fields, self.requests[operation], self.shapes)

    def _answer(self, operation: str, members: _Members, request_id: str) -> Answer:
        held = (members or {}) if operation in self.with_result else None
        return answers.result(operation, self.namespace, held, request_id)


STS = Service(
    "sts",
    sts_model.VERSION,
    sts_model.NAMESPACE,
    sts_model.OPERATIONS,
    sts_model.REQUESTS,
    sts_model.SHAPES,
    sts_model.WITH_RESULT,
    sts.HANDLERS,
    sts.UNSIGNED,
)
IAM = Service(
    "iam",
    iam_model.VERSION,
    iam_model.NAMESPACE,
    iam_model.OPERATIONS,
    iam_model.REQUESTS,
    iam_model.SHAPES,
    iam_model.WITH_RESULT,
    iam.HANDLERS,
    {},
)
