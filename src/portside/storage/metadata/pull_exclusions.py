"""Rows of principals whose pulls leave an image's last pull time alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_x = tables.pull_exclusions.c
_OF_REGISTRY = and_(_x.account == bindparam("account"), _x.region == bindparam("region"))
_ADD = Statement(
    lambda insert: (
        insert(tables.pull_exclusions)
        .values({name: bindparam(name) for name in ("account", "region", "principal", "created_at")})
        .on_conflict_do_nothing()
    )
)
_HAS = prepare(select(_x.principal).where(_OF_REGISTRY, _x.principal == bindparam("principal")))
_DELETE = prepare(delete(tables.pull_exclusions).where(_OF_REGISTRY, _x.principal == bindparam("principal")))
_COUNT = prepare(select(func.count()).select_from(tables.pull_exclusions).where(_OF_REGISTRY))
_PAGE = prepare(
    select(_x.principal)
    .where(_OF_REGISTRY, _x.principal > bindparam("after"))
    .order_by(_x.principal)
    .limit(bindparam("limit"))
)


class PullExclusions:
    """The excluded principals of all registries, by ARN."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, registry: RegistryId, principal: str, at: int) -> bool:
        """Add one; False when it is there."""
        return await self._session.run(_ADD, **_registry(registry), principal=principal, created_at=at) == 1

    async def has(self, registry: RegistryId, principal: str) -> bool:
        """Whether a principal is excluded."""
        return await self._session.row(_HAS, **_registry(registry), principal=principal) is not None

    async def delete(self, registry: RegistryId, principal: str) -> bool:
        """Remove one; False when there was none."""
        return await self._session.run(_DELETE, **_registry(registry), principal=principal) == 1

    async def count(self, registry: RegistryId) -> int:
        """How many a registry has; never more than a hundred."""
        row = await self._session.row(_COUNT, **_registry(registry))
        return 0 if row is None else row[0]

    async def page(self, registry: RegistryId, after: str, limit: int) -> Sequence[str]:
        """ARNs in order, from after one ('' for the first)."""
        return [row[0] for row in await self._session.rows(_PAGE, **_registry(registry), after=after, limit=limit)]


def _registry(registry: RegistryId) -> dict[str, Any]:
    return {"account": registry.account, "region": registry.region}
