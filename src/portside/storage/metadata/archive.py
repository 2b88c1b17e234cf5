"""What the archive needs to know of images and blobs (ecr-behaviour 10.3).

A blob goes to the archive location with the last of its images: of all repositories that hold it, every one refers to
it by archived images alone. It comes back for any image that is not archived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    String,
    and_,
    bindparam,
    exists,
    literal_column,
    select,
    tuple_,
    update,
)

from portside.core.digest import Digest
from portside.core.names import RepositoryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, prepare

_m, _f, _l, _b, _r = (
    tables.manifests.c,
    tables.references.c,
    tables.layers.c,
    tables.blobs.c,
    tables.repositories.c,
)

# A partial index serves only a statement that says its condition in so many words, not by a parameter.
_IS_ARCHIVED: ColumnElement[bool] = _m.status == literal_column("'ARCHIVED'", String)
_IS_ACTIVATING: ColumnElement[bool] = _m.status == literal_column("'ACTIVATING'", String)
_LIES_AWAY: ColumnElement[bool] = literal_column("blobs.archived", Boolean)
_THIS_BLOB = and_(_b.content_key == bindparam("content_key_"), _b.digest == bindparam("digest_"))

_LISTED = prepare(
    select(_f.parent)
    .select_from(tables.references.join(tables.manifests, and_(_m.repository == _f.repository, _m.digest == _f.parent)))
    .where(
        _f.repository == bindparam("repository"),
        _f.child == bindparam("child"),
        _f.is_image.is_(True),
        _m.status != bindparam("archived"),
    )
    .order_by(_f.parent)
    .limit(bindparam("limit"))
)

_BLOBS_OF = (
    select(_b.content_key, _b.digest, _b.location, _b.size)
    .select_from(
        tables.references.join(tables.layers, and_(_l.repository == _f.repository, _l.digest == _f.child)).join(
            tables.blobs, and_(_b.content_key == _l.content_key, _b.digest == _l.digest)
        )
    )
    .where(
        _f.repository == bindparam("repository"),
        _f.parent == bindparam("parent"),
        _f.is_image.is_(False),
        _b.damaged.is_(False),
    )
    .order_by(_f.child)
)
_AWAY = prepare(_BLOBS_OF.where(_b.archived.is_(True)).limit(bindparam("limit")))

_holding, _referring, _image = tables.layers.alias(), tables.references.alias(), tables.manifests.alias()
_OF_THE_BLOB = and_(_holding.c.content_key == _b.content_key, _holding.c.digest == _b.digest)
# Of those that refer to the blob, in whichever repository, the first image that is not archived ends the search.
_WANTED = exists().where(
    _OF_THE_BLOB,
    _referring.c.repository == _holding.c.repository,
    _referring.c.child == _holding.c.digest,
    _referring.c.is_image.is_(False),
    _image.c.repository == _referring.c.repository,
    _image.c.digest == _referring.c.parent,
    _image.c.status != literal_column("'ARCHIVED'", String),
)
# A layer that waits for its manifest: the push goes on, or the sweep lets it go.
_AWAITED = exists().where(_OF_THE_BLOB, _holding.c.images == literal_column("0", BigInteger))
_MAY_GO = and_(_b.archived.is_(False), _b.damaged.is_(False), ~_WANTED, ~_AWAITED)

_GOING = prepare(_BLOBS_OF.where(_MAY_GO).limit(bindparam("limit")))
_COMING = prepare(
    select(_b.content_key, _b.digest, _b.location, _b.size, _WANTED)
    .where(
        _LIES_AWAY,
        tuple_(_b.content_key, _b.digest)
        > tuple_(bindparam("content_key", type_=String), bindparam("digest", type_=String)),
    )
    .order_by(_b.content_key, _b.digest)
    .limit(bindparam("limit"))
)
_LOCK = prepare(select(_b.location, _b.archived).where(_THIS_BLOB).with_for_update())
_STILL_GOING = prepare(select(_b.digest).where(_THIS_BLOB, _b.location == bindparam("location_"), _MAY_GO))
_SET_AWAY = prepare(
    update(tables.blobs).where(_THIS_BLOB, _b.location == bindparam("location_")).values(archived=bindparam("away"))
)
_ARCHIVED_IMAGES = prepare(
    select(_m.archived_at, _m.repository, _m.digest)
    .where(
        _IS_ARCHIVED,
        tuple_(_m.archived_at, _m.repository, _m.digest)
        > tuple_(
            bindparam("archived_at", type_=BigInteger),
            bindparam("repository", type_=BigInteger),
            bindparam("digest", type_=String),
        ),
    )
    .order_by(_m.archived_at, _m.repository, _m.digest)
    .limit(bindparam("limit"))
)
_ACTIVATING_IMAGES = prepare(
    select(_m.repository, _m.digest, _r.account, _r.region, _r.name)
    .select_from(tables.manifests.join(tables.repositories, _r.key == _m.repository))
    .where(
        _r.former.is_(None),
        _IS_ACTIVATING,
        tuple_(_m.repository, _m.digest)
        > tuple_(bindparam("repository", type_=BigInteger), bindparam("digest", type_=String)),
    )
    .order_by(_m.repository, _m.digest)
    .limit(bindparam("limit"))
)
_ANY_AWAY = prepare(
    select(_b.location).where(_LIES_AWAY, _b.content_key > bindparam("after")).limit(bindparam("limit"))
)
_LYING = prepare(
    select(_b.content_key, _b.digest, _b.location, _b.size, _b.archived).where(_b.location == bindparam("location"))
)


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """Where an archived image stands in their order, and its row."""

    archived_at: int
    repository: int
    digest: str


@dataclass(frozen=True, slots=True)
class ActivatingImage:
    """An image on its way back."""

    key: int
    repository: RepositoryId
    digest: Digest


@dataclass(frozen=True, slots=True)
class MovableBlob:
    """A blob's row, as far as moving its bytes goes."""

    content_key: str
    digest: str
    location: str
    size: int


