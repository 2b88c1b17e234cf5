"""Making a repository: because somebody asks for it, or because somebody pushes to it (ecr-behaviour 7)."""

from __future__ import annotations

from portside.core.names import RepositoryId
from portside.core.records import Repository, RepositorySettings
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.stores import Stores


async def make(stores: Stores, repository: RepositoryId, settings: RepositorySettings) -> Repository | None:
    """Make a repository; None when there is one. Raises LimitExceeded."""
    content_key = await stores.keys.key_for("content", repository.account)
    async with stores.metadata.writing() as unit:
        # Whole seconds, as ECR shows the time (ecr-behaviour 3.2).
        at = stores.clock() // 1_000_000 * 1_000_000
        if not await unit.repositories.add(repository, settings, content_key.id, at):
            return None
        stores.rules.quotas.admit_repository(repository.registry, await unit.repositories.count(repository.registry))
        return await unit.repositories.find(repository)


async def make_on_push(stores: Stores, access: Access, caller: Caller, repository: RepositoryId) -> None:
    """Make a repository that is pushed to and missing, where the rules say so and the caller may.

    Pushes that race for it all find it made. The caller needs ecr:CreateRepository as it would to make it beforehand.
    """
    if not stores.rules.create_on_push:
        return
    async with stores.metadata.reading() as unit:
        if await unit.repositories.find(repository) is not None:
            return
    await access.repository(caller, "ecr:CreateRepository", repository)
    await make(stores, repository, RepositorySettings())
