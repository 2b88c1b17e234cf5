"""STS operations: who am I? (iam-behaviour 4.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from portside.aws.call import Call
from portside.aws.protocol.query import Value

VERSION = "2011-06-15"

Handler = Callable[[Call, Mapping[str, str]], Awaitable[Mapping[str, Value]]]


async def get_caller_identity(call: Call, parameters: Mapping[str, str]) -> Mapping[str, Value]:
    """The principal behind the signature; nobody needs a permission to ask."""
    del parameters
    principal = await call.registry.callers.identify(call.caller)
    return {"Arn": principal.arn, "UserId": principal.user_id, "Account": principal.account}


HANDLERS: Mapping[str, Handler] = {"GetCallerIdentity": get_caller_identity}
