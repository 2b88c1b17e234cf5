"""Repository creation templates: made, changed, listed, removed, and found for a repository (ecr-behaviour 3.8, 7).

A template is looked at when a repository is made by one of its scenarios, and never again: what was made stays as it is
when the template changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from portside.core.lifecycle import grammar
from portside.core.names import RegistryId, RepositoryId
from portside.core.settings_errors import TemplateAlreadyExists, TemplateNotFound
from portside.identity.caller import Caller
from portside.identity.policy import PolicyKind
from portside.registry.access import Access
from portside.registry.listing import Listing, PageTokens
from portside.registry.policy_texts import stored_form
from portside.registry.stores import Stores
from portside.registry.template_documents import Template, packed, prefixes_of, spellings, unpacked
from portside.storage.metadata.port import Unit
from portside.storage.metadata.templates import TemplateRow


class Templates:
    """The repository creation templates of every registry here."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access
        self._pages = pages

    async def create(self, caller: Caller, registry: RegistryId, template: Template) -> Template:
        """Make a template; raises TemplateAlreadyExists, and InvalidParameter for policies that are none."""
        await self._access.registry(caller, "ecr:CreateRepositoryCreationTemplate", registry)
        now = self._clock()
        made = replace(template, created_at=now, updated_at=now)
        async with self._metadata.writing() as unit:
            await _check(unit, made)
            # Every spelling, always in this order, so that whoever makes another one at the same moment waits for it.
            for prefix in spellings(made.prefix):
                if not await unit.templates.add(registry, TemplateRow(prefix, packed(made), now, now)):
                    raise TemplateAlreadyExists(registry, made.prefix)
            for prefix in spellings(made.prefix):
                if prefix != made.prefix:
                    await unit.templates.delete(registry, prefix)
        return made

    async def update(
        self, caller: Caller, registry: RegistryId, prefix: str, change: Callable[[Template], Template]
    ) -> Template:
        """Change a template; raises TemplateNotFound, and InvalidParameter for policies that are none."""
        await self._access.registry(caller, "ecr:UpdateRepositoryCreationTemplate", registry)
        async with self._metadata.writing() as unit:
            row = await _spelled(unit.templates.lock, registry, prefix)
            if row is None:
                raise TemplateNotFound(registry, prefix)
            standing = unpacked(row)
            changed = replace(change(standing), updated_at=self._clock())
            await _check(unit, changed, standing)
            await unit.templates.change(registry, row.prefix, packed(changed), changed.updated_at)
        return changed

    async def delete(self, caller: Caller, registry: RegistryId, prefix: str) -> Template:
        """Remove a template; what it was. Raises TemplateNotFound."""
        await self._access.registry(caller, "ecr:DeleteRepositoryCreationTemplate", registry)
        async with self._metadata.writing() as unit:
            row = await _spelled(unit.templates.lock, registry, prefix)
            if row is None:
                raise TemplateNotFound(registry, prefix)
            await unit.templates.delete(registry, row.prefix)
        return unpacked(row)

    async def describe(
        self, caller: Caller, registry: RegistryId, prefixes: Sequence[str], *, limit: int, token: str | None
    ) -> Listing[Template]:
        """The templates that there are of these prefixes, in that order, or a page of all.

        A prefix without one is left out: the model names no error for it here, so that the AWS SDKs whose errors are
        types (Go's, and with it Terraform) could not tell it from a failure.
        """
        await self._access.registry(caller, "ecr:DescribeRepositoryCreationTemplates", registry)
        query = f"templates\n{registry.account}\n{registry.region}"
        after = str(self._pages.open(query, token)[0]) if token else ""
        async with self._metadata.reading() as unit:
            if prefixes:
                asked = [await _spelled(unit.templates.find, registry, prefix) for prefix in prefixes]
                return Listing([unpacked(row) for row in dict.fromkeys(asked) if row is not None], None)
            rows = await unit.templates.page(registry, after, limit + 1)
        more = self._pages.seal(query, [rows[limit - 1].prefix]) if len(rows) > limit else None
        return Listing([unpacked(row) for row in rows[:limit]], more)


async def template_for(unit: Unit, repository: RepositoryId, scenario: str) -> Template | None:
    """The template that a repository is made by: the longest of its prefixes that has one for this scenario."""
    prefixes = prefixes_of(repository.name)
    rows = await unit.templates.among(repository.registry, prefixes)
    for row in (rows[prefix] for prefix in prefixes if prefix in rows):
        if scenario in (template := unpacked(row)).applied_for:
            return template
    return None


async def _spelled(
    look: Callable[[RegistryId, str], Awaitable[TemplateRow | None]], registry: RegistryId, prefix: str
) -> TemplateRow | None:
    """The template of a prefix, with the slash that it ends with or without."""
    for one in spellings(prefix):
        row = await look(registry, one)
        if row is not None:
            return row
    return None


async def _check(unit: Unit, template: Template, standing: Template | None = None) -> None:
    """Refuse policies that are none; those that stood before were checked then, and may name who is gone by now."""
    own, rules = template.repository_policy, template.lifecycle_policy
    if own is not None and (standing is None or own != standing.repository_policy):
        await stored_form(unit, own, PolicyKind.REPOSITORY, "repositoryPolicy")
    if rules is not None and (standing is None or rules != standing.lifecycle_policy):
        grammar.read(rules)
