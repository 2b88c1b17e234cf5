"""Rows of events: the outbox, written in the unit that makes the change and read by whoever follows.

Numbers grow in the order in which they were given, which on PostgreSQL is not that of commits: a reader that follows
looks at the last few again (registry/events.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_e = tables.events.c
_ADD = Statement(
    lambda insert: insert(tables.events).values(
        {name: bindparam(name) for name in ("account", "region", "at", "document")}
    )
)
_AFTER = prepare(
    select(_e.number, _e.document).where(_e.number > bindparam("after")).order_by(_e.number).limit(bindparam("limit"))
)
_NEWEST = prepare(select(func.max(_e.number)))
_OLD = select(_e.number).where(_e.at < bindparam("before")).order_by(_e.at).limit(bindparam("limit"))
_PRUNE = prepare(delete(tables.events).where(_e.number.in_(_OLD)))


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is kept."""

    number: int
    document: str
    """JSON in EventBridge's shape."""


class Events:
    """The events of all registries."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, registry: RegistryId, at: int, documents: Sequence[str]) -> None:
        """Append events that are announced when this unit commits."""
        known = {"account": registry.account, "region": registry.region, "at": at}
        if len(documents) == 1:
            await self._session.run(_ADD, document=documents[0], **known)
        elif documents:
            await self._session.run_many(_ADD, [{"document": document, **known} for document in documents])

    async def after(self, number: int, limit: int) -> Sequence[EventRow]:
        """Events of a higher number, in order."""
        return [EventRow(*row) for row in await self._session.rows(_AFTER, after=number, limit=limit)]

    async def newest(self) -> int:
        """The highest number; 0 when there is none."""
        row = await self._session.row(_NEWEST)
        return 0 if row is None or row[0] is None else row[0]

    async def prune(self, before: int, limit: int) -> int:
        """Remove some of those from before a time; how many."""
        return await self._session.run(_PRUNE, before=before, limit=limit)
