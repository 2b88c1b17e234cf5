"""The version of what says who may do what, which every unit that changes any of it moves.

The epoch moves with every commit, and a registry that is pushed to commits all the time. What rests on authority alone
is remembered for longer: until its version moves. Every change of `tables.OF_AUTHORITY` moves it unless it says that it
changes nobody's rights, in the same unit, as the unit's last statement: on PostgreSQL units wait for each other at that
row, and hold nothing up for long.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import bindparam, select

from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

VERSION = prepare(select(tables.authority.c.version))
"""No row before the first change."""


def _move(insert: Any) -> Any:
    statement = insert(tables.authority).values(id=1, version=bindparam("version"))
    return statement.on_conflict_do_update(index_elements=["id"], set_={"version": statement.excluded.version})


_MOVE = Statement(_move)


async def move(session: Session) -> None:
    """Give it another version: a random one, so that a database that is put back to an earlier day repeats none."""
    await session.run(_MOVE, version=secrets.randbits(62))
