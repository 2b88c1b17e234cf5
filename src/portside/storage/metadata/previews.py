"""Rows of lifecycle policy previews: one a repository, until the next takes its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, tuple_, update

from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_v, _o = tables.lifecycle_previews.c, tables.lifecycle_preview_results.c
_ONE = _v.repository == bindparam("the_repository")
_FIELDS = ("repository", "id", "policy", "status", "started_at", "alive_at", "expiring", "transitioning")


def _start(insert: Any) -> Any:
    statement = insert(tables.lifecycle_previews).values({name: bindparam(name) for name in _FIELDS})
    return statement.on_conflict_do_update(
        index_elements=[_v.repository], set_={name: statement.excluded[name] for name in _FIELDS[1:]}
    )


_START = Statement(_start)
_FIND = prepare(select(*(_v[name] for name in _FIELDS[1:])).where(_ONE))
_END = prepare(
    update(tables.lifecycle_previews)
    .where(_ONE, _v.id == bindparam("the_id"))
    .values(
        status=bindparam("the_status"),
        expiring=bindparam("expiring_count"),
        transitioning=bindparam("transitioning_count"),
    )
)
_ALIVE = prepare(
    update(tables.lifecycle_previews).where(_ONE, _v.id == bindparam("the_id")).values(alive_at=bindparam("at"))
)
_OF = _o.repository == bindparam("repository")
_OLDER = select(_o.preview, _o.number).where(_OF, _o.preview != bindparam("latest")).limit(bindparam("limit"))
_FORGET = prepare(delete(tables.lifecycle_preview_results).where(_OF, tuple_(_o.preview, _o.number).in_(_OLDER)))
_ADD = Statement(
    lambda insert: insert(tables.lifecycle_preview_results).values(
        {name: bindparam(name) for name in ("repository", "preview", "number", "digest", "result")}
    )
)
_FOUND = and_(_OF, _o.preview == bindparam("preview"))
_PAGE = prepare(
    select(_o.number, _o.result)
    .where(_FOUND, _o.number > bindparam("after"))
    .order_by(_o.number)
    .limit(bindparam("limit"))
)
_RESULT = prepare(select(_o.result).where(_FOUND, _o.digest == bindparam("digest")))


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A preview as it is kept."""

    id: str
    policy: str
    status: str
    """IN_PROGRESS, COMPLETE or FAILED."""
    started_at: int
    alive_at: int
    """When whoever makes it last said that it is at work."""
    expiring: int = 0
    """Images that the policy would expire."""
    transitioning: int = 0
    """Images that it would archive."""


class Previews:
    """Previews, by the key of their repository's row."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def start(self, repository: int, preview: PreviewRow) -> None:
        """Begin a preview in place of the one before, whose results are left for `forget`."""
        await self._session.run(
            _START,
            repository=repository,
            id=preview.id,
            policy=preview.policy,
            status=preview.status,
            started_at=preview.started_at,
            alive_at=preview.alive_at,
            expiring=preview.expiring,
            transitioning=preview.transitioning,
        )

    async def find(self, repository: int) -> PreviewRow | None:
        """A repository's preview."""
        row = await self._session.row(_FIND, the_repository=repository)
        return None if row is None else PreviewRow(*row)

    async def end(self, repository: int, identifier: str, status: str, expiring: int, transitioning: int) -> bool:
        """Let a preview be COMPLETE or FAILED; False when another has taken its place."""
        ended = await self._session.run(
            _END,
            the_repository=repository,
            the_id=identifier,
            the_status=status,
            expiring_count=expiring,
            transitioning_count=transitioning,
        )
        return ended == 1

    async def alive(self, repository: int, identifier: str, at: int) -> None:
        """Say that a preview is being worked at."""
        await self._session.run(_ALIVE, the_repository=repository, the_id=identifier, at=at)

    async def forget(self, repository: int, latest: str, limit: int) -> int:
        """Remove some results of previews before the latest; how many."""
        return await self._session.run(_FORGET, repository=repository, latest=latest, limit=limit)

    async def add_results(self, repository: int, preview: str, first: int, results: Sequence[tuple[str, str]]) -> None:
        """Add (digest, JSON) of images in the order of results, the first of which has this number."""
        known = {"repository": repository, "preview": preview}
        await self._session.run_many(
            _ADD,
            [
                {**known, "number": number, "digest": digest, "result": result}
                for number, (digest, result) in enumerate(results, first)
            ],
        )

    async def results(self, repository: int, preview: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """(number, JSON) of images, from after a number (-1 for the first)."""
        rows = await self._session.rows(_PAGE, repository=repository, preview=preview, after=after, limit=limit)
        return [(row[0], row[1]) for row in rows]

    async def result(self, repository: int, preview: str, digest: str) -> str | None:
        """The JSON of one image; None when the policy would leave it alone."""
        row = await self._session.row(_RESULT, repository=repository, preview=preview, digest=digest)
        return None if row is None else row[0]
