"""Rows that nothing needs any more: finding them, and removing them unless somebody came to need them.

Every removal says again, in its own WHERE, why the row may go. Rows of uploads and blobs are taken with SKIP LOCKED, so
that a sweep never waits for a request, nor for another sweep, with rows in its hands; layers go under the lock of their
repository, as everything that changes them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, and_, bindparam, delete, func, literal_column, select, update

from portside.core.digest import Digest
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, prepare

_b, _l, _u, _r = tables.blobs.c, tables.layers.c, tables.uploads.c, tables.repositories.c

# A partial index serves only a statement that says its condition in so many words, not by a parameter.
_ZERO: ColumnElement[int] = literal_column("0", Integer)
_SILENT = and_(_u.touched_at < bindparam("before"), _u.held_until <= bindparam("now"))
_UNREFERENCED = and_(_l.images == _ZERO, _l.touched_at < bindparam("before"))
_UNHELD = and_(_b.holders == _ZERO, _b.touched_at < bindparam("before"))
_THIS_LAYER = and_(_l.repository == bindparam("repository_"), _l.digest == bindparam("digest_"))
_THIS_BLOB = and_(_b.content_key == bindparam("content_key_"), _b.digest == bindparam("digest_"))

_SILENT_UPLOADS = prepare(
    select(_u.id, _u.location, _u.received, _u.completed)
    .where(_SILENT)
    .order_by(_u.touched_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_END_UPLOAD = prepare(delete(tables.uploads).where(_u.id == bindparam("id_"), _SILENT))
_COUNT_UPLOADS = prepare(
    select(func.count(), func.coalesce(func.sum(_u.received), 0))
    .select_from(tables.uploads)
    .where(_SILENT, _u.completed.is_(None))
)

_UNREFERENCED_LAYERS = prepare(
    select(_l.repository, _l.content_key, _l.digest)
    .where(_UNREFERENCED)
    .order_by(_l.touched_at)
    .limit(bindparam("limit"))
)
_COUNT_LAYERS = prepare(select(func.count()).select_from(tables.layers).where(_UNREFERENCED))
_LOCK_REPOSITORY = prepare(select(_r.key).where(_r.key == bindparam("key")).with_for_update())
_DROP_LAYER = prepare(delete(tables.layers).where(_THIS_LAYER, _UNREFERENCED))
_LET_GO = prepare(
    update(tables.blobs).where(_THIS_BLOB).values(holders=_b.holders - bindparam("less"), touched_at=bindparam("at"))
)
_AGEING = prepare(select(_l.digest).where(_THIS_LAYER, _UNREFERENCED))
_RENEW = prepare(update(tables.layers).where(_THIS_LAYER, _UNREFERENCED).values(touched_at=bindparam("at")))

_UNHELD_BLOBS = prepare(
    select(_b.content_key, _b.digest, _b.location, _b.size)
    .where(_UNHELD)
    .order_by(_b.touched_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DROP_BLOB = prepare(delete(tables.blobs).where(_THIS_BLOB, _UNHELD))
_COUNT_BLOBS = prepare(
    select(func.count(), func.coalesce(func.sum(_b.size), 0)).select_from(tables.blobs).where(_UNHELD)
)

_NAMED = tuple(
    prepare(select(column).where(column >= bindparam("first"), column <= bindparam("last")))
    for column in (_b.location, _u.location)
)


@dataclass(frozen=True, slots=True)
class EndedUpload:
    """An upload whose row is gone; `location` is None when a blob may be there by now."""

    location: str | None
    received: int


@dataclass(frozen=True, slots=True)
class UnreferencedLayer:
    """A layer that no image of its repository refers to."""

    repository: int
    content_key: str
    digest: str


class Garbage:
    """What a sweep looks for, of all repositories. `before`: only what nobody touched since may go."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def end_uploads(self, before: int, now: int, limit: int) -> Sequence[EndedUpload]:
        """Remove some uploads, completed ones too, that nobody holds."""
        rows = await self._session.rows(_SILENT_UPLOADS, before=before, now=now, limit=limit)
        return [
            EndedUpload(None if completed else location, received)
            for identifier, location, received, completed in rows
            if await self._session.run(_END_UPLOAD, id_=identifier, before=before, now=now)
        ]

    async def count_uploads(self, before: int, now: int) -> tuple[int, int]:
        """How many uploads would end before they were completed, and their bytes."""
        row = await self._session.row(_COUNT_UPLOADS, before=before, now=now)
        return (0, 0) if row is None else (row[0], int(row[1]))

    async def unreferenced(self, before: int, limit: int) -> Sequence[UnreferencedLayer]:
        """Some layers that no image refers to, the oldest first."""
        rows = await self._session.rows(_UNREFERENCED_LAYERS, before=before, limit=limit)
        return [UnreferencedLayer(*row) for row in rows]

    async def count_layers(self, before: int) -> int:
        """How many layers no image refers to."""
        row = await self._session.row(_COUNT_LAYERS, before=before)
        return 0 if row is None else row[0]

    async def drop_layers(self, layers: Sequence[UnreferencedLayer], before: int, at: int) -> int:
        """Let the one repository of these hold them no more, as far as still no image refers to them; how many went."""
        dropped = 0
        await self._session.row(_LOCK_REPOSITORY, key=layers[0].repository)
        # Blobs in one order everywhere, as `Layers.let_go` has it.
        for layer in sorted(layers, key=lambda one: (one.content_key, one.digest)):
            if await self._session.run(_DROP_LAYER, repository_=layer.repository, digest_=layer.digest, before=before):
                await self._session.run(_LET_GO, content_key_=layer.content_key, digest_=layer.digest, less=1, at=at)
                dropped += 1
        return dropped

    async def is_ageing(self, repository: int, digest: Digest, before: int) -> bool:
        """Whether no image refers to a layer that nobody touched since."""
        row = await self._session.row(_AGEING, repository_=repository, digest_=str(digest), before=before)
        return row is not None

    async def renew(self, repository: int, digest: Digest, before: int, at: int) -> None:
        """Let an ageing layer begin its time anew; in a unit that has locked the repository."""
        await self._session.run(_RENEW, repository_=repository, digest_=str(digest), before=before, at=at)

    async def drop_blobs(self, before: int, limit: int) -> Sequence[tuple[str, int]]:
        """Remove the rows of some blobs that no repository holds; their locations and sizes."""
        rows = await self._session.rows(_UNHELD_BLOBS, before=before, limit=limit)
        return [
            (location, size)
            for content_key, digest, location, size in rows
            if await self._session.run(_DROP_BLOB, content_key_=content_key, digest_=digest, before=before)
        ]

    async def count_blobs(self, before: int) -> tuple[int, int]:
        """How many blobs no repository holds, and their bytes."""
        row = await self._session.row(_COUNT_BLOBS, before=before)
        return (0, 0) if row is None else (row[0], int(row[1]))

    async def named(self, first: str, last: str) -> frozenset[str]:
        """The locations between two, these included, that a blob or an upload has."""
        rows = [row for statement in _NAMED for row in await self._session.rows(statement, first=first, last=last)]
        return frozenset(row[0] for row in rows)
