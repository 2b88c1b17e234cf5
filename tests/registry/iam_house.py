"""Callers for the tests of identities."""

from __future__ import annotations

import json
from typing import Any

from portside.core.identities import Identity, Kind
from portside.identity.caller import Caller, Principal
from portside.registry.principals import entity_of
from tests.registry.house import House


def document(action: Any = "ecr:*", effect: str = "Allow", **more: Any) -> str:
    """A policy of one statement, on everything unless it names a principal or a resource."""
    statement = {"Effect": effect, "Action": action, **more}
    if "Principal" not in statement:
        statement.setdefault("Resource", "*")
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def caller_of(house: House, identity: Identity) -> Caller:
    """A user as a caller."""
    entity = entity_of(identity)
    principal = Principal(identity.account, identity.arn, identity.id, "User", f"AKIA{identity.name}", entity)
    return Caller(principal, house.caller.circumstances)


async def user(house: House, name: str, *actions: str) -> Caller:
    """A user who may do something."""
    identity = await house.registry.iam.directory.create(house.caller, Kind.USER, name)
    if actions:
        await house.registry.iam.holding.put(house.caller, Kind.USER, name, "own", document(list(actions)))
    return caller_of(house, identity)
