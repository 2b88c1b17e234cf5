"""Rows of account settings: one for each that was put, by account, region and name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_s = tables.account_settings.c

_VALUE = prepare(
    select(_s.value).where(
        _s.account == bindparam("account"), _s.region == bindparam("region"), _s.name == bindparam("name")
    )
)


def _put(insert: Any) -> Any:
    statement = insert(tables.account_settings).values(
        {name: bindparam(name) for name in ("account", "region", "name", "value")}
    )
    return statement.on_conflict_do_update(
        index_elements=[_s.account, _s.region, _s.name], set_={"value": statement.excluded.value}
    )


_PUT = Statement(_put)


class AccountSettings:
    """What an account has set for a registry of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def value(self, registry: RegistryId, name: str) -> str | None:
        """A setting's value; None when it was never put."""
        row = await self._session.row(_VALUE, account=registry.account, region=registry.region, name=name)
        return None if row is None else row[0]

    async def put(self, registry: RegistryId, name: str, value: str) -> None:
        """Set a value, whatever it was before."""
        await self._session.run(_PUT, account=registry.account, region=registry.region, name=name, value=value)
