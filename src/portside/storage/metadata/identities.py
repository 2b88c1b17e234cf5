"""Rows of identities: users, groups, roles, managed policies with their versions, and identity providers.

A name is taken within its account and kind whatever its case, and found by any; lists come in order of the name without
its case. Whoever decides something from an identity and then changes it locks it first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from portside.core.identities import Identity, Kind, PolicyVersion
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Row, Session, Statement, prepare

_i, _v = tables.identities.c, tables.policy_versions.c
COLUMNS = (_i.id, _i.account, _i.kind, _i.name, _i.path, _i.created_at, _i.attributes, _i.boundary)
"""What `identity_of` reads."""
_COLUMNS = select(*COLUMNS)
_NAMED = _COLUMNS.where(
    _i.account == bindparam("account"), _i.kind == bindparam("kind"), _i.folded == bindparam("folded")
)

_ADD = Statement(
    lambda insert: (
        insert(tables.identities)
        .values(
            {
                name: bindparam(name)
                for name in (
                    "id",
                    "account",
                    "kind",
                    "name",
                    "folded",
                    "path",
                    "attributes",
                    "boundary",
                    "created_at",
                )
            }
        )
        .on_conflict_do_nothing()
    )
)
_FIND = prepare(_NAMED)
_LOCK = prepare(_NAMED.with_for_update())
_GET = prepare(_COLUMNS.where(_i.id == bindparam("id")))
_PAGE = prepare(
    _COLUMNS.where(
        _i.account == bindparam("account"),
        _i.kind == bindparam("kind"),
        _i.folded > bindparam("after"),
        func.substr(_i.path, 1, bindparam("length")) == bindparam("prefix"),
    )
    .order_by(_i.folded)
    .limit(bindparam("limit"))
)
_COUNT = prepare(select(func.count()).where(_i.account == bindparam("account"), _i.kind == bindparam("kind")))
_CHANGE = prepare(
    update(tables.identities)
    .where(_i.id == bindparam("which"))
    .values({name: bindparam(f"new_{name}") for name in ("name", "folded", "path", "attributes", "boundary")})
)
_BOUNDED = prepare(_COLUMNS.where(_i.boundary == bindparam("policy")).order_by(_i.kind, _i.folded))
_DELETE = prepare(delete(tables.identities).where(_i.id == bindparam("id")))

_ADD_VERSION = Statement(
    lambda insert: insert(tables.policy_versions).values(
        {name: bindparam(name) for name in ("policy", "number", "document", "is_default", "created_at")}
    )
)
_VERSIONS = prepare(
    select(_v.number, _v.document, _v.is_default, _v.created_at)
    .where(_v.policy == bindparam("policy"))
    .order_by(_v.number.desc())
)
_CHOOSE = prepare(
    update(tables.policy_versions)
    .where(_v.policy == bindparam("which"))
    .values(is_default=_v.number == bindparam("chosen"))
)
_DELETE_VERSION = prepare(
    delete(tables.policy_versions).where(_v.policy == bindparam("policy"), _v.number == bindparam("number"))
)
_DELETE_VERSIONS = prepare(delete(tables.policy_versions).where(_v.policy == bindparam("policy")))


class Identities:
    """Identities of all accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, identity: Identity) -> bool:
        """Add one; False when its name is taken."""
        added = await self._session.run(
            _ADD,
            id=identity.id,
            account=identity.account,
            kind=identity.kind.value,
            name=identity.name,
            folded=identity.name.lower(),
            path=identity.path,
            attributes=_packed(identity.attributes),
            boundary=identity.boundary,
            created_at=identity.created_at,
        )
        return added == 1

    async def find(self, account: str, kind: Kind, name: str) -> Identity | None:
        """The one of this name, whatever its case."""
        return _optional(await self._session.row(_FIND, account=account, kind=kind.value, folded=name.lower()))

    async def lock(self, account: str, kind: Kind, name: str) -> Identity | None:
        """The one of this name, which no other unit changes until this one ends."""
        return _optional(await self._session.row(_LOCK, account=account, kind=kind.value, folded=name.lower()))

    async def get(self, identifier: str) -> Identity | None:
        """The one with this id."""
        return _optional(await self._session.row(_GET, id=identifier))

    async def page(self, account: str, kind: Kind, *, prefix: str, after: str, limit: int) -> Sequence[Identity]:
        """Those whose path begins with `prefix`, from after a name ('' for the first page)."""
        rows = await self._session.rows(
            _PAGE,
            account=account,
            kind=kind.value,
            prefix=prefix,
            length=len(prefix),
            after=after.lower(),
            limit=limit,
        )
        return [identity_of(row) for row in rows]

    async def count(self, account: str, kind: Kind) -> int:
        """How many of a kind an account has."""
        row = await self._session.row(_COUNT, account=account, kind=kind.value)
        return row[0] if row else 0

    async def change(self, identity: Identity) -> None:
        """Let name, path, attributes and boundary of the one with this id be these; the name must be free."""
        await self._session.run(
            _CHANGE,
            which=identity.id,
            new_name=identity.name,
            new_folded=identity.name.lower(),
            new_path=identity.path,
            new_attributes=_packed(identity.attributes),
            new_boundary=identity.boundary,
        )

    async def bounded_by(self, policy: str) -> Sequence[Identity]:
        """Everything whose permissions boundary is the policy with this ARN."""
        return [identity_of(row) for row in await self._session.rows(_BOUNDED, policy=policy)]

    async def delete(self, identifier: str) -> None:
        """Remove one, and a policy's versions with it; what it holds must have been removed before."""
        await self._session.run(_DELETE_VERSIONS, policy=identifier)
        await self._session.run(_DELETE, id=identifier)

    async def add_version(self, policy: str, version: PolicyVersion) -> None:
        """Add a version of a policy."""
        await self._session.run(
            _ADD_VERSION,
            policy=policy,
            number=version.number,
            document=version.text,
            is_default=version.is_default,
            created_at=version.created_at,
        )

    async def versions(self, policy: str) -> Sequence[PolicyVersion]:
        """All versions of a policy, the newest first."""
        rows = await self._session.rows(_VERSIONS, policy=policy)
        return [PolicyVersion(number, text, bool(chosen), at) for number, text, chosen, at in rows]

    async def choose_version(self, policy: str, number: int) -> None:
        """Let this version, which there must be, be the default."""
        await self._session.run(_CHOOSE, which=policy, chosen=number)

    async def delete_version(self, policy: str, number: int) -> None:
        """Remove a version."""
        await self._session.run(_DELETE_VERSION, policy=policy, number=number)


def _packed(attributes: Mapping[str, Any]) -> str:
    return json.dumps(attributes, separators=(",", ":"))


def identity_of(row: Row) -> Identity:
    """Read a row of the columns that every statement of identities selects."""
    identifier, account, kind, name, path, created_at, attributes, boundary = row
    return Identity(identifier, account, Kind(kind), name, path, created_at, json.loads(attributes), boundary)


def _optional(row: Row | None) -> Identity | None:
    return None if row is None else identity_of(row)