class Archive:
    """Images on their way to and from the archive, and where their bytes lie."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def listing_index(self, repository: int, child: Digest) -> Digest | None:
        """An index that lists an image and is not archived itself."""
        row = await self._session.row(_LISTED, repository=repository, child=str(child), archived="ARCHIVED", limit=1)
        return None if row is None else Digest.parse(row[0])

    async def away(self, repository: int, image: Digest, limit: int) -> Sequence[MovableBlob]:
        """Some of an image's blobs whose bytes lie at the archive location."""
        rows = await self._session.rows(_AWAY, repository=repository, parent=str(image), limit=limit)
        return [MovableBlob(*row) for row in rows]

    async def images(self, after: ArchivedImage, limit: int) -> Sequence[ArchivedImage]:
        """Archived images in the order in which they became so, from after one."""
        rows = await self._session.rows(
            _ARCHIVED_IMAGES,
            archived_at=after.archived_at,
            repository=after.repository,
            digest=after.digest,
            limit=limit,
        )
        return [ArchivedImage(*row) for row in rows]

    async def going(self, image: ArchivedImage, limit: int) -> Sequence[MovableBlob]:
        """Some of an archived image's blobs that lie in the main place, and that nothing else needs there."""
        rows = await self._session.rows(_GOING, repository=image.repository, parent=image.digest, limit=limit)
        return [MovableBlob(*row) for row in rows]

    async def activating(self, after: tuple[int, str], limit: int) -> Sequence[ActivatingImage]:
        """Images on their way back, in order of (repository's key, digest) from after such a pair."""
        rows = await self._session.rows(_ACTIVATING_IMAGES, repository=after[0], digest=after[1], limit=limit)
        return [ActivatingImage(row[0], RepositoryId(row[2], row[3], row[4]), Digest.parse(row[1])) for row in rows]

    async def coming(self, after: tuple[str, str], limit: int) -> Sequence[tuple[MovableBlob, bool]]:
        """Blobs at the archive location, by (content key, digest) from after such a pair; whether each is wanted."""
        rows = await self._session.rows(_COMING, content_key=after[0], digest=after[1], limit=limit)
        return [(MovableBlob(*row[:4]), bool(row[4])) for row in rows]

    async def lock(self, blob: MovableBlob) -> bool | None:
        """Whether the bytes lie at the archive location, which stays so until the unit ends; None for other bytes."""
        row = await self._session.row(_LOCK, content_key_=blob.content_key, digest_=blob.digest)
        return bool(row[1]) if row is not None and row[0] == blob.location else None

    async def may_go(self, blob: MovableBlob) -> bool:
        """Whether still nothing needs the bytes in the main place."""
        return await self._session.row(_STILL_GOING, **_named(blob)) is not None

    async def set_away(self, blob: MovableBlob, *, away: bool) -> None:
        """Record that the bytes lie at the archive location, or in the main place."""
        await self._session.run(_SET_AWAY, away=away, **_named(blob))

    async def at(self, location: str) -> tuple[MovableBlob, bool] | None:
        """The blob whose bytes have this location, and whether they lie at the archive's."""
        row = await self._session.row(_LYING, location=location)
        return None if row is None else (MovableBlob(*row[:4]), bool(row[4]))

    async def is_used(self) -> bool:
        """Whether bytes of any blob lie at the archive location."""
        return await self._session.row(_ANY_AWAY, after="", limit=1) is not None


def _named(blob: MovableBlob) -> dict[str, Any]:
    return {"content_key_": blob.content_key, "digest_": blob.digest, "location_": blob.location}
