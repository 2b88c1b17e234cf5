"""Rows of blobs, and of the layers that repositories hold of them.

A blob row says where bytes lie; it is shared by all repositories with the same content key. A layer row says that a
repository holds one. Counts move in the unit that changes what they count (design law 7): `holders` with layer rows,
`images` with the references of manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from portside.core.digest import Digest
from portside.core.names import RegistryId, RepositoryId
from portside.core.records import Layer
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, is_among, prepare, rows_among

_b, _l, _f = tables.blobs.c, tables.layers.c, tables.references.c
_m, _r = tables.manifests.c, tables.repositories.c
_THIS_BLOB = and_(_b.content_key == bindparam("content_key_"), _b.digest == bindparam("digest_"))
_THIS_LAYER = and_(_l.repository == bindparam("repository_"), _l.digest == bindparam("digest_"))

# Of the images that refer to a layer, the first that is not archived ends the search.
_IN_USE = exists().where(
    _f.repository == bindparam("repository_"),
    _f.child == bindparam("digest_"),
    _f.is_image.is_(False),
    _m.repository == _f.repository,
    _m.digest == _f.parent,
    _m.status == "ACTIVE",
)
_WITH_BLOBS = tables.layers.join(tables.blobs, and_(_b.content_key == _l.content_key, _b.digest == _l.digest))
_FIND = prepare(
    select(_l.digest, _b.size, _b.location, _l.media_type, _l.images, _IN_USE)
    .select_from(_WITH_BLOBS)
    .where(_THIS_LAYER, _b.damaged.is_(False))
)
_PLACES = prepare(
    select(_l.digest, _b.location, _b.size, _b.damaged)
    .select_from(_WITH_BLOBS)
    .where(_l.repository == bindparam("repository_"), is_among(_l.digest), _b.damaged.is_(False))
)
_HOLDERS = prepare(
    select(_r.account, _r.region, _r.name)
    .select_from(tables.layers.join(tables.repositories, _r.key == _l.repository))
    .where(_l.content_key == bindparam("content_key"), _l.digest == bindparam("digest"))
    .limit(bindparam("limit"))
)
_BLOB = prepare(select(_b.location, _b.size, _b.damaged).where(_THIS_BLOB).with_for_update())
_SOME = prepare(
    select(_b.location, _b.size, _b.damaged)
    .where(_b.content_key > bindparam("after"), _b.damaged.is_(False))
    .order_by(_b.content_key, _b.digest)
    .limit(bindparam("limit"))
)
_ADD_BLOB = Statement(
    lambda insert: (
        insert(tables.blobs)
        .values(
            {
                name: bindparam(name)
                for name in (
                    "content_key",
                    "digest",
                    "location",
                    "size",
                    "holders",
                    "damaged",
                    "created_at",
                    "touched_at",
                )
            }
        )
        .on_conflict_do_nothing()
    )
)
_MOVE_BLOB = prepare(
    update(tables.blobs)
    .where(_THIS_BLOB)
    .values(
        location=bindparam("location"),
        size=bindparam("size"),
        damaged=bindparam("damaged"),
        archived=bindparam("archived"),
        touched_at=bindparam("at"),
    )
)
_DAMAGE = prepare(
    update(tables.blobs).where(_THIS_BLOB, _b.location == bindparam("location_")).values(damaged=bindparam("damaged"))
)
_HOLD = prepare(
    update(tables.blobs).where(_THIS_BLOB).values(holders=_b.holders + bindparam("change"), touched_at=bindparam("at"))
)
# A manifest may stand before its layers where sparse ones are taken, so a new layer counts those that wait for it.
_WAITING = (
    select(func.count())
    .select_from(tables.references)
    .where(_f.repository == bindparam("repository"), _f.child == bindparam("digest"), _f.is_image.is_(False))
    .scalar_subquery()
)
_ADD_LAYER = Statement(
    lambda insert: (
        insert(tables.layers)
        .values(
            {name: bindparam(name) for name in ("repository", "digest", "content_key", "touched_at")}
            | {"images": _WAITING}
        )
        .on_conflict_do_nothing()
    )
)
_UNLINK = prepare(delete(tables.layers).where(_THIS_LAYER, _l.images <= bindparam("images")))
_TOUCH_LAYER = prepare(update(tables.layers).where(_THIS_LAYER).values(touched_at=bindparam("at")))
_REFER = prepare(
    update(tables.layers)
    .where(_THIS_LAYER)
    .values(images=_l.images + bindparam("change"), media_type=bindparam("media_type"), touched_at=bindparam("at"))
)
_RELEASE = prepare(
    update(tables.layers)
    .where(
        _l.repository == bindparam("repository_"),
        _l.digest.in_(
            select(_f.child).where(
                _f.repository == bindparam("repository_"), _f.parent == bindparam("parent"), _f.is_image.is_(False)
            )
        ),
    )
    .values(images=_l.images + bindparam("change"), touched_at=bindparam("at"))
)
_THROUGH = and_(_f.repository == bindparam("repository_"), _f.parent <= bindparam("last"), _f.is_image.is_(False))
_RELEASE_THROUGH = prepare(
    update(tables.layers)
    .where(_l.repository == bindparam("repository_"), _l.digest.in_(select(_f.child).where(_THROUGH)))
    .values(
        images=_l.images - select(func.count()).where(_THROUGH, _f.child == _l.digest).scalar_subquery(),
        touched_at=bindparam("at"),
    )
)
_ZERO: ColumnElement[int] = literal_column("0", Integer)
_UNNEEDED = and_(_l.repository == bindparam("repository_"), _l.images == _ZERO)
_NEXT_UNNEEDED = prepare(select(_l.digest).where(_UNNEEDED).order_by(_l.digest).limit(bindparam("limit")))
_GOING = and_(_UNNEEDED, _l.digest <= bindparam("last"))
_HELD = tuple_(_b.content_key, _b.digest).in_(select(_l.content_key, _l.digest).where(_GOING))
_LOCK_HELD = prepare(select(_b.digest).where(_HELD).order_by(_b.content_key, _b.digest).with_for_update())
_LET_GO = prepare(
    update(tables.blobs).where(_HELD).values(holders=_b.holders + bindparam("change"), touched_at=bindparam("at"))
)
_DELETE_GOING = prepare(delete(tables.layers).where(_GOING))


@dataclass(frozen=True, slots=True)
class BlobRow:
    """Where a blob's bytes lie."""

    location: str
    size: int
    damaged: bool


