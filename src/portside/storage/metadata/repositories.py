"""Rows of repositories.

Counts move in the unit that changes what they count (ARCHITECTURE.md, law 7): a registry's `repositories` here, a
repository's `images` in manifests.py. A quota is compared with them, so that it costs the same however much there is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, Table, and_, bindparam, delete, exists, literal, select, tuple_, update

from portside.core.names import RegistryId, RepositoryId
from portside.core.records import Repository, RepositorySettings, TagExclusion
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Row, Session, Statement, prepare

_r, _g = tables.repositories.c, tables.registries.c
_COLUMNS = select(_r.key, _r.account, _r.region, _r.name, _r.settings, _r.content_key, _r.created_at, _r.images)
_NAMED = _COLUMNS.where(
    _r.account == bindparam("account"),
    _r.region == bindparam("region"),
    _r.name == bindparam("name"),
    _r.former.is_(None),
)

_ADD = Statement(
    lambda insert: (
        insert(tables.repositories)
        .values(
            {name: bindparam(name) for name in ("account", "region", "name", "settings", "content_key", "created_at")}
        )
        .on_conflict_do_nothing()
    )
)
_FIND = prepare(_NAMED)
_LOCK = prepare(_NAMED.with_for_update())
_PAGE = prepare(
    _COLUMNS.where(_r.account == bindparam("account"), _r.region == bindparam("region"), _r.name > bindparam("after"))
    .order_by(_r.name)
    .limit(bindparam("limit"))
)
_OCCUPIED = prepare(select(exists().where(tables.manifests.c.repository == bindparam("key"))))
_CHANGE = prepare(
    update(tables.repositories).where(_r.key == bindparam("the_key")).values(settings=bindparam("packed"))
)
# Out of every registry: no region is called nothing.
_BURY = prepare(
    update(tables.repositories)
    .where(_r.key == bindparam("the_key"))
    .values(
        former=_r.region + literal(" ", String) + _r.name,
        region=literal("", String),
        name=bindparam("the_name", type_=String),
    )
)
_BURIED = (
    select(_r.key, _r.account, _r.former, _r.settings, _r.content_key, _r.created_at, _r.images)
    .where(_r.former.is_not(None))
    .order_by(_r.key)
)
_NEXT_BURIED = prepare(_BURIED.where(_r.key > bindparam("after")).limit(bindparam("limit")))
_LOCK_BURIED = prepare(_BURIED.where(_r.key == bindparam("key")).with_for_update())
_DELETE = prepare(delete(tables.repositories).where(_r.key == bindparam("key")))


def _count(insert: Any) -> Any:
    statement = insert(tables.registries).values(
        {name: bindparam(name) for name in ("account", "region", "repositories")}
    )
    return statement.on_conflict_do_update(
        index_elements=[_g.account, _g.region], set_={"repositories": _g.repositories + statement.excluded.repositories}
    )


_COUNT = Statement(_count)
_COUNTED = prepare(
    select(_g.repositories).where(and_(_g.account == bindparam("account"), _g.region == bindparam("region")))
)
_REGISTRIES = prepare(
    select(_g.account, _g.region).where(_g.account > bindparam("after")).order_by(_g.account, _g.region)
)
_UNCOUNT = prepare(
    update(tables.registries)
    .where(tuple_(_g.account, _g.region).in_(select(_r.account, _r.region).where(_r.key == bindparam("key"))))
    .values(repositories=_g.repositories + bindparam("change"))
)
_BATCH = 1000
"""Rows that one statement removes: SQLite answers on the event loop, and PostgreSQL within a time."""


def _delete_some(table: Table) -> Statement:
    """Some rows of a repository."""
    names = [column for column in table.primary_key.columns if column.name != "repository"]
    of_repository = table.c.repository == bindparam("key")
    some = select(*names).where(of_repository).limit(bindparam("limit"))
    return prepare(delete(table).where(of_repository, tuple_(*names).in_(some)))


_MANY = (tables.references, tables.tags, tables.manifests, tables.lifecycle_preview_results)
_DELETE_MANY = tuple(_delete_some(table) for table in _MANY)
_DELETE_ONE = tuple(
    prepare(delete(table).where(table.c.repository == bindparam("key")))
    for table in (tables.repository_policies, tables.lifecycle_policies, tables.lifecycle_previews)
)


class Repositories:
    """Repositories of all registries, by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, repository: RepositoryId, settings: RepositorySettings, content_key: str, at: int) -> bool:
        """Add a repository; False when the name is taken."""
        added = (
            await self._session.run(
                _ADD,
                account=repository.account,
                region=repository.region,
                name=repository.name,
                settings=_packed(settings),
                content_key=content_key,
                created_at=at,
            )
            == 1
        )
        if added:
            # After the name: whoever has the registry's row waits for no name, so units never wait in a circle.
            await self._session.run(_COUNT, account=repository.account, region=repository.region, repositories=1)
        return added

    async def count(self, registry: RegistryId) -> int:
        """How many repositories a registry has; after `add`, nobody else changes that until this unit ends."""
        row = await self._session.row(_COUNTED, account=registry.account, region=registry.region)
        return row[0] if row else 0

    async def hold(self, registry: RegistryId) -> None:
        """Keep a registry from all others who hold it, or make or remove a repository of it, until this unit ends."""
        await self._session.run(_COUNT, account=registry.account, region=registry.region, repositories=0)

    async def registries(self) -> Sequence[RegistryId]:
        """Every registry that has, or had, a repository, or was held."""
        return [RegistryId(*row) for row in await self._session.rows(_REGISTRIES, after="")]

    async def find(self, repository: RepositoryId) -> Repository | None:
        """The repository of this name."""
        return _repository(await self._session.row(_FIND, **_name(repository)))

    async def lock(self, repository: RepositoryId) -> Repository | None:
        """The repository of this name, which no other unit changes until this one ends."""
        return _repository(await self._session.row(_LOCK, **_name(repository)))

    async def change(self, key: int, settings: RepositorySettings) -> None:
        """Give a repository other settings; whoever does so has locked it."""
        await self._session.run(_CHANGE, the_key=key, packed=_packed(settings))

    async def page(self, registry: RegistryId, after: str, limit: int) -> Sequence[Repository]:
        """Repositories of a registry in order of name, from after a name ('' for the first page)."""
        rows = await self._session.rows(
            _PAGE, account=registry.account, region=registry.region, after=after, limit=limit
        )
        return [found for row in rows if (found := _repository(row))]

    async def is_empty(self, key: int) -> bool:
        """Whether it holds no image."""
        row = await self._session.row(_OCCUPIED, key=key)
        return row is None or not row[0]

    async def bury(self, key: int) -> None:
        """Take a repository out of its registry, with its policies; what else it has is removed later (`buried`)."""
        for statement in _DELETE_ONE:
            await self._session.run(statement, key=key)
        await self._session.run(_UNCOUNT, key=key, change=-1)
        await self._session.run(_BURY, the_key=key, the_name=str(key))

    async def buried(self, after: int) -> Repository | None:
        """The first of those that were buried, by key from after one (0 for the first), as what it was."""
        return _former(await self._session.row(_NEXT_BURIED, after=after, limit=1))

    async def lock_buried(self, key: int) -> Repository | None:
        """One that was buried, which no other unit changes until this one ends."""
        return _former(await self._session.row(_LOCK_BURIED, key=key))

    async def delete(self, key: int) -> None:
        """Remove the repository with its images and tags; layers and uploads must have been removed before."""
        for statement in _DELETE_MANY:
            removed = _BATCH
            while removed == _BATCH:
                removed = await self._session.run(statement, key=key, limit=_BATCH)
                await asyncio.sleep(0)  # others have their turn
        for statement in _DELETE_ONE:
            await self._session.run(statement, key=key)
        await self._session.run(_UNCOUNT, key=key, change=-1)
        await self._session.run(_DELETE, key=key)


