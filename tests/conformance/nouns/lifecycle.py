"""Lifecycle policies, their previews, and what a policy looks at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portside.core.names import Tag
from portside.storage.metadata.lifecycle import PolicyRow
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.previews import PreviewRow
from tests.conformance.nouns.rows import NOW, REGISTRY, digest, image, key_of

PREVIEW = PreviewRow("one", "{}", "IN_PROGRESS", NOW, NOW)


class LifecycleConformance:
    async def test_a_policy_is_due_until_it_was_applied(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.lifecycle.put(key, "first", NOW + 1)
            await unit.lifecycle.put(other, "another", NOW)
            assert await unit.lifecycle.due(NOW - 1, 10) == []
            assert await unit.lifecycle.due(NOW, 10) == [REGISTRY.repository("other")]
            both = [REGISTRY.repository("other"), REGISTRY.repository("team/app")]
            assert await unit.lifecycle.due(NOW + 1, 10) == both
            assert await unit.lifecycle.due(NOW + 1, 1) == both[:1]
            assert await unit.lifecycle.all() == both[::-1]
            await unit.lifecycle.evaluated(key, NOW + 2, NOW + 100)
            assert await unit.lifecycle.due(NOW + 99, 10) == both[:1]
            assert await unit.lifecycle.find(key) == PolicyRow("first", NOW + 2)

    async def test_policies_that_would_be_due_too_late_are_due_sooner(self, metadata: Metadata) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            await unit.lifecycle.put(key, "first", NOW + 100)
            await unit.lifecycle.put(other, "another", NOW + 101)
            await unit.lifecycle.hasten(NOW + 100, NOW)
            assert await unit.lifecycle.due(NOW + 99, 10) == [REGISTRY.repository("other")]

    async def test_a_policy_put_again_is_due_and_keeps_when_the_last_one_was_applied(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.lifecycle.put(key, "first", NOW)
            await unit.lifecycle.evaluated(key, NOW, NOW + 100)
            await unit.lifecycle.put(key, "second", NOW + 1)
            assert await unit.lifecycle.find(key) == PolicyRow("second", NOW)
            assert await unit.lifecycle.due(NOW + 1, 10) == [REGISTRY.repository("team/app")]
            await unit.lifecycle.delete(key)
            assert await unit.lifecycle.find(key) is None

    async def test_a_preview_takes_the_place_of_the_one_before(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            assert await unit.previews.find(key) is None
            await unit.previews.start(key, PREVIEW)
            await unit.previews.add_results(key, "one", 0, [("a", "1"), ("b", "2"), ("c", "3")])
            assert await unit.previews.end(key, "one", "COMPLETE", 2, 1)
            assert await unit.previews.find(key) == replace(PREVIEW, status="COMPLETE", expiring=2, transitioning=1)
            await unit.previews.start(key, other := replace(PREVIEW, id="two"))
            await unit.previews.alive(key, "one", NOW + 1)
            assert await unit.previews.find(key) == other
            await unit.previews.alive(key, "two", NOW + 1)
            assert await unit.previews.find(key) == replace(other, alive_at=NOW + 1)
            assert not await unit.previews.end(key, "one", "FAILED", 0, 0)
            assert await unit.previews.find(key) == replace(other, alive_at=NOW + 1)
            assert await unit.previews.results(key, "two", -1, 10) == []
            await unit.previews.add_results(key, "two", 0, [("a", "4")])
            assert [await unit.previews.forget(key, "two", 2) for _ in range(3)] == [2, 1, 0]
            assert await unit.previews.results(key, "two", -1, 10) == [(0, "4")]

    @pytest.mark.parametrize("limit", [1, 2, 10])
    async def test_results_come_in_order(self, metadata: Metadata, limit: int) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.previews.add_results(key, "one", 0, [("c", "1"), ("a", "2")])
            await unit.previews.add_results(key, "one", 2, [("b", "3")])
            await unit.previews.add_results(key, "other", 0, [("a", "9")])
            found: list[tuple[int, str]] = []
            while page := await unit.previews.results(key, "one", found[-1][0] if found else -1, limit):
                found += page
            assert found == [(0, "1"), (1, "2"), (2, "3")]
            assert [await unit.previews.result(key, "one", one) for one in "abcd"] == ["2", "3", "1", None]

    @pytest.mark.parametrize("limit", [1, 2, 10])
    async def test_a_snapshot_has_tags_and_parents(self, metadata: Metadata, limit: int) -> None:
        key, other = await key_of(metadata), await key_of(metadata, "other")
        async with metadata.writing() as unit:
            for number in (1, 2, 3):
                await unit.manifests.add(key, image(number), b"")
            await unit.manifests.add(other, image(4), b"")
            for tag, number in (("b", 1), ("a", 1), ("c", 3)):
                await unit.tags.put(key, Tag(tag), digest(number), NOW)
            await unit.tags.put(other, Tag("d"), digest(2), NOW)
            await unit.manifests.refer(key, digest(3), digest(2), is_image=True)
            await unit.manifests.refer(key, digest(3), digest(1), is_image=False)
            found: list[tuple[int, list[str], list[str]]] = []
            after = ""
            while page := await unit.snapshots.page(key, after, limit):
                found += [(int(one.digest.hex, 16), [*tags], [*parents]) for one, tags, parents in page]
                after = str(page[-1][0].digest)
        assert found == [(1, ["a", "b"], []), (2, [], [str(digest(3))]), (3, ["c"], [])]

    async def test_times_of_archiving_are_kept(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"")
            for status, at in (("ARCHIVED", 1), ("ACTIVATING", 2), ("ACTIVE", 3)):
                await unit.manifests.set_status(key, digest(1), status, NOW + at)
                found = await unit.manifests.find(key, digest(1))
                assert found is not None
                assert found.status == status
            assert (found.archived_at, found.activated_at) == (NOW + 1, NOW + 3)

    async def test_a_repository_goes_with_its_policy_and_preview(self, metadata: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.lifecycle.put(key, "first", NOW)
            await unit.previews.start(key, PREVIEW)
            await unit.previews.add_results(key, "one", 0, [("a", "1")])
            await unit.repositories.delete(key)
            assert await unit.lifecycle.due(NOW, 10) == []
            assert await unit.previews.find(key) is None
