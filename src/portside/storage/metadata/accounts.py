"""Rows of accounts, their access keys, and wrapped data keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from portside.storage.metadata import tables
from portside.storage.metadata.statements import Row, Session, Statement, prepare

_a, _k, _d = tables.accounts.c, tables.access_keys.c, tables.data_keys.c

_ADD_ACCOUNT = Statement(
    lambda insert: (
        insert(tables.accounts).values({"id": bindparam("id"), "created_at": bindparam("at")}).on_conflict_do_nothing()
    )
)
_ACCOUNT = prepare(select(_a.id).where(_a.id == bindparam("id")))
_PAGE = prepare(
    select(_a.id, _a.created_at).where(_a.id > bindparam("after")).order_by(_a.id).limit(bindparam("limit"))
)
_ALIAS = prepare(select(_a.alias).where(_a.id == bindparam("id")))
_TAKEN = prepare(select(_a.id).where(_a.alias == bindparam("alias")))
_SET_ALIAS = prepare(update(tables.accounts).where(_a.id == bindparam("which")).values(alias=bindparam("new")))


def _put_access_key(insert: Any) -> Any:
    columns = ("id", "account", "principal", "secret", "active", "created_at")
    statement = insert(tables.access_keys).values({name: bindparam(name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=[_k.id],
        set_={name: statement.excluded[name] for name in ("account", "principal", "secret", "active")},
    )


_PUT_ACCESS_KEY = Statement(_put_access_key)
_DEACTIVATE = prepare(
    update(tables.access_keys)
    .where(_k.account == bindparam("account_"), _k.principal == bindparam("principal_"))
    .values(active=bindparam("off"))
)
_KEY_COLUMNS = select(_k.id, _k.account, _k.principal, _k.secret, _k.active)
_ACCESS_KEY = prepare(_KEY_COLUMNS.where(_k.id == bindparam("id")))
_ACCESS_KEYS = prepare(_KEY_COLUMNS.where(_k.account == bindparam("account")).order_by(_k.created_at, _k.id))

_ADD_DATA_KEY = Statement(
    lambda insert: (
        insert(tables.data_keys)
        .values({name: bindparam(name) for name in ("id", "purpose", "account", "wrapped", "created_at")})
        .on_conflict_do_nothing()
    )
)
_DATA_KEY = prepare(select(_d.id, _d.purpose, _d.account, _d.wrapped).where(_d.id == bindparam("id")))
_DATA_KEY_FOR = prepare(
    select(_d.id, _d.purpose, _d.account, _d.wrapped).where(
        _d.purpose == bindparam("purpose"), _d.account == bindparam("account")
    )
)


@dataclass(frozen=True, slots=True)
class AccessKeyRow:
    """An access key; `secret` is sealed."""

    id: str
    account: str
    principal: str
    secret: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class DataKeyRow:
    """A wrapped data key; `account` is empty for one of the whole deployment."""

    id: str
    purpose: str
    account: str
    wrapped: bytes


class Accounts:
    """Accounts and the secrets that belong to them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, account: str, at: int) -> bool:
        """Add an account; False when it exists."""
        return await self._session.run(_ADD_ACCOUNT, id=account, at=at) == 1

    async def exists(self, account: str) -> bool:
        """Whether there is such an account."""
        return await self._session.row(_ACCOUNT, id=account) is not None

    async def page(self, after: str, limit: int) -> list[tuple[str, int]]:
        """Accounts and when each was made, in order, from after one ('' for the first)."""
        return [(identifier, at) for identifier, at in await self._session.rows(_PAGE, after=after, limit=limit)]

    async def alias(self, account: str) -> str | None:
        """The other name of an account."""
        row = await self._session.row(_ALIAS, id=account)
        return None if row is None else row[0]

    async def set_alias(self, account: str, alias: str | None) -> bool:
        """Give an account another name, or take it away; False when one of the accounts has it."""
        if alias is not None and await self._session.row(_TAKEN, alias=alias) is not None:
            return False
        await self._session.run(_SET_ALIAS, which=account, new=alias)
        return True

    async def set_root_key(self, key: AccessKeyRow, at: int) -> None:
        """Let this be the account's root key; any other one stops working."""
        await self._session.run(_DEACTIVATE, account_=key.account, principal_=key.principal, off=False)
        await self._session.run(
            _PUT_ACCESS_KEY,
            id=key.id,
            account=key.account,
            principal=key.principal,
            secret=key.secret,
            active=key.active,
            created_at=at,
        )

    async def access_key(self, key: str) -> AccessKeyRow | None:
        """One access key by its id."""
        row = await self._session.row(_ACCESS_KEY, id=key)
        return None if row is None else _access_key(row)

    async def access_keys(self, account: str) -> list[AccessKeyRow]:
        """All access keys of an account, oldest first."""
        return [_access_key(row) for row in await self._session.rows(_ACCESS_KEYS, account=account)]

    async def add_data_key(self, key: DataKeyRow, at: int) -> bool:
        """Add a wrapped data key; False when its purpose has one."""
        return (
            await self._session.run(
                _ADD_DATA_KEY, id=key.id, purpose=key.purpose, account=key.account, wrapped=key.wrapped, created_at=at
            )
            == 1
        )

    async def data_key(self, key: str) -> DataKeyRow | None:
        """One wrapped data key by its id."""
        row = await self._session.row(_DATA_KEY, id=key)
        return None if row is None else DataKeyRow(*row)

    async def data_key_for(self, purpose: str, account: str) -> DataKeyRow | None:
        """The wrapped data key of a purpose."""
        row = await self._session.row(_DATA_KEY_FOR, purpose=purpose, account=account)
        return None if row is None else DataKeyRow(*row)


def _access_key(row: Row) -> AccessKeyRow:
    key, account, principal, secret, active = row
    return AccessKeyRow(key, account, principal, secret, bool(active))
