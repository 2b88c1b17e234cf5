"""Making a repository: because somebody asks for it, or because somebody pushes to it (ecr-behaviour 7)."""

from __future__ import annotations

from collections.abc import Callable

from portside.core.errors import RepositoryNotFound
from portside.core.lifecycle import grammar
from portside.core.names import RepositoryId
from portside.core.records import Repository, RepositorySettings
from portside.identity.caller import Caller
from portside.identity.context import tagging
from portside.identity.policy import PolicyKind
from portside.registry.access import Access
from portside.registry.encryption import scope_of
from portside.registry.policy_texts import stored_form
from portside.registry.stores import Stores
from portside.registry.template_documents import CREATE_ON_PUSH, ROOT, Template
from portside.registry.templates import template_for
from portside.storage.metadata.port import Unit


async def make(
    stores: Stores, repository: RepositoryId, settings: RepositorySettings, template: Template | None = None
) -> Repository | None:
    """Make a repository, with the policies of a template; None when there is one.

    Raises LimitExceeded, KmsKeyNotFound and KeyDisabled.
    """
    async with stores.metadata.reading() as unit:
        # Before its key is asked for: what is there is there, whatever has become of the key.
        if await unit.repositories.find(repository) is not None:
            return None
    settings, content_key = await scope_of(stores, repository.registry, settings)
    async with stores.metadata.writing() as unit:
        now = stores.clock()
        # Whole seconds, as ECR shows the time (ecr-behaviour 3.2).
        if not await unit.repositories.add(repository, settings, content_key, now // 1_000_000 * 1_000_000):
            return None
        stores.rules.quotas.admit_repository(repository.registry, await unit.repositories.count(repository.registry))
        made = await unit.repositories.find(repository)
        if made is not None and template is not None:
            await _add_policies(unit, made, template, now)
        return made


async def found_or_made(
    stores: Stores,
    access: Access,
    caller: Caller,
    repository: RepositoryId,
    admit: Callable[[], None] = lambda: None,
) -> Repository:
    """The repository that is pushed to; a missing one is made where a template or the rules say so and the caller may.

    Pushes that race for it all find it made. The caller needs ecr:CreateRepository as it would to make it beforehand;
    what else the template puts, its author decided. `admit` refuses what would be refused once it were made, so that
    nothing is left of it. Raises RepositoryNotFound, and InvalidParameter when a policy of the template names somebody
    who is gone.
    """
    async with stores.metadata.reading() as unit:
        found = await unit.repositories.find(repository)
        if found is not None:
            return found
        template = await template_for(unit, repository, CREATE_ON_PUSH)
    if template is None:
        if not stores.rules.create_on_push:
            raise RepositoryNotFound(repository)
        template = Template(ROOT, (CREATE_ON_PUSH,))
    tags = template.settings.resource_tags
    await access.repository(caller, "ecr:CreateRepository", repository, tagging(tags) if tags else None)
    admit()
    made = await make(stores, repository, template.settings, template)
    if made is None:
        async with stores.metadata.reading() as unit:
            made = await unit.repositories.find(repository)
    if made is None:
        raise RepositoryNotFound(repository)  # somebody else made it, and removed it at once
    return made


async def _add_policies(unit: Unit, made: Repository, template: Template, now: int) -> None:
    if template.repository_policy is not None:
        stored = await stored_form(unit, template.repository_policy, PolicyKind.REPOSITORY, "repositoryPolicy")
        await unit.resource_policies.put_of_repository(made.key, stored, template.repository_policy)
    if template.lifecycle_policy is not None:
        await unit.lifecycle.put(made.key, grammar.minified(template.lifecycle_policy), now)