def _former(row: Row | None) -> Repository | None:
    if row is None:
        return None
    key, account, former, *rest = row
    region, _, name = former.partition(" ")
    return _repository((key, account, region, name, *rest))


def _name(repository: RepositoryId) -> dict[str, str]:
    return {"account": repository.account, "region": repository.region, "name": repository.name}


def _packed(settings: RepositorySettings) -> str:
    return json.dumps(
        {
            "tag_mutability": settings.tag_mutability,
            "tag_exclusions": [[item.filter, item.filter_type] for item in settings.tag_exclusions],
            "scan_on_push": settings.scan_on_push,
            "encryption_type": settings.encryption_type,
            "kms_key": settings.kms_key,
            "resource_tags": dict(settings.resource_tags),
        },
        separators=(",", ":"),
    )


def _repository(row: Row | None) -> Repository | None:
    if row is None:
        return None
    key, account, region, name, packed, content_key, created_at, images = row
    found = json.loads(packed)
    settings = RepositorySettings(
        tag_mutability=found["tag_mutability"],
        tag_exclusions=tuple(TagExclusion(*item) for item in found["tag_exclusions"]),
        scan_on_push=found["scan_on_push"],
        encryption_type=found["encryption_type"],
        kms_key=found["kms_key"],
        resource_tags=found["resource_tags"],
    )
    return Repository(key, RepositoryId(account, region, name), settings, content_key, created_at, images)
