"""Repositories: names, settings, pages, and removal with everything in them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from portside.core.names import RegistryId, Tag
from portside.core.records import RepositorySettings, TagExclusion
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.counts import assert_counted
from tests.conformance.nouns.rows import (
    ACCOUNT,
    KEY,
    NOW,
    REGISTRY,
    STRANGER,
    digest,
    image,
    key_of,
    registry,
    repository,
)

NAMES = ["a-b", "a.b", "a/b", "a0", "a_b", "aa", "ab", "zz"]
"""In order of their bytes, which is not how English sorts them."""
ELABORATE = RepositorySettings(
    tag_mutability="IMMUTABLE_WITH_EXCLUSION",
    tag_exclusions=(TagExclusion("latest"), TagExclusion("dev-*", "WILDCARD")),
    scan_on_push=True,
    encryption_type="KMS",
    kms_key="arn:aws:kms:eu-central-1:123456789012:key/one",
    resource_tags={"team": "gr\u00fcn", "": "\U0001f433", "quote'": '"'},
)
FIRST = REGISTRY.repository("team/app")


async def names(metadata: Metadata, after: str, limit: int, where: RegistryId = REGISTRY) -> list[str]:
    async with metadata.reading() as unit:
        return [found.id.name for found in await unit.repositories.page(where, after, limit)]


class RepositoriesConformance:
    @pytest.mark.parametrize("settings", [RepositorySettings(), ELABORATE], ids=["plain", "elaborate"])
    async def test_a_repository_is_found_as_it_was_added(
        self, metadata: Metadata, settings: RepositorySettings
    ) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            assert await unit.repositories.add(FIRST, settings, KEY, NOW)
            found = await unit.repositories.find(FIRST)
            assert found is not None
            assert (found.id, found.settings, found.content_key, found.created_at) == (FIRST, settings, KEY, NOW)
            assert await unit.repositories.lock(FIRST) == found

    async def test_a_name_is_taken_once(self, metadata: Metadata) -> None:
        before = await repository(metadata)
        async with metadata.writing() as unit:
            assert not await unit.repositories.add(before.id, ELABORATE, KEY, NOW + 1)
            assert await unit.repositories.find(before.id) == before

    async def test_settings_change_and_nothing_else(self, metadata: Metadata) -> None:
        before = await repository(metadata)
        async with metadata.writing() as unit:
            other = REGISTRY.repository("team/other")
            assert await unit.repositories.add(other, RepositorySettings(), KEY, NOW)
            await unit.repositories.change(before.key, ELABORATE)
        async with metadata.reading() as unit:
            assert await unit.repositories.find(before.id) == replace(before, settings=ELABORATE)
            untouched = await unit.repositories.find(other)
            assert untouched is not None
            assert untouched.settings == RepositorySettings()

    @pytest.mark.parametrize(
        "other", [{"account": STRANGER}, {"region": "us-east-1"}, {"name": "team/ap"}, {"name": "team/app2"}]
    )
    async def test_a_name_is_one_registrys(self, metadata: Metadata, other: dict[str, str]) -> None:
        await repository(metadata)
        await registry(metadata, STRANGER)
        elsewhere = replace(FIRST, **other)
        async with metadata.writing() as unit:
            assert await unit.repositories.find(elsewhere) is None
            assert await unit.repositories.lock(elsewhere) is None
            assert await unit.repositories.add(elsewhere, RepositorySettings(), KEY, NOW)

    async def test_pages_are_in_order_of_bytes(self, metadata: Metadata) -> None:
        for name in reversed(NAMES):
            await repository(metadata, name)
        assert await names(metadata, "", 100) == NAMES

    @pytest.mark.parametrize("limit", [1, 3, 8, 100])
    async def test_pages_follow_on(self, metadata: Metadata, limit: int) -> None:
        for name in NAMES:
            await repository(metadata, name)
        found: list[str] = []
        while page := await names(metadata, found[-1] if found else "", limit):
            assert len(page) <= limit
            found += page
        assert found == NAMES

    async def test_a_page_may_begin_after_a_name_that_is_gone(self, metadata: Metadata) -> None:
        for name in ("aa", "cc"):
            await repository(metadata, name)
        assert await names(metadata, "bb", 10) == ["cc"]

    @pytest.mark.parametrize("where", [RegistryId(ACCOUNT, "us-east-1"), RegistryId(STRANGER, "eu-central-1")])
    async def test_pages_are_of_one_registry(self, metadata: Metadata, where: RegistryId) -> None:
        await repository(metadata)
        assert await names(metadata, "", 10, where) == []

    async def test_an_image_makes_a_repository_not_empty(self, metadata: Metadata) -> None:
        key, other = (await repository(metadata)).key, (await repository(metadata, "other")).key
        async with metadata.writing() as unit:
            assert await unit.repositories.is_empty(key)
            await unit.manifests.add(key, image(1), b"")
            assert not await unit.repositories.is_empty(key)
            assert await unit.repositories.is_empty(other)

    async def test_a_deleted_repository_takes_its_images_along(self, metadata: Metadata) -> None:
        key = (await repository(metadata)).key
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"")
            await unit.manifests.refer(key, digest(1), digest(2), is_image=True)
            await unit.tags.put(key, "latest", digest(1), NOW)
            await unit.repositories.delete(key)
            assert await unit.repositories.find(FIRST) is None
            assert await unit.manifests.find(key, digest(1)) is None
            assert await unit.manifests.parents(key, digest(2)) == []
            assert await unit.tags.find(key, "latest") is None

    async def test_a_repository_is_buried_until_it_is_deleted(self, metadata: Metadata) -> None:
        found, other = await repository(metadata), await repository(metadata, "other")
        async with metadata.writing() as unit:
            await unit.manifests.add(found.key, image(1), b"")
            await unit.lifecycle.put(found.key, "{}", NOW)
            assert await unit.repositories.buried(0) is None
            await unit.repositories.bury(found.key)
            assert await unit.repositories.find(found.id) is None
            assert await unit.repositories.count(found.id.registry) == 1
            assert [one.id for one in await unit.repositories.page(found.id.registry, "", 10)] == [other.id]
            assert await unit.lifecycle.all() == []
            standing = replace(found, images=1)
            assert await unit.repositories.buried(0) == standing
            assert await unit.repositories.buried(found.key) is None
            assert await unit.repositories.lock_buried(found.key) == standing
            assert await unit.repositories.lock_buried(other.key) is None
        assert (await repository(metadata)).key != found.key
        async with metadata.writing() as unit:
            await unit.repositories.delete(found.key)
            assert await unit.repositories.buried(0) is None
            assert await unit.repositories.count(found.id.registry) == 2
        await assert_counted(metadata)

    async def test_a_deleted_repository_leaves_the_others(self, metadata: Metadata) -> None:
        key, other = (await repository(metadata)).key, await repository(metadata, "other")
        async with metadata.writing() as unit:
            await unit.manifests.add(other.key, image(1), b"")
            await unit.tags.put(other.key, "latest", digest(1), NOW)
            await unit.repositories.delete(key)
            assert await unit.repositories.find(other.id) == replace(other, images=1)
            assert await unit.tags.find(other.key, "latest") == digest(1)

    async def test_a_key_is_never_used_again(self, metadata: Metadata) -> None:
        before = (await repository(metadata)).key
        async with metadata.writing() as unit:
            await unit.repositories.delete(before)
        assert (await repository(metadata)).key > before

    async def test_a_registry_knows_how_many_repositories_it_has(self, metadata: Metadata) -> None:
        for name in ("one", "two"):
            await repository(metadata, name)
        await registry(metadata, STRANGER)
        async with metadata.writing() as unit:
            assert not await unit.repositories.add(REGISTRY.repository("one"), RepositorySettings(), KEY, NOW)
            assert await unit.repositories.count(REGISTRY) == 2
            assert await unit.repositories.count(RegistryId(STRANGER, REGISTRY.region)) == 0
            found = await unit.repositories.lock(REGISTRY.repository("one"))
            assert found is not None
            await unit.repositories.delete(found.key)
            assert await unit.repositories.count(REGISTRY) == 1
        await assert_counted(metadata)

    async def test_a_repository_knows_how_many_images_it_holds(self, metadata: Metadata) -> None:
        key = (await repository(metadata)).key

        async def counted() -> int:
            async with metadata.reading() as unit:
                found = await unit.repositories.find(FIRST)
            assert found is not None
            return found.images

        async with metadata.writing() as unit:
            for number in (1, 2, 2):
                await unit.manifests.add(key, image(number), b"")
        assert await counted() == 2
        async with metadata.writing() as unit:
            for number in (2, 3):
                await unit.manifests.delete(key, digest(number))
        assert await counted() == 1
        await assert_counted(metadata)

    async def test_a_big_repository_goes_whole_and_leaves_others_alone(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            for number in range(1001):
                await unit.tags.put(key, Tag(f"t{number}"), digest(1), NOW)
            await unit.manifests.add(key, image(1), b"")
            await unit.manifests.refer(key, digest(1), digest(2), is_image=True)
            await unit.tags.put(other, Tag("kept"), digest(1), NOW)
            await unit.repositories.delete(key)
            assert await unit.tags.of(key, digest(1)) == ()
            assert await unit.manifests.find(key, digest(1)) is None
            assert await unit.manifests.parents(key, digest(2)) == []
            assert await unit.tags.of(other, digest(1)) == ("kept",)

    async def test_repositories_made_and_removed_at_once_are_counted(self, metadata: Metadata, other: Metadata) -> None:
        """The same name too: nobody waits in a circle."""
        await registry(metadata)

        async def make(adapter: Metadata, name: str) -> None:
            async with adapter.writing() as unit:
                await unit.repositories.add(REGISTRY.repository(name), RepositorySettings(), KEY, NOW)

        async def remove(adapter: Metadata, name: str) -> None:
            async with adapter.writing() as unit:
                if found := await unit.repositories.lock(REGISTRY.repository(name)):
                    await unit.repositories.delete(found.key)

        for _ in range(10):
            await asyncio.gather(
                *(
                    act(adapter, name)
                    for name in ("aa", "bb")
                    for adapter in (metadata, other)
                    for act in (make, remove)
                )
            )
        await assert_counted(metadata)
