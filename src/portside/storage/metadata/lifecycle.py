"""Rows of lifecycle policies: what each repository's says, and when it is to be applied next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from portside.core.names import RepositoryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_p, _r = tables.lifecycle_policies.c, tables.repositories.c
_ONE = _p.repository == bindparam("the_repository")


def _put(insert: Any) -> Any:
    statement = insert(tables.lifecycle_policies).values(
        {name: bindparam(name) for name in ("repository", "document", "due_at")}
    )
    return statement.on_conflict_do_update(
        index_elements=[_p.repository],
        set_={"document": statement.excluded.document, "due_at": statement.excluded.due_at},
    )


_PUT = Statement(_put)
_FIND = prepare(select(_p.document, _p.evaluated_at).where(_ONE))
_DELETE = prepare(delete(tables.lifecycle_policies).where(_ONE))
_EVALUATED = prepare(
    update(tables.lifecycle_policies).where(_ONE).values(evaluated_at=bindparam("at"), due_at=bindparam("due"))
)
_HASTEN = prepare(
    update(tables.lifecycle_policies).where(_p.due_at > bindparam("latest")).values(due_at=bindparam("at"))
)
_DUE = prepare(
    select(_r.account, _r.region, _r.name)
    .select_from(tables.lifecycle_policies.join(tables.repositories, _r.key == _p.repository))
    .where(_p.due_at <= bindparam("now"))
    .order_by(_p.due_at, _p.repository)
    .limit(bindparam("limit"))
)
_ALL = prepare(
    select(_r.account, _r.region, _r.name)
    .select_from(tables.lifecycle_policies.join(tables.repositories, _r.key == _p.repository))
    .where(_p.repository > bindparam("after"))
    .order_by(_p.repository)
)


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy as it is kept."""

    document: str
    evaluated_at: int | None
    """When it was last applied."""


class Lifecycle:
    """Lifecycle policies, by the key of their repository's row."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, repository: int, document: str, due_at: int) -> None:
        """Let a repository have this policy, to be applied from then on; when the last one was is kept."""
        await self._session.run(_PUT, repository=repository, document=document, due_at=due_at)

    async def find(self, repository: int) -> PolicyRow | None:
        """A repository's policy."""
        row = await self._session.row(_FIND, the_repository=repository)
        return None if row is None else PolicyRow(*row)

    async def delete(self, repository: int) -> None:
        """Remove it."""
        await self._session.run(_DELETE, the_repository=repository)

    async def evaluated(self, repository: int, at: int | None, due_at: int) -> None:
        """It was applied at a time, if ever, and is to be applied again at another."""
        await self._session.run(_EVALUATED, the_repository=repository, at=at, due=due_at)

    async def hasten(self, latest: int, at: int) -> None:
        """Let those that would be applied after the latest time that there can be, as settings are now, be due then."""
        await self._session.run(_HASTEN, latest=latest, at=at)

    async def due(self, now: int, limit: int) -> Sequence[RepositoryId]:
        """Repositories whose policy is to be applied, the longest due first."""
        return [RepositoryId(*row) for row in await self._session.rows(_DUE, now=now, limit=limit)]

    async def all(self) -> Sequence[RepositoryId]:
        """Every repository that has a policy, the one made first first."""
        return [RepositoryId(*row) for row in await self._session.rows(_ALL, after=0)]
