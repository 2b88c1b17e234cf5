"""Rows of tags.

Whether an image has a tag is kept with the image too, in the unit that gives or takes one (ARCHITECTURE.md, law 7), so
that a page of untagged images costs the same however many have tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, select, update

from portside.core.digest import Digest
from portside.core.names import Tag
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_t, _f, _m = tables.tags.c, tables.references.c, tables.manifests.c
_IN = _t.repository == bindparam("repository")

_FIND = prepare(select(_t.digest).where(_IN, _t.name == bindparam("name")))
_OF = prepare(select(_t.name).where(_IN, _t.digest == bindparam("digest")).order_by(_t.name))
# The indexes that list an image, those that list them, and so on; each once.
_LISTING = (
    select(_f.parent)
    .where(_f.repository == bindparam("repository"), _f.child == bindparam("digest"), _f.is_image.is_(True))
    .cte("above", recursive=True)
)
_ABOVE = _LISTING.union(
    select(_f.parent)
    .select_from(tables.references.join(_LISTING, _f.child == _LISTING.c.parent))
    .where(_f.repository == bindparam("repository"), _f.is_image.is_(True))
)
# Without an order, for which SQLite would go through all tags of the repository.
_OF_INDEXES = prepare(select(_t.name).select_from(_ABOVE.join(tables.tags, _t.digest == _ABOVE.c.parent)).where(_IN))
_NUMBERED = prepare(
    select(_t.name)
    .where(_IN, _t.digest == bindparam("digest"))
    .order_by(_t.name)
    .limit(bindparam("one"))
    .offset(bindparam("before"))
)
_PAGE = prepare(
    select(_t.name, _m.status)
    .select_from(tables.tags.join(tables.manifests, and_(_m.repository == _t.repository, _m.digest == _t.digest)))
    .where(_IN, _t.name > bindparam("after"))
    .order_by(_t.name)
    .limit(bindparam("limit"))
)


def _put(insert: Any) -> Any:
    statement = insert(tables.tags).values(
        {name: bindparam(name) for name in ("repository", "name", "digest", "tagged_at")}
    )
    return statement.on_conflict_do_update(
        index_elements=[_t.repository, _t.name],
        set_={"digest": statement.excluded.digest, "tagged_at": statement.excluded.tagged_at},
    )


_PUT = Statement(_put)
_IMAGE = and_(_m.repository == bindparam("repository"), _m.digest == bindparam("digest_"))
_HAS_ONE = exists().where(_IN, _t.digest == bindparam("digest_"))
_TAGGED = prepare(update(tables.manifests).where(_IMAGE, _m.untagged.is_(True)).values(untagged=False))
_UNTAGGED = prepare(update(tables.manifests).where(_IMAGE, ~_HAS_ONE).values(untagged=True))
_DELETE = prepare(delete(tables.tags).where(_IN, _t.name == bindparam("name")))
_DELETE_OF = prepare(delete(tables.tags).where(_IN, _t.digest == bindparam("digest")))
_DELETE_THROUGH = prepare(delete(tables.tags).where(_IN, _t.digest <= bindparam("last")))


class Tags:
    """Tags of a repository, which is named by its row's key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, repository: int, tag: str) -> Digest | None:
        """What the tag points at."""
        row = await self._session.row(_FIND, repository=repository, name=tag)
        return None if row is None else Digest.parse(row[0])

    async def of(self, repository: int, digest: Digest) -> Sequence[Tag]:
        """All tags of an image, in order."""
        rows = await self._session.rows(_OF, repository=repository, digest=str(digest))
        return tuple(Tag(row[0]) for row in rows)

    async def of_indexes(self, repository: int, digest: Digest) -> Sequence[Tag]:
        """All tags of the indexes that list an image, of those that list them, and so on; in order."""
        rows = await self._session.rows(_OF_INDEXES, repository=repository, digest=str(digest))
        return tuple(Tag(name) for name in sorted(row[0] for row in rows))

    async def reach(self, repository: int, digest: Digest, number: int) -> bool:
        """Whether an image has as many tags; those above the number cost nothing."""
        row = await self._session.row(_NUMBERED, repository=repository, digest=str(digest), one=1, before=number - 1)
        return row is not None

    async def page(self, repository: int, after: str, limit: int) -> Sequence[tuple[Tag, str]]:
        """Tags with the status of their images, in lexical order, from after one ('' for the first page)."""
        rows = await self._session.rows(_PAGE, repository=repository, after=after, limit=limit)
        return [(Tag(name), status) for name, status in rows]

    async def put(self, repository: int, tag: str, digest: Digest, at: int) -> None:
        """Point a tag at an image, wherever it pointed before."""
        before = await self.find(repository, tag)
        await self._session.run(_PUT, repository=repository, name=tag, digest=str(digest), tagged_at=at)
        await self._session.run(_TAGGED, repository=repository, digest_=str(digest))
        if before not in {None, digest}:
            await self._session.run(_UNTAGGED, repository=repository, digest_=str(before))

    async def delete(self, repository: int, tag: str) -> bool:
        """Remove a tag; False when there is none."""
        before = await self.find(repository, tag)
        if before is None:
            return False
        await self._session.run(_DELETE, repository=repository, name=tag)
        await self._session.run(_UNTAGGED, repository=repository, digest_=str(before))
        return True

    async def delete_of(self, repository: int, digest: Digest) -> None:
        """Remove all tags of an image, which is removed itself next."""
        await self._session.run(_DELETE_OF, repository=repository, digest=str(digest))

    async def delete_through(self, repository: int, last: Digest) -> None:
        """The same for every image up to a digest, in order of digests."""
        await self._session.run(_DELETE_THROUGH, repository=repository, last=str(last))
