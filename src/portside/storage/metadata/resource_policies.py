"""Rows of the policies that hang on repositories and registries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, bindparam, delete, select

from portside.core.names import RegistryId, RepositoryId
from portside.storage.metadata import tables
from portside.storage.metadata.statements import Session, Statement, prepare

_p, _g, _r = tables.repository_policies.c, tables.registry_policies.c, tables.repositories.c


def _put_of_repository(insert: Any) -> Any:
    columns = ("repository", "document", "given")
    statement = insert(tables.repository_policies).values({name: bindparam(name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=[_p.repository], set_={name: statement.excluded[name] for name in columns[1:]}
    )


def _put_of_registry(insert: Any) -> Any:
    columns = ("account", "region", "document", "given")
    statement = insert(tables.registry_policies).values({name: bindparam(name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=[_g.account, _g.region], set_={name: statement.excluded[name] for name in columns[2:]}
    )


_PUT_OF_REPOSITORY, _PUT_OF_REGISTRY = Statement(_put_of_repository), Statement(_put_of_registry)
_OF_REPOSITORY = prepare(
    select(_p.document)
    .join(tables.repositories, _r.key == _p.repository)
    .where(_r.account == bindparam("account"), _r.region == bindparam("region"), _r.name == bindparam("name"))
)
_OF_REGISTRY = prepare(select(_g.document).where(_g.account == bindparam("account"), _g.region == bindparam("region")))
_named = and_(_r.account == bindparam("account"), _r.region == bindparam("region"), _r.name == bindparam("name"))
_ABOUT = prepare(
    select(
        select(_p.document).join(tables.repositories, _r.key == _p.repository).where(_named).scalar_subquery(),
        select(_g.document)
        .where(_g.account == bindparam("account"), _g.region == bindparam("region"))
        .scalar_subquery(),
        select(_r.settings).where(_named).scalar_subquery(),
    )
)
_DELETE_OF_REPOSITORY = prepare(delete(tables.repository_policies).where(_p.repository == bindparam("repository")))
_DELETE_OF_REGISTRY = prepare(
    delete(tables.registry_policies).where(_g.account == bindparam("account"), _g.region == bindparam("region"))
)


class ResourcePolicies:
    """One policy a repository and one a registry, as it is evaluated and as it was given."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_repository(self, repository: RepositoryId) -> str | None:
        """The policy of the repository of this name."""
        row = await self._session.row(
            _OF_REPOSITORY, account=repository.account, region=repository.region, name=repository.name
        )
        return None if row is None else row[0]

    async def about(self, repository: RepositoryId) -> tuple[str | None, str | None, Mapping[str, str]]:
        """The repository's policy, its registry's, and its tags: one statement, since every request may ask for it."""
        row = await self._session.row(
            _ABOUT, account=repository.account, region=repository.region, name=repository.name
        )
        assert row is not None
        own, whole, settings = row
        return own, whole, {} if settings is None else json.loads(settings)["resource_tags"]

    async def put_of_repository(self, key: int, document: str, given: str) -> None:
        """Let a repository's policy be this."""
        await self._session.run(_PUT_OF_REPOSITORY, repository=key, document=document, given=given)

    async def delete_of_repository(self, key: int) -> bool:
        """Remove a repository's policy; False when it has none."""
        return await self._session.run(_DELETE_OF_REPOSITORY, repository=key) == 1

    async def of_registry(self, registry: RegistryId) -> str | None:
        """The policy of a registry."""
        row = await self._session.row(_OF_REGISTRY, account=registry.account, region=registry.region)
        return None if row is None else row[0]

    async def put_of_registry(self, registry: RegistryId, document: str, given: str) -> None:
        """Let a registry's policy be this."""
        await self._session.run(
            _PUT_OF_REGISTRY, account=registry.account, region=registry.region, document=document, given=given
        )

    async def delete_of_registry(self, registry: RegistryId) -> bool:
        """Remove a registry's policy; False when it has none."""
        return await self._session.run(_DELETE_OF_REGISTRY, account=registry.account, region=registry.region) == 1
