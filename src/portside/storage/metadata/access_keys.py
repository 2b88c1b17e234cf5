"""Rows of long-term access keys, of users and of accounts' roots; their sealed secrets are read in accounts.py."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from portside.core.identities import AccessKey
from portside.storage.metadata import tables
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.statements import Row, Session, prepare

_k = tables.access_keys.c
_COLUMNS = select(
    _k.id,
    _k.account,
    _k.principal,
    _k.active,
    _k.created_at,
    _k.last_used_at,
    _k.last_used_region,
    _k.last_used_service,
)

_ADD = prepare(
    insert(tables.access_keys).values(
        {name: bindparam(name) for name in ("id", "account", "principal", "secret", "active", "created_at")}
    )
)
_GET = prepare(_COLUMNS.where(_k.id == bindparam("id")))
_OF = prepare(
    _COLUMNS.where(_k.account == bindparam("account"), _k.principal == bindparam("principal")).order_by(
        _k.created_at, _k.id
    )
)
_ACTIVATE = prepare(update(tables.access_keys).where(_k.id == bindparam("which")).values(active=bindparam("active")))
_DELETE = prepare(delete(tables.access_keys).where(_k.id == bindparam("id")))
_USED = prepare(
    update(tables.access_keys)
    .where(_k.id == bindparam("which"))
    .values(last_used_at=bindparam("at"), last_used_region=bindparam("region"), last_used_service=bindparam("service")),
    of_authority=False,
)


class AccessKeys:
    """Access keys, by id and by whom they belong to."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: AccessKeyRow, at: int) -> None:
        """Add a key whose id is new."""
        await self._session.run(
            _ADD,
            id=key.id,
            account=key.account,
            principal=key.principal,
            secret=key.secret,
            active=key.active,
            created_at=at,
        )

    async def get(self, key: str) -> AccessKey | None:
        """One key."""
        row = await self._session.row(_GET, id=key)
        return None if row is None else _key(row)

    async def of(self, account: str, principal: str) -> Sequence[AccessKey]:
        """The keys of a user, or of an account's `root`, the oldest first."""
        return [_key(row) for row in await self._session.rows(_OF, account=account, principal=principal)]

    async def set_active(self, key: str, *, active: bool) -> None:
        """Switch a key on or off."""
        await self._session.run(_ACTIVATE, which=key, active=active)

    async def delete(self, key: str) -> None:
        """Remove a key."""
        await self._session.run(_DELETE, id=key)

    async def used(self, key: str, at: int, region: str, service: str) -> None:
        """Record when, where and for what a key was used last."""
        await self._session.run(_USED, which=key, at=at, region=region, service=service)


def _key(row: Row) -> AccessKey:
    identifier, account, principal, active, created_at, used_at, region, service = row
    return AccessKey(identifier, account, principal, bool(active), created_at, used_at, region or "", service or "")
