"""Rows of leases: who does a piece of work that one node at a time does, and when it is due again."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select, update

from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_s = tables.leases.c
_TAKE = Statement(
    lambda insert: (
        insert(tables.leases)
        .values({name: bindparam(name) for name in ("name", "holder", "until")})
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": bindparam("holder"), "until": bindparam("until")},
            where=or_(_s.until <= bindparam("now"), _s.until > bindparam("latest")),
        )
    )
)
_EXTEND = prepare(
    update(tables.leases)
    .where(_s.name == bindparam("name_"), _s.holder == bindparam("holder_"))
    .values(until=bindparam("until"))
)
_UNTIL = prepare(select(_s.until).where(_s.name == bindparam("name")))
_NEVER = 2**63 - 1


class Leases:
    """Leases of the whole deployment, by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, name: str, holder: str, now: int, until: int, latest: int = _NEVER) -> bool:
        """Be the one that holds a lease; False while another's, or one's own, has not run out.

        One that lasts beyond `latest` is nobody's by today's settings, and is taken too.
        """
        return await self._session.run(_TAKE, name=name, holder=holder, now=now, until=until, latest=latest) == 1

    async def extend(self, name: str, holder: str, until: int) -> bool:
        """Hold it until another time; False when somebody else took it."""
        return await self._session.run(_EXTEND, name_=name, holder_=holder, until=until) == 1

    async def until(self, name: str) -> int:
        """When it runs out, or did; 0 when nobody has held it yet."""
        row = await self._session.row(_UNTIL, name=name)
        return 0 if row is None else row[0]
