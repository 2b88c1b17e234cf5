"""Attached and inline policies, boundaries and tags of users, groups and roles: the same for all three."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from portside.aws.call import Call
from portside.aws.iam.values import NAMED, Members, Parameters, encoded, sliced, tags, tags_of
from portside.core.identities import Kind

_Of = Callable[[Kind, Call, Parameters], Awaitable[Members | None]]


async def attach(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Attach…Policy."""
    await call.registry.iam.holding.attach(call.caller, kind, parameters[NAMED[kind]], parameters["PolicyArn"])


async def detach(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Detach…Policy."""
    await call.registry.iam.holding.detach(call.caller, kind, parameters[NAMED[kind]], parameters["PolicyArn"])


async def list_attached(kind: Kind, call: Call, parameters: Parameters) -> Members:
    """ListAttached…Policies."""
    prefix = parameters.get("PathPrefix", "/")
    found = await call.registry.iam.holding.attached(call.caller, kind, parameters[NAMED[kind]], prefix)
    return sliced(parameters, "AttachedPolicies", [{"PolicyName": name, "PolicyArn": arn} for name, arn in found])


async def put(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Put…Policy."""
    name, document = parameters["PolicyName"], parameters["PolicyDocument"]
    await call.registry.iam.holding.put(call.caller, kind, parameters[NAMED[kind]], name, document)


async def get(kind: Kind, call: Call, parameters: Parameters) -> Members:
    """Get…Policy."""
    holder = parameters[NAMED[kind]]
    found = await call.registry.iam.holding.get(call.caller, kind, holder, parameters["PolicyName"])
    return {NAMED[kind]: holder, "PolicyName": found.name, "PolicyDocument": encoded(found.text)}


async def list_inline(kind: Kind, call: Call, parameters: Parameters) -> Members:
    """List…Policies."""
    found = await call.registry.iam.holding.inline(call.caller, kind, parameters[NAMED[kind]])
    return sliced(parameters, "PolicyNames", list(found))


async def delete(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Delete…Policy."""
    await call.registry.iam.holding.drop(call.caller, kind, parameters[NAMED[kind]], parameters["PolicyName"])


async def put_boundary(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Put…PermissionsBoundary."""
    boundary = parameters["PermissionsBoundary"]
    await call.registry.iam.directory.bound(call.caller, kind, parameters[NAMED[kind]], boundary)


async def delete_boundary(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Delete…PermissionsBoundary."""
    await call.registry.iam.directory.bound(call.caller, kind, parameters[NAMED[kind]], None)


async def tag(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Tag…."""
    await call.registry.iam.directory.tag(call.caller, kind, parameters[NAMED[kind]], tags_of(parameters))


async def untag(kind: Kind, call: Call, parameters: Parameters) -> None:
    """Untag…."""
    await call.registry.iam.directory.untag(call.caller, kind, parameters[NAMED[kind]], parameters["TagKeys"])


async def list_tags(kind: Kind, call: Call, parameters: Parameters) -> Members:
    """List…Tags."""
    action = f"iam:List{_WORDS[kind]}Tags"
    found = await call.registry.iam.directory.get(call.caller, kind, parameters[NAMED[kind]], action)
    return sliced(parameters, "Tags", tags(found))


_WORDS = {Kind.USER: "User", Kind.GROUP: "Group", Kind.ROLE: "Role"}
_OF_ALL: Mapping[str, _Of] = {
    "Attach{}Policy": attach,
    "Detach{}Policy": detach,
    "ListAttached{}Policies": list_attached,
    "Put{}Policy": put,
    "Get{}Policy": get,
    "List{}Policies": list_inline,
    "Delete{}Policy": delete,
}
_OF_USERS_AND_ROLES: Mapping[str, _Of] = {
    "Put{}PermissionsBoundary": put_boundary,
    "Delete{}PermissionsBoundary": delete_boundary,
    "Tag{}": tag,
    "Untag{}": untag,
    "List{}Tags": list_tags,
}

HANDLERS: Mapping[str, Callable[[Call, Parameters], Awaitable[Members | None]]] = {
    name.format(word): partial(handler, kind)
    for kind, word in _WORDS.items()
    for name, handler in {**_OF_ALL, **({} if kind is Kind.GROUP else _OF_USERS_AND_ROLES)}.items()
}