class Layers:
    """Blobs by content key, layers by repository."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, repository: int, digest: Digest) -> Layer | None:
        """A layer that the repository holds; None too when its bytes are known to be damaged, so that a push heals."""
        row = await self._session.row(_FIND, repository_=repository, digest_=str(digest))
        if row is None:
            return None
        _, size, location, media_type, images, in_use = row
        return Layer(digest, size, location, media_type, referenced=images > 0, archived=images > 0 and not in_use)

    async def places(self, repository: int, digests: Sequence[Digest]) -> dict[Digest, BlobRow]:
        """Where those of these layers lie that the repository holds; one that `find` does not find is left out."""
        rows = await rows_among(self._session, _PLACES, digests, repository_=repository)
        found = {row[0]: BlobRow(row[1], row[2], bool(row[3])) for row in rows}
        return {digest: found[text] for digest in digests if (text := str(digest)) in found}

    async def holders(
        self, registry: RegistryId, content_key: str, digest: Digest, limit: int
    ) -> Sequence[RepositoryId]:
        """Those of a registry among some, at most `limit`, repositories that hold a blob under this key."""
        rows = await self._session.rows(_HOLDERS, content_key=content_key, digest=str(digest), limit=limit)
        # Not in the statement, where the limit would no longer bound how many rows are looked at.
        return [found for row in rows if (found := RepositoryId(*row)).registry == registry]

    async def blob(self, content_key: str, digest: Digest) -> BlobRow | None:
        """A blob's row, which no other unit of writing changes until this one ends."""
        row = await self._session.row(_BLOB, content_key_=content_key, digest_=str(digest))
        return None if row is None else BlobRow(row[0], row[1], bool(row[2]))

    async def some_blobs(self, limit: int) -> list[BlobRow]:
        """Any blobs that are not known to be damaged, at most so many."""
        return [BlobRow(row[0], row[1], bool(row[2])) for row in await self._session.rows(_SOME, after="", limit=limit)]

    async def add_blob(self, content_key: str, digest: Digest, location: str, size: int, at: int) -> bool:
        """Record where published bytes lie; False when the blob has a row."""
        return (
            await self._session.run(
                _ADD_BLOB,
                content_key=content_key,
                digest=str(digest),
                location=location,
                size=size,
                holders=0,
                damaged=False,
                created_at=at,
                touched_at=at,
            )
            == 1
        )

    async def move_blob(self, content_key: str, digest: Digest, location: str, size: int, at: int) -> None:
        """Let a blob's row name other bytes: those that were pushed again over damaged ones."""
        await self._session.run(
            _MOVE_BLOB,
            content_key_=content_key,
            digest_=str(digest),
            location=location,
            size=size,
            damaged=False,
            archived=False,
            at=at,
        )

    async def damage(self, content_key: str, digest: Digest, location: str) -> bool:
        """Record that the bytes at this location are not what they were; False when the row names others by now."""
        return (
            await self._session.run(
                _DAMAGE, content_key_=content_key, digest_=str(digest), location_=location, damaged=True
            )
            == 1
        )

    async def link(self, repository: int, content_key: str, digest: Digest, at: int) -> bool:
        """Let a repository hold a blob; False when it did before."""
        added = (
            await self._session.run(
                _ADD_LAYER, repository=repository, digest=str(digest), content_key=content_key, touched_at=at
            )
            == 1
        )
        if added:
            await self._session.run(_HOLD, content_key_=content_key, digest_=str(digest), change=1, at=at)
        else:
            await self._session.run(_TOUCH_LAYER, repository_=repository, digest_=str(digest), at=at)
        return added

    async def unlink(self, repository: int, content_key: str, digest: Digest, at: int) -> bool:
        """Let a repository hold a layer no more; False when it does not, or when a manifest refers to it."""
        removed = await self._session.run(_UNLINK, repository_=repository, digest_=str(digest), images=0) == 1
        if removed:
            await self._session.run(_HOLD, content_key_=content_key, digest_=str(digest), change=-1, at=at)
        return removed

    async def refer(self, repository: int, digest: Digest, media_type: str, at: int) -> None:
        """Count one more manifest that refers to a layer."""
        await self._session.run(
            _REFER, repository_=repository, digest_=str(digest), media_type=media_type, change=1, at=at
        )

    async def release(self, repository: int, parent: Digest, at: int) -> None:
        """Count one manifest fewer for all the layers that `parent` refers to; before its references are removed."""
        await self._session.run(_RELEASE, repository_=repository, parent=str(parent), change=-1, at=at)

    async def release_through(self, repository: int, last: Digest, at: int) -> None:
        """The same for every manifest up to a digest, in order of digests."""
        await self._session.run(_RELEASE_THROUGH, repository_=repository, last=str(last), at=at)

    async def let_go(self, repository: int, limit: int, at: int) -> int:
        """Let a repository hold fewer of the layers that none of its images refers to; how many fewer."""
        rows = await self._session.rows(_NEXT_UNNEEDED, repository_=repository, limit=limit)
        if rows:
            going = {"repository_": repository, "last": rows[-1][0]}
            # In one order everywhere, so that two units that share blobs wait for each other and not in a circle.
            await self._session.rows(_LOCK_HELD, **going)
            await self._session.run(_LET_GO, **going, change=-1, at=at)
            await self._session.run(_DELETE_GOING, **going)
        return len(rows)
