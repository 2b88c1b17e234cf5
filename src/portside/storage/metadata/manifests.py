"""Rows of manifests (images), and what they refer to.

A repository's count of images moves here, in the unit that adds or removes one (ARCHITECTURE.md, law 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, String, and_, bindparam, delete, exists, func, or_, select, tuple_, update

from portside.core.digest import Digest
from portside.core.names import Tag
from portside.core.records import Image
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Row, Session, Statement, is_among, prepare, rows_among

_m, _t, _f = tables.manifests.c, tables.tags.c, tables.references.c
_IN = _m.repository == bindparam("repository")
_FIELDS = (
    "media_type",
    "artifact_type",
    "subject",
    "size",
    "content_size",
    "pushed_at",
    "last_pull_at",
    "status",
    "archived_at",
    "activated_at",
    "bereft",
)
COLUMNS = select(_m.digest, *(_m[name] for name in _FIELDS))

# One that takes the place of another, with the same digest, finds the other's tags.
_HAS_NO_TAG = ~exists().where(_t.repository == bindparam("repository"), _t.digest == bindparam("digest"))
_ADD = Statement(
    lambda insert: (
        insert(tables.manifests)
        .values(
            {name: bindparam(name) for name in ("repository", "digest", "content", *_FIELDS)}
            | {"untagged": _HAS_NO_TAG}
        )
        .on_conflict_do_nothing()
    )
)
_FIND = prepare(COLUMNS.where(_IN, _m.digest == bindparam("digest")))
_SIZES = prepare(select(_m.digest, _m.content_size).where(_IN, is_among(_m.digest)))
_CONTENT = prepare(select(_m.media_type, _m.content).where(_IN, _m.digest == bindparam("digest")))
_NAMES_ONE = (_IN, _m.digest == bindparam("digest_"))
_PULLED = prepare(update(tables.manifests).where(*_NAMES_ONE).values(last_pull_at=bindparam("at")))
_SET_STATUS = {
    "ACTIVE": prepare(
        update(tables.manifests).where(*_NAMES_ONE).values(status="ACTIVE", activated_at=bindparam("at"))
    ),
    "ACTIVATING": prepare(update(tables.manifests).where(*_NAMES_ONE).values(status="ACTIVATING")),
    "ARCHIVED": prepare(
        update(tables.manifests).where(*_NAMES_ONE).values(status="ARCHIVED", archived_at=bindparam("at"))
    ),
}
_BEREAVE = prepare(update(tables.manifests).where(_IN, _m.subject == bindparam("subject_")).values(bereft=True))
_DELETE = prepare(delete(tables.manifests).where(_IN, _m.digest == bindparam("digest")))
_DELETE_THROUGH = prepare(delete(tables.manifests).where(_IN, _m.digest <= bindparam("last")))
_COUNT = prepare(
    update(tables.repositories)
    .where(tables.repositories.c.key == bindparam("repository"))
    .values(images=tables.repositories.c.images + bindparam("change")),
    of_authority=False,
)

_AFTER = tuple_(bindparam("pushed_at", type_=BigInteger), bindparam("digest", type_=String))
_OF_STATUS = _m.status == bindparam("status")
_ANY = "ANY"
"""Of any status, or with tags and without."""
_TAGGED, _UNTAGGED = _m.untagged.is_(False), _m.untagged.is_(True)


def _page(*conditions: Any) -> Statement:
    return prepare(
        COLUMNS.where(_IN, tuple_(_m.pushed_at, _m.digest) > _AFTER, *conditions)
        .order_by(_m.pushed_at, _m.digest)
        .limit(bindparam("limit"))
    )


# An index serves a statement that asks for one status, another serves one that asks for none; with tags and without.
_PAGES = {_ANY: _page(), "TAGGED": _page(_TAGGED), "UNTAGGED": _page(_UNTAGGED)}
_PAGES_OF_STATUS = {
    _ANY: _page(_OF_STATUS),
    "TAGGED": _page(_OF_STATUS, _TAGGED),
    "UNTAGGED": _page(_OF_STATUS, _UNTAGGED),
}

_OF_SUBJECT = (
    COLUMNS.where(
        _IN,
        _m.subject == bindparam("subject"),
        _m.digest > bindparam("after"),
        or_(_OF_STATUS, bindparam("status", type_=String) == _ANY),
    )
    .order_by(_m.digest)
    .limit(bindparam("limit"))
)
_REFERRERS = {
    "ANY": prepare(_OF_SUBJECT),
    "TYPED": prepare(_OF_SUBJECT.where(_m.artifact_type == bindparam("artifact_type"))),
}

_JOINED = tables.manifests.outerjoin(tables.tags, and_(_t.repository == _m.repository, _t.digest == _m.digest))
_TAG = func.coalesce(_t.name, "", type_=String)


def _identifiers(*conditions: Any) -> Statement:
    return prepare(
        select(_m.digest, _t.name, _m.pushed_at)
        .select_from(_JOINED)
        .where(
            _IN,
            # Both say where the page begins; the first alone can use the index.
            tuple_(_m.pushed_at, _m.digest) >= _AFTER,
            tuple_(_m.pushed_at, _m.digest, _TAG)
            > tuple_(
                bindparam("pushed_at", type_=BigInteger),
                bindparam("digest", type_=String),
                bindparam("tag", type_=String),
            ),
            *conditions,
        )
        .order_by(_m.pushed_at, _m.digest, _TAG)
        .limit(bindparam("limit"))
    )


_IDENTIFIERS = {_ANY: _identifiers(), "TAGGED": _identifiers(_TAGGED), "UNTAGGED": _identifiers(_UNTAGGED)}
_IDENTIFIERS_OF_STATUS = {
    _ANY: _identifiers(_OF_STATUS),
    "TAGGED": _identifiers(_OF_STATUS, _TAGGED),
    "UNTAGGED": _identifiers(_OF_STATUS, _UNTAGGED),
}

_ADD_REFERENCE = Statement(
    lambda insert: (
        insert(tables.references)
        .values({name: bindparam(name) for name in ("repository", "parent", "child", "is_image")})
        .on_conflict_do_nothing()
    )
)
_DELETE_REFERENCES = prepare(
    delete(tables.references).where(_f.repository == bindparam("repository"), _f.parent == bindparam("parent"))
)
_DELETE_REFERENCES_THROUGH = prepare(
    delete(tables.references).where(_f.repository == bindparam("repository"), _f.parent <= bindparam("last"))
)
_PARENTS = prepare(
    select(_f.parent)
    .where(_f.repository == bindparam("repository"), _f.child == bindparam("child"), _f.is_image.is_(True))
    .order_by(_f.parent)
    .limit(bindparam("limit"))
)
_CHILDREN = prepare(
    select(_f.child)
    .where(_f.repository == bindparam("repository"), _f.parent == bindparam("parent"), _f.is_image.is_(True))
    .order_by(_f.child)
)


class Manifests:
    """Manifests of a repository, which is named by its row's key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, repository: int, image: Image, content: bytes) -> bool:
        """Add a manifest whose sealed form is `content`; False when the repository has it."""
        added = (
            await self._session.run(
                _ADD,
                repository=repository,
                digest=str(image.digest),
                content=content,
                media_type=image.media_type,
                artifact_type=image.artifact_type,
                subject=str(image.subject) if image.subject else None,
                size=image.size,
                content_size=image.content_size,
                pushed_at=image.pushed_at,
                last_pull_at=image.last_pull_at,
                status=image.status,
                archived_at=image.archived_at,
                activated_at=image.activated_at,
                bereft=image.bereft,
            )
            == 1
        )
        if added:
            await self._session.run(_COUNT, repository=repository, change=1)
        return added

    async def find(self, repository: int, digest: Digest) -> Image | None:
        """A manifest by its digest, without its tags."""
        row = await self._session.row(_FIND, repository=repository, digest=str(digest))
        return None if row is None else image_of(row)

    async def sizes(self, repository: int, digests: Sequence[Digest]) -> dict[Digest, int]:
        """The content sizes of those of these manifests that the repository has."""
        found = {row[0]: row[1] for row in await rows_among(self._session, _SIZES, digests, repository=repository)}
        return {digest: found[text] for digest in digests if (text := str(digest)) in found}

    async def content(self, repository: int, digest: Digest) -> tuple[str, bytes] | None:
        """A manifest's media type and sealed bytes."""
        row = await self._session.row(_CONTENT, repository=repository, digest=str(digest))
        return None if row is None else (row[0], row[1])

    async def page(
        self, repository: int, tagged: str, after: tuple[int, str], limit: int, *, status: str = "ANY"
    ) -> Sequence[Image]:
        """Manifests in order of (push time, digest) from after such a pair.

        `tagged` is ANY, TAGGED or UNTAGGED; `status` is an image's or ANY.
        """
        statements, asked = (_PAGES, {}) if status == _ANY else (_PAGES_OF_STATUS, {"status": status})
        rows = await self._session.rows(
            statements[tagged], repository=repository, pushed_at=after[0], digest=after[1], limit=limit, **asked
        )
        return [image_of(row) for row in rows]

    async def identifiers(
        self, repository: int, tagged: str, after: tuple[int, str, str], limit: int, *, status: str = "ANY"
    ) -> Sequence[tuple[Digest, Tag | None, int]]:
        """(digest, tag, push time) once for each tag, and once without a tag for an untagged manifest."""
        statements, asked = (_IDENTIFIERS, {}) if status == _ANY else (_IDENTIFIERS_OF_STATUS, {"status": status})
        rows = await self._session.rows(
            statements[tagged],
            repository=repository,
            pushed_at=after[0],
            digest=after[1],
            tag=after[2],
            limit=limit,
            **asked,
        )
        return [(Digest.parse(digest), Tag(tag) if tag else None, pushed_at) for digest, tag, pushed_at in rows]

    async def referrers(
        self,
        repository: int,
        subject: Digest,
        artifact_type: str | None,
        after: str,
        limit: int,
        *,
        status: str = "ACTIVE",
    ) -> Sequence[Image]:
        """Manifests with this subject, of one type or of any, by digest from after one ('' for the first).

        `status` is an image's or ANY.
        """
        known: dict[str, Any] = {"repository": repository, "subject": str(subject), "after": after, "limit": limit}
        known["status"] = status
        if artifact_type is not None:
            known["artifact_type"] = artifact_type
        statement = _REFERRERS["ANY" if artifact_type is None else "TYPED"]
        return [image_of(row) for row in await self._session.rows(statement, **known)]

    async def pulled(self, repository: int, digest: Digest, at: int) -> None:
        """Record the time of a pull."""
        await self._session.run(_PULLED, repository=repository, digest_=str(digest), at=at)

    async def set_status(self, repository: int, digest: Digest, status: str, at: int) -> None:
        """Let an image be ACTIVE, ACTIVATING or ARCHIVED; `at` is kept as the time when it became the first or last."""
        at_ = {} if status == "ACTIVATING" else {"at": at}
        await self._session.run(_SET_STATUS[status], repository=repository, digest_=str(digest), **at_)

    async def delete(self, repository: int, digest: Digest) -> None:
        """Remove a manifest and what it says it refers to."""
        await self._session.run(_DELETE_REFERENCES, repository=repository, parent=str(digest))
        if await self._session.run(_DELETE, repository=repository, digest=str(digest)):
            await self._session.run(_COUNT, repository=repository, change=-1)

    async def delete_through(self, repository: int, last: Digest) -> None:
        """The same for every manifest up to a digest, in order of digests."""
        await self._session.run(_DELETE_REFERENCES_THROUGH, repository=repository, last=str(last))
        removed = await self._session.run(_DELETE_THROUGH, repository=repository, last=str(last))
        await self._session.run(_COUNT, repository=repository, change=-removed)

    async def bereave(self, repository: int, subject: Digest) -> None:
        """Record with all that refers to an image that the image was here, and was deleted."""
        await self._session.run(_BEREAVE, repository=repository, subject_=str(subject))

    async def refer(self, repository: int, parent: Digest, child: Digest, *, is_image: bool) -> None:
        """Record that a manifest refers to a blob, or an index to a manifest."""
        await self._session.run(
            _ADD_REFERENCE, repository=repository, parent=str(parent), child=str(child), is_image=is_image
        )

    async def parents(self, repository: int, child: Digest, limit: int = 10) -> Sequence[Digest]:
        """The indexes that list a manifest."""
        rows = await self._session.rows(_PARENTS, repository=repository, child=str(child), limit=limit)
        return [Digest.parse(row[0]) for row in rows]

    async def children(self, repository: int, parent: Digest) -> Sequence[Digest]:
        """The manifests that an index lists."""
        rows = await self._session.rows(_CHILDREN, repository=repository, parent=str(parent))
        return [Digest.parse(row[0]) for row in rows]


def image_of(row: Row) -> Image:
    """A row of `COLUMNS`."""
    digest, media_type, artifact_type, subject, *numbers, status, archived_at, activated_at, bereft = row
    size, content_size, pushed_at, last_pull_at = numbers
    return Image(
        digest=Digest.parse(digest),
        media_type=media_type,
        artifact_type=artifact_type,
        subject=Digest.parse(subject) if subject else None,
        size=size,
        content_size=content_size,
        pushed_at=pushed_at,
        last_pull_at=last_pull_at,
        status=status,
        archived_at=archived_at,
        activated_at=activated_at,
        bereft=bool(bereft),
    )
