"""Rows of KMS keys: whose they are, what they are called, whether they may be used, and the wrapped key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Row, Session, Statement, prepare

_k = tables.kms_keys.c
_NAMES = ("id", "account", "region", "alias", "enabled", "managed", "wrapped", "created_at")
_COLUMNS = select(*(_k[name] for name in _NAMES))

_ADD = Statement(
    lambda insert: insert(tables.kms_keys).values({name: bindparam(name) for name in _NAMES}).on_conflict_do_nothing()
)
_FIND = prepare(_COLUMNS.where(_k.id == bindparam("id")))
_CALLED = prepare(
    _COLUMNS.where(_k.account == bindparam("account"), _k.region == bindparam("region"), _k.alias == bindparam("alias"))
)
_ENABLE = prepare(update(tables.kms_keys).where(_k.id == bindparam("the_id")).values(enabled=bindparam("on")))
_PAGE = prepare(_COLUMNS.where(_k.id > bindparam("after")).order_by(_k.id).limit(bindparam("limit")))


@dataclass(frozen=True, slots=True)
class KmsKeyRow:
    """A KMS key as it is kept."""

    id: str
    registry: RegistryId
    """The account and region that it is of."""
    alias: str | None
    """`alias/…`, one of a kind in its account and region."""
    enabled: bool
    managed: bool
    """Whether the registry made it itself, for whoever names no key."""
    wrapped: bytes = field(repr=False)
    created_at: int

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return f"arn:aws:kms:{self.registry.region}:{self.registry.account}:key/{self.id}"


class KmsKeys:
    """The KMS keys of all accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, row: KmsKeyRow) -> bool:
        """Add a key; False when one of its account and region has the alias."""
        return (
            await self._session.run(
                _ADD,
                id=row.id,
                account=row.registry.account,
                region=row.registry.region,
                alias=row.alias,
                enabled=row.enabled,
                managed=row.managed,
                wrapped=row.wrapped,
                created_at=row.created_at,
            )
            == 1
        )

    async def find(self, key: str) -> KmsKeyRow | None:
        """The key of this id."""
        return _key(await self._session.row(_FIND, id=key))

    async def called(self, registry: RegistryId, alias: str) -> KmsKeyRow | None:
        """The key of an account and region that has this alias."""
        return _key(await self._session.row(_CALLED, account=registry.account, region=registry.region, alias=alias))

    async def enable(self, key: str, *, on: bool) -> None:
        """Let a key be used, or no more."""
        await self._session.run(_ENABLE, the_id=key, on=on)

    async def page(self, after: str, limit: int) -> Sequence[KmsKeyRow]:
        """Keys in order of id, from after one ('' for the first)."""
        rows = await self._session.rows(_PAGE, after=after, limit=limit)
        return [found for row in rows if (found := _key(row))]


def _key(row: Row | None) -> KmsKeyRow | None:
    if row is None:
        return None
    identifier, account, region, alias, enabled, managed, wrapped, created_at = row
    return KmsKeyRow(
        identifier, RegistryId(account, region), alias, bool(enabled), bool(managed), bytes(wrapped), created_at
    )
