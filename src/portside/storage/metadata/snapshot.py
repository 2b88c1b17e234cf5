"""Everything that a lifecycle policy looks at, by pages in order of digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from portside.core.records import Image
from portside.storage.metadata import tables
from portside.storage.metadata.manifests import COLUMNS, image_of
from portside.storage.metadata.statements import Row, Session, prepare

_m, _t, _f = tables.manifests.c, tables.tags.c, tables.references.c
_PAGE = prepare(
    COLUMNS.where(_m.repository == bindparam("repository"), _m.digest > bindparam("after"))
    .order_by(_m.digest)
    .limit(bindparam("limit"))
)
_TAGS = prepare(
    select(_t.digest, _t.name)
    .where(_t.repository == bindparam("repository"), _t.digest > bindparam("after"), _t.digest <= bindparam("last"))
    .order_by(_t.digest, _t.name)
)
_PARENTS = prepare(
    select(_f.child, _f.parent)
    .where(
        _f.repository == bindparam("repository"),
        _f.child > bindparam("after"),
        _f.child <= bindparam("last"),
        _f.is_image.is_(True),
    )
    .order_by(_f.child)
)

Seen = tuple[Image, Sequence[str], Sequence[str]]
"""An image, its tags, and the digests of the indexes that list it."""


class Snapshots:
    """Images of a repository with their tags, and the indexes that list them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(self, repository: int, after: str, limit: int) -> Sequence[Seen]:
        """Images in order of digest from after one ('' for the first)."""
        rows = await self._session.rows(_PAGE, repository=repository, after=after, limit=limit)
        if not rows:
            return ()
        among = {"repository": repository, "after": after, "last": rows[-1][0]}
        tags = _grouped(await self._session.rows(_TAGS, **among))
        parents = _grouped(await self._session.rows(_PARENTS, **among))
        return [(image_of(row), tags.get(row[0], ()), parents.get(row[0], ())) for row in rows]


def _grouped(rows: Sequence[Row]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for name, member in rows:
        found.setdefault(name, []).append(member)
    return found
