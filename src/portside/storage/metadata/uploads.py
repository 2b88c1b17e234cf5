"""Rows of uploads.

One request at a time writes to an upload. It holds the row until a time that it moves on while it works; `turn` counts
the holds, so that a request whose hold ran out notices at its next step and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update

from portside.core.digest import Digest
from portside.core.records import Upload
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_u = tables.uploads.c
_PROGRESS = ("received", "remainder", "parts", "first_part", "last_part", "undersized")
_NAMES = ("id", "repository", "location", "started_at", "turn", "held_until", "completed", *_PROGRESS)
_THIS = and_(_u.repository == bindparam("repository_"), _u.id == bindparam("id_"))
_MINE = and_(_THIS, _u.turn == bindparam("turn_"), _u.completed.is_(None))

_ADD = Statement(
    lambda insert: insert(tables.uploads).values(
        {name: bindparam(name) for name in (*_NAMES, "held_until", "touched_at")}
    )
)
_FIND = prepare(select(*(_u[name] for name in _NAMES)).where(_THIS))
_HOLD = prepare(
    update(tables.uploads)
    .where(_THIS, _u.held_until <= bindparam("now"), _u.completed.is_(None))
    .values(held_until=bindparam("until"), turn=_u.turn + bindparam("one"), touched_at=bindparam("now"))
)
_MOVE = prepare(
    update(tables.uploads).where(_MINE).values(location=bindparam("location"), remainder=bindparam("remainder"))
)
_EXTEND = prepare(update(tables.uploads).where(_MINE).values(held_until=bindparam("until")))
_RELEASE = prepare(
    update(tables.uploads)
    .where(_MINE)
    .values(
        held_until=bindparam("until"),
        touched_at=bindparam("at"),
        **{name: bindparam(name) for name in _PROGRESS},
    )
)
_COMPLETE = prepare(
    update(tables.uploads)
    .where(_MINE)
    .values(
        completed=bindparam("digest"),
        received=bindparam("received"),
        remainder=bindparam("remainder"),
        held_until=bindparam("until"),
        touched_at=bindparam("at"),
    )
)
_DELETE = prepare(delete(tables.uploads).where(_THIS))
_DELETE_OF = prepare(delete(tables.uploads).where(_u.repository == bindparam("repository_")))
# Locked, so that none is completed or moved between what is told of it and its end.
_LOCATIONS = prepare(
    select(_u.location).where(_u.repository == bindparam("repository_"), _u.completed.is_(None)).with_for_update()
)

_STALE = and_(
    _u.repository == bindparam("repository_"),
    _u.touched_at < bindparam("before"),
    _u.held_until <= bindparam("now"),
)
# One that somebody has just gone on with is locked, and not stale any more; it is not waited for.
_STALE_UPLOADS = prepare(select(_u.id, _u.location, _u.completed).where(_STALE).with_for_update(skip_locked=True))


class Uploads:
    """Uploads into a repository, which is named by its row's key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, upload: Upload) -> None:
        """Begin an upload."""
        await self._session.run(
            _ADD,
            id=upload.id,
            repository=upload.repository_key,
            location=upload.location,
            started_at=upload.started_at,
            turn=upload.turn,
            completed=None,
            held_until=0,
            touched_at=upload.started_at,
            **_progress(upload),
        )

    async def find(self, repository: int, upload: str) -> Upload | None:
        """An upload in progress, or completed."""
        row = await self._session.row(_FIND, repository_=repository, id_=upload)
        if row is None:
            return None
        found: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
        key, completed = found.pop("repository"), found.pop("completed")
        found["undersized"] = bool(found["undersized"])
        return Upload(
            **found,
            repository_key=key,
            completed=Digest.parse(completed) if completed else None,
        )

    async def hold(self, repository: int, upload: str, now: int, until: int) -> bool:
        """Be the one that writes; False while another is, or when the upload is completed or gone."""
        return await self._session.run(_HOLD, repository_=repository, id_=upload, now=now, until=until, one=1) == 1

    async def move(self, held: Upload) -> bool:
        """Record another place of what was received; False when the hold was lost."""
        return (
            await self._session.run(
                _MOVE,
                repository_=held.repository_key,
                id_=held.id,
                turn_=held.turn,
                location=held.location,
                remainder=held.remainder,
            )
            == 1
        )

    async def extend(self, held: Upload, until: int) -> bool:
        """Stay the one that writes; False when the hold was lost."""
        return (
            await self._session.run(_EXTEND, repository_=held.repository_key, id_=held.id, turn_=held.turn, until=until)
            == 1
        )

    async def release(self, held: Upload, at: int) -> bool:
        """Record what was received and let go; False when the hold was lost."""
        return (
            await self._session.run(
                _RELEASE,
                repository_=held.repository_key,
                id_=held.id,
                turn_=held.turn,
                until=0,
                at=at,
                **_progress(held),
            )
            == 1
        )

    async def complete(self, held: Upload, digest: Digest, at: int) -> bool:
        """Record what the upload became, so that completing it again is answered alike; False: the hold was lost."""
        return (
            await self._session.run(
                _COMPLETE,
                repository_=held.repository_key,
                id_=held.id,
                turn_=held.turn,
                digest=str(digest),
                received=held.received,
                remainder=b"",
                until=0,
                at=at,
            )
            == 1
        )

    async def delete(self, repository: int, upload: str) -> bool:
        """Remove an upload; False when there is none."""
        return await self._session.run(_DELETE, repository_=repository, id_=upload) == 1

    async def delete_stale(self, repository: int, before: int, now: int) -> Sequence[str]:
        """Remove uploads, completed ones too, that nothing happened to since `before` and nobody holds.

        Gives the locations that are staged and now belong to nobody.
        """
        rows = await self._session.rows(_STALE_UPLOADS, repository_=repository, before=before, now=now)
        if rows:
            await self._session.run_many(_DELETE, [{"repository_": repository, "id_": row[0]} for row in rows])
        return [location for _, location, completed in rows if completed is None]

    async def delete_of(self, repository: int) -> Sequence[str]:
        """Remove all uploads of a repository; gives the locations that are staged and now belong to nobody."""
        rows = await self._session.rows(_LOCATIONS, repository_=repository)
        await self._session.run(_DELETE_OF, repository_=repository)
        return [row[0] for row in rows]


def _progress(upload: Upload) -> dict[str, Any]:
    return {name: getattr(upload, name) for name in _PROGRESS}
