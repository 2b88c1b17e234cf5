"""All rows that name stored bytes, page by page, for whoever reads everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, String, bindparam, select, tuple_

from portside.core.digest import Digest
from portside.core.names import RepositoryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, prepare

_b, _m, _r = tables.blobs.c, tables.manifests.c, tables.repositories.c
_BLOBS = prepare(
    select(_b.content_key, _b.digest, _b.location, _b.size, _b.damaged)
    .where(
        tuple_(_b.content_key, _b.digest)
        > tuple_(bindparam("content_key", type_=String), bindparam("digest", type_=String))
    )
    .order_by(_b.content_key, _b.digest)
    .limit(bindparam("limit"))
)
_MANIFESTS = prepare(
    select(_m.repository, _m.digest)
    .where(
        tuple_(_m.repository, _m.digest)
        > tuple_(bindparam("repository", type_=BigInteger), bindparam("digest", type_=String))
    )
    .order_by(_m.repository, _m.digest)
    .limit(bindparam("limit"))
)
_MANIFEST = prepare(
    select(_r.account, _r.region, _r.name, _r.content_key, _m.content)
    .select_from(tables.manifests.join(tables.repositories, _r.key == _m.repository))
    .where(_r.former.is_(None), _m.repository == bindparam("repository"), _m.digest == bindparam("digest"))
)


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob's row."""

    content_key: str
    digest: Digest
    location: str
    size: int
    damaged: bool


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest's sealed bytes, and whose key they are sealed under."""

    repository: RepositoryId
    content_key: str
    sealed: bytes


class Inspection:
    """Blobs and manifests of all repositories."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def blobs(self, after: tuple[str, str], limit: int) -> Sequence[StoredBlob]:
        """Blobs in order of (content key, digest) from after such a pair."""
        rows = await self._session.rows(_BLOBS, content_key=after[0], digest=after[1], limit=limit)
        return [StoredBlob(row[0], Digest.parse(row[1]), row[2], row[3], bool(row[4])) for row in rows]

    async def manifests(self, after: tuple[int, str], limit: int) -> Sequence[tuple[int, Digest]]:
        """Manifests in order of (repository's key, digest) from after such a pair, without their bytes."""
        rows = await self._session.rows(_MANIFESTS, repository=after[0], digest=after[1], limit=limit)
        return [(row[0], Digest.parse(row[1])) for row in rows]

    async def manifest(self, repository: int, digest: Digest) -> StoredManifest | None:
        """One manifest with its bytes."""
        row = await self._session.row(_MANIFEST, repository=repository, digest=str(digest))
        return None if row is None else StoredManifest(RepositoryId(row[0], row[1], row[2]), row[3], row[4])
