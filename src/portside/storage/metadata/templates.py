"""Rows of repository creation templates: one for each prefix of a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, is_among, prepare, rows_among

_t = tables.creation_templates.c
_OF_REGISTRY = and_(_t.account == bindparam("account"), _t.region == bindparam("region"))
_ONE = and_(_OF_REGISTRY, _t.prefix == bindparam("the_prefix"))
_COLUMNS = select(_t.prefix, _t.document, _t.created_at, _t.updated_at)

_ADD = Statement(
    lambda insert: (
        insert(tables.creation_templates)
        .values(
            {name: bindparam(name) for name in ("account", "region", "prefix", "document", "created_at", "updated_at")}
        )
        .on_conflict_do_nothing()
    )
)
_FIND = prepare(_COLUMNS.where(_ONE))
_AMONG = prepare(_COLUMNS.where(_OF_REGISTRY, is_among(_t.prefix)))
_LOCK = prepare(_COLUMNS.where(_ONE).with_for_update())
_CHANGE = prepare(
    update(tables.creation_templates).where(_ONE).values(document=bindparam("packed"), updated_at=bindparam("at"))
)
_DELETE = prepare(delete(tables.creation_templates).where(_ONE))
_PAGE = prepare(
    _COLUMNS.where(_OF_REGISTRY, _t.prefix > bindparam("after")).order_by(_t.prefix).limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A template as it is kept."""

    prefix: str
    document: str
    created_at: int
    updated_at: int


class Templates:
    """The creation templates of all registries."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, registry: RegistryId, row: TemplateRow) -> bool:
        """Add a template; False when the prefix has one."""
        known = {"prefix": row.prefix, "document": row.document}
        times = {"created_at": row.created_at, "updated_at": row.updated_at}
        return await self._session.run(_ADD, **_registry(registry), **known, **times) == 1

    async def find(self, registry: RegistryId, prefix: str) -> TemplateRow | None:
        """The template of exactly this prefix."""
        row = await self._session.row(_FIND, **_registry(registry), the_prefix=prefix)
        return None if row is None else TemplateRow(*row)

    async def among(self, registry: RegistryId, prefixes: Sequence[str]) -> Mapping[str, TemplateRow]:
        """The templates that there are of exactly these prefixes."""
        rows = await rows_among(self._session, _AMONG, prefixes, **_registry(registry))
        return {row[0]: TemplateRow(*row) for row in rows}

    async def lock(self, registry: RegistryId, prefix: str) -> TemplateRow | None:
        """The template of this prefix, which no other unit changes until this one ends."""
        row = await self._session.row(_LOCK, **_registry(registry), the_prefix=prefix)
        return None if row is None else TemplateRow(*row)

    async def change(self, registry: RegistryId, prefix: str, document: str, at: int) -> None:
        """Put another document in its place."""
        await self._session.run(_CHANGE, **_registry(registry), the_prefix=prefix, packed=document, at=at)

    async def delete(self, registry: RegistryId, prefix: str) -> None:
        """Remove a template."""
        await self._session.run(_DELETE, **_registry(registry), the_prefix=prefix)

    async def page(self, registry: RegistryId, after: str, limit: int) -> Sequence[TemplateRow]:
        """Templates of a registry in order of prefix, from after one ('' for the first)."""
        rows = await self._session.rows(_PAGE, **_registry(registry), after=after, limit=limit)
        return [TemplateRow(*row) for row in rows]


def _registry(registry: RegistryId) -> dict[str, Any]:
    return {"account": registry.account, "region": registry.region}
