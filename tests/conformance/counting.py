"""Counts stay right whatever happens in which order (ARCHITECTURE.md, law 7): a machine that does anything at all.

It moves rows as the registry does (registry/images.py, registry/uploads.py, registry/repositories.py), and undoes a
unit now and then. After every step, every count is what counting gives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from portside.core.records import RepositorySettings
from portside.storage.metadata.port import Metadata, Unit
from tests.conformance.nouns.counts import assert_counted
from tests.conformance.nouns.rows import KEY, NOW, REGISTRY, digest, image, registry

repositories = st.sampled_from(["one", "two", "three"])
blobs = st.integers(1, 4)
parents = st.integers(10, 13)
indexes = st.integers(20, 21)
kept = st.sampled_from([True, True, True, False])


class Undone(Exception):
    """A unit is left before its end."""


class CountingMachine(RuleBasedStateMachine):
    """Pushes and deletes; `connect` gives an adapter on a database without rows."""

    def __init__(self, connect: Callable[[], Awaitable[Metadata]]) -> None:
        super().__init__()
        self._connect = connect
        self._runner = asyncio.Runner()

    def teardown(self) -> None:
        self._runner.run(self._metadata.close())
        self._runner.close()

    @initialize()
    def begin(self) -> None:
        self._runner.run(self._begin())

    @rule(name=repositories, number=blobs, kept=kept)
    def push_layer(self, name: str, number: int, *, kept: bool) -> None:
        self._runner.run(self._push_layer(name, number, kept=kept))

    @rule(name=repositories, parent=parents, layers=st.sets(blobs), kept=kept)
    def push_image(self, name: str, parent: int, layers: set[int], *, kept: bool) -> None:
        self._runner.run(self._push_image(name, parent, layers, kept=kept))

    @rule(name=repositories, index=indexes, children=st.sets(parents))
    def push_index(self, name: str, index: int, children: set[int]) -> None:
        self._runner.run(self._push_index(name, index, children))

    @rule(name=repositories, parent=parents | indexes, tag=st.sampled_from(["a", "b"]), kept=kept)
    def tag(self, name: str, parent: int, tag: str, *, kept: bool) -> None:
        self._runner.run(self._tag(name, parent, tag, kept=kept))

    @rule(name=repositories, tag=st.sampled_from(["a", "b"]))
    def untag(self, name: str, tag: str) -> None:
        self._runner.run(self._untag(name, tag))

    @rule(name=repositories, parent=parents | indexes, kept=kept)
    def delete_image(self, name: str, parent: int, *, kept: bool) -> None:
        self._runner.run(self._delete_image(name, parent, kept=kept))

    @rule(name=repositories, kept=kept)
    def delete_repository(self, name: str, *, kept: bool) -> None:
        self._runner.run(self._delete_repository(name, kept=kept))

    @invariant()
    def every_count_is_what_counting_gives(self) -> None:
        self._runner.run(assert_counted(self._metadata))

    async def _begin(self) -> None:
        self._metadata = await self._connect()
        await registry(self._metadata)

    async def _push_layer(self, name: str, number: int, *, kept: bool) -> None:
        async with self._repository(name, kept=kept) as (unit, key):
            await unit.layers.add_blob(KEY, digest(number), f"{KEY}/{number}", number, NOW)
            await unit.layers.link(key, KEY, digest(number), NOW)

    async def _push_image(self, name: str, parent: int, layers: set[int], *, kept: bool) -> None:
        async with self._repository(name, kept=kept) as (unit, key):
            held = [number for number in layers if await unit.layers.find(key, digest(number))]
            if await unit.manifests.add(key, image(parent), b""):
                for number in held:
                    await unit.manifests.refer(key, digest(parent), digest(number), is_image=False)
                    await unit.layers.refer(key, digest(number), "layer", NOW)

    async def _push_index(self, name: str, index: int, children: set[int]) -> None:
        async with self._repository(name, kept=True) as (unit, key):
            if await unit.manifests.add(key, image(index), b""):
                for child in children:
                    await unit.manifests.refer(key, digest(index), digest(child), is_image=True)

    async def _tag(self, name: str, parent: int, tag: str, *, kept: bool) -> None:
        async with self._repository(name, kept=kept) as (unit, key):
            if await unit.manifests.find(key, digest(parent)):
                await unit.tags.put(key, tag, digest(parent), NOW)

    async def _untag(self, name: str, tag: str) -> None:
        async with self._repository(name, kept=True) as (unit, key):
            await unit.tags.delete(key, tag)

    async def _delete_image(self, name: str, parent: int, *, kept: bool) -> None:
        async with self._repository(name, kept=kept) as (unit, key):
            await unit.tags.delete_of(key, digest(parent))
            await unit.layers.release(key, digest(parent), NOW)
            await unit.manifests.delete(key, digest(parent))

    async def _delete_repository(self, name: str, *, kept: bool) -> None:
        async with self._repository(name, kept=kept) as (unit, key):
            for last in sorted(map(digest, range(10, 22)), key=str):
                await unit.tags.delete_through(key, last)
                await unit.layers.release_through(key, last, NOW)
                await unit.manifests.delete_through(key, last)
            while await unit.layers.let_go(key, 2, NOW):
                pass
            await unit.repositories.delete(key)

    @asynccontextmanager
    async def _repository(self, name: str, *, kept: bool) -> AsyncIterator[tuple[Unit, int]]:
        """A unit, and a repository in it."""
        try:
            async with self._metadata.writing() as unit:
                await unit.repositories.add(REGISTRY.repository(name), RepositorySettings(), KEY, NOW)
                found = await unit.repositories.lock(REGISTRY.repository(name))
                assert found is not None
                yield unit, found.key
                _leave(kept=kept)
        except Undone:
            pass


def _leave(*, kept: bool) -> None:
    if not kept:
        raise Undone
