"""Principals in policies of resources: kept by unique id, shown by ARN (iam-behaviour 2.3).

A user or role that goes takes its grants with it, even if its name returns: from then on the raw id is shown. Of
accounts that are not here only the syntax can be known, so their ARNs are kept as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

from portside.core.identities import Kind
from portside.registry.identity_arns import parse_identity_arn
from portside.storage.metadata.port import Unit

_SESSION = re.compile(r"arn:aws[a-z-]*:sts::([0-9]{12}):assumed-role/([^/]+)/.+")
_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
_NAMEABLE = {Kind.USER, Kind.ROLE}
_Change = Callable[[str], Awaitable[str]]


class UnknownPrincipal(Exception):
    """A policy names a user or role of an account that is here, and there is none."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


async def to_stored(unit: Unit, document: str) -> str:
    """A document, which is a policy, with users and roles by unique id; raises UnknownPrincipal."""

    async def stored(value: str) -> str:
        session = _SESSION.fullmatch(value)
        if session is not None:
            await _must_exist(unit, session.group(1), Kind.ROLE, session.group(2), value)
            return value
        named = parse_identity_arn(value)
        if named is None or named.kind not in _NAMEABLE:
            return value
        return await _must_exist(unit, named.account, named.kind, named.name, value) or value

    return await _changed(document, stored)


async def to_shown(unit: Unit, document: str) -> str:
    """A stored document with ARNs in place of the ids of users and roles that still stand."""

    async def shown(value: str) -> str:
        if _ID.fullmatch(value) is None:
            return value
        found = await unit.identities.get(value)
        return value if found is None else found.arn

    return await _changed(document, shown)


async def _must_exist(unit: Unit, account: str, kind: Kind, name: str, value: str) -> str | None:
    """The id of a user or role; None when its account is not here."""
    if not await unit.accounts.exists(account):
        return None
    found = await unit.identities.find(account, kind, name)
    # Names of principals are compared with their case and path; a session's ARN holds no path.
    if found is None or (found.arn != value and not _SESSION.fullmatch(value)) or found.name != name:
        raise UnknownPrincipal(value)
    return found.id


async def _changed(document: str, change: _Change) -> str:
    found: dict[str, Any] = json.loads(document)
    listed = found["Statement"]
    for statement in cast("list[dict[str, Any]]", listed if isinstance(listed, list) else [listed]):
        for element in ("Principal", "NotPrincipal"):
            principals = statement.get(element)
            if isinstance(principals, dict) and "AWS" in principals:
                principals["AWS"] = await _each(principals["AWS"], change)
    return json.dumps(found, ensure_ascii=False)


async def _each(value: Any, change: _Change) -> Any:
    if isinstance(value, list):
        return [await change(item) for item in cast("list[str]", value)]
    return await change(value)
