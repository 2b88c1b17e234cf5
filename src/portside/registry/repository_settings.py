"""What a repository is set to after it was made: tag mutability, scanning, resource tags (ecr-behaviour 3.2, 8).

A setting is replaced whole, in a unit that holds the repository, so that of two who change it at once both succeed and
nothing of either is lost but what the other one put in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from portside.core.errors import TooManyTags
from portside.core.names import RepositoryId
from portside.core.records import Repository, RepositorySettings, TagExclusion
from portside.identity.caller import Caller
from portside.identity.context import Context, tagging
from portside.registry.access import Access
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores

MOST_TAGS = 50
"""Resource tags of a repository (service quotas)."""


class RepositoryChanges:
    """The settings of every repository."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._access = access

    async def put_tag_mutability(
        self, caller: Caller, repository: RepositoryId, mode: str, exclusions: Sequence[TagExclusion]
    ) -> Repository:
        """Let tags move or not from now on; those that are there stay as they are. Raises RepositoryNotFound."""
        change = {"tag_mutability": mode, "tag_exclusions": tuple(exclusions)}
        return await self._changed(caller, "ecr:PutImageTagMutability", repository, lambda old: replace(old, **change))

    async def put_scanning(self, caller: Caller, repository: RepositoryId, *, scan_on_push: bool) -> Repository:
        """Say whether images are to be scanned when they are pushed. Raises RepositoryNotFound."""
        action = "ecr:PutImageScanningConfiguration"
        return await self._changed(caller, action, repository, lambda old: replace(old, scan_on_push=scan_on_push))

    async def tags(self, caller: Caller, repository: RepositoryId) -> Mapping[str, str]:
        """The resource tags. Raises RepositoryNotFound."""
        await self._access.repository(caller, "ecr:ListTagsForResource", repository)
        async with self._metadata.reading() as unit:
            return (await find(unit, repository)).settings.resource_tags

    async def tag(self, caller: Caller, repository: RepositoryId, tags: Mapping[str, str]) -> None:
        """Put resource tags, in place of those of the same key. Raises RepositoryNotFound, TooManyTags."""

        def change(old: RepositorySettings) -> RepositorySettings:
            merged = {**old.resource_tags, **tags}
            if len(merged) > MOST_TAGS:
                raise TooManyTags
            return replace(old, resource_tags=merged)

        await self._changed(caller, "ecr:TagResource", repository, change, tagging(tags))

    async def untag(self, caller: Caller, repository: RepositoryId, names: Collection[str]) -> None:
        """Remove resource tags; a key that there is none of is passed over. Raises RepositoryNotFound."""

        def change(old: RepositorySettings) -> RepositorySettings:
            kept = {key: value for key, value in old.resource_tags.items() if key not in names}
            return replace(old, resource_tags=kept)

        asked: Context = {"aws:tagkeys": list(names)} if names else {}
        await self._changed(caller, "ecr:UntagResource", repository, change, asked)

    async def _changed(
        self,
        caller: Caller,
        action: str,
        repository: RepositoryId,
        change: Callable[[RepositorySettings], RepositorySettings],
        asked: Context | None = None,
    ) -> Repository:
        await self._access.repository(caller, action, repository, asked)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            settings = change(held.settings)
            await unit.repositories.change(held.key, settings)
        return replace(held, settings=settings)
