"""What the archive needs to know of images and blobs (ecr-behaviour 10.3)."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select

from portside.core.digest import Digest
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, prepare

_m, _f = tables.manifests.c, tables.references.c

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


class Archive:
    """Images on their way to and from the archive, and where their bytes lie."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def listing_index(self, repository: int, child: Digest) -> Digest | None:
        """An index that lists an image and is not archived itself."""
        row = await self._session.row(_LISTED, repository=repository, child=str(child), archived="ARCHIVED", limit=1)
        return None if row is None else Digest.parse(row[0])
