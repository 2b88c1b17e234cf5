"""Rows of events: the outbox, written in the unit that makes the change and read in the order of units.

Of a unit nothing is shown before every unit that began to write earlier is over (transactions.py): so a reader who goes
on from the last row that it was given misses none, and is given none twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, delete, literal_column, select, tuple_, update

from portside.core.names import RegistryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare
from portside.storage.metadata.transactions import oldest_open_unit, this_unit

_e = tables.events.c
_ADD = Statement(
    lambda insert: insert(tables.events).values(
        {name: bindparam(name) for name in ("account", "region", "at", "document")} | {"unit": this_unit()}
    )
)
# Plus nothing: the index is to begin at the reader's place, and not to end here.
_SHOWN = _e.unit + literal_column("0", BigInteger) < oldest_open_unit()
_AFTER = prepare(
    select(_e.unit, _e.number, _e.document)
    .where(
        tuple_(_e.unit, _e.number) > tuple_(bindparam("unit", type_=BigInteger), bindparam("number", type_=BigInteger)),
        _SHOWN,
    )
    .order_by(_e.unit, _e.number)
    .limit(bindparam("limit"))
)
_NEWEST = prepare(
    select(_e.unit, _e.number, _e.document)
    .where(_SHOWN, _e.unit >= bindparam("begin"))
    .order_by(_e.unit.desc(), _e.number.desc())
    .limit(bindparam("limit"))
)
# By the index from its end: one row says whether any is of a unit that has not been yet.
_LATEST = prepare(
    select(_e.unit, this_unit()).where(_e.unit >= bindparam("begin")).order_by(_e.unit.desc()).limit(bindparam("limit"))
)
_BEFORE_ALL = prepare(update(tables.events).where(_e.unit > this_unit()).values(unit=0))
_OLD = select(_e.number).where(_e.at < bindparam("before")).order_by(_e.at).limit(bindparam("limit"))
_PRUNE = prepare(delete(tables.events).where(_e.number.in_(_OLD)))


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is kept; events are in the order of (unit, number)."""

    unit: int
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

    async def after(self, unit: int, number: int, limit: int) -> Sequence[EventRow]:
        """Events after a place, in order; (-1, 0) is before the first."""
        return [EventRow(*row) for row in await self._session.rows(_AFTER, unit=unit, number=number, limit=limit)]

    async def newest(self, limit: int) -> Sequence[EventRow]:
        """The last ones, the newest first."""
        return [EventRow(*row) for row in await self._session.rows(_NEWEST, begin=0, limit=limit)]

    async def are_of_here(self) -> bool:
        """Whether all were written in this database; False after it was restored from a dump elsewhere.

        A dump keeps the events and not the count of units, which begins anew: they would stay hidden until it is there
        again, and what is new would come before them.
        """
        row = await self._session.row(_LATEST, begin=0, limit=1)
        return row is None or row[0] <= row[1]

    async def adopt(self) -> None:
        """Put those of elsewhere, in the order of their numbers, before whatever this database's units write."""
        await self._session.run(_BEFORE_ALL)

    async def prune(self, before: int, limit: int) -> int:
        """Remove some of those from before a time; how many."""
        return await self._session.run(_PRUNE, before=before, limit=limit)
