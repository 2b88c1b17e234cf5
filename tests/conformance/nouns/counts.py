"""Counting afresh what the metadata keeps counted (ARCHITECTURE.md, law 7)."""

from __future__ import annotations

from sqlalchemy import and_, exists, func, select

from portside.core.digest import Digest
from portside.storage.metadata import tables
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.statements import Row, Statement, prepare

_b, _l, _f = tables.blobs.c, tables.layers.c, tables.references.c
_m, _r, _g, _t = tables.manifests.c, tables.repositories.c, tables.registries.c, tables.tags.c
_HOLDERS = prepare(select(_b.digest, _b.holders))
_IMAGES = prepare(select(_l.repository, _l.digest, _l.images))
_HELD = prepare(
    select(_b.digest, func.count(_l.repository))
    .select_from(tables.blobs.outerjoin(tables.layers, and_(_l.content_key == _b.content_key, _l.digest == _b.digest)))
    .group_by(_b.digest)
)
_REFERRED = prepare(
    select(_l.repository, _l.digest, func.count(_f.parent))
    .select_from(
        tables.layers.outerjoin(
            tables.references,
            and_(_f.repository == _l.repository, _f.child == _l.digest, _f.is_image.is_(False)),
        )
    )
    .group_by(_l.repository, _l.digest)
)

_FULL = prepare(select(_r.key, _r.images))
_STANDING = prepare(
    select(_r.key, func.count(_m.digest))
    .select_from(tables.repositories.outerjoin(tables.manifests, _m.repository == _r.key))
    .group_by(_r.key)
)
_REGISTRIES = prepare(select(_g.account, _g.region, _g.repositories))
_SERVED = prepare(
    select(_g.account, _g.region, func.count(_r.key))
    .select_from(
        tables.registries.outerjoin(tables.repositories, and_(_r.account == _g.account, _r.region == _g.region))
    )
    .group_by(_g.account, _g.region)
)
_UNTAGGED = prepare(select(_m.repository, _m.digest).where(_m.untagged.is_(True)))
_WITHOUT_TAG = prepare(
    select(_m.repository, _m.digest).where(~exists().where(_t.repository == _m.repository, _t.digest == _m.digest))
)


async def holders(metadata: Metadata) -> dict[Digest, int]:
    """How many repositories each blob's row says to hold it."""
    return {Digest.parse(row[0]): row[1] for row in await _rows(metadata, _HOLDERS)}


async def images(metadata: Metadata) -> dict[tuple[int, Digest], int]:
    """How many manifests each layer's row says to refer to it."""
    return {(row[0], Digest.parse(row[1])): row[2] for row in await _rows(metadata, _IMAGES)}


async def assert_counted(metadata: Metadata) -> None:
    """Every count is what counting gives."""
    assert await holders(metadata) == {Digest.parse(row[0]): row[1] for row in await _rows(metadata, _HELD)}
    assert await images(metadata) == {
        (row[0], Digest.parse(row[1])): row[2] for row in await _rows(metadata, _REFERRED)
    }
    for kept, counted in ((_FULL, _STANDING), (_REGISTRIES, _SERVED), (_UNTAGGED, _WITHOUT_TAG)):
        assert sorted(map(tuple, await _rows(metadata, kept))) == sorted(map(tuple, await _rows(metadata, counted)))


async def _rows(metadata: Metadata, statement: Statement) -> list[Row]:
    async with metadata.reading() as unit:
        return list(await unit.layers._session.rows(statement))
