"""Whatever two processes do in whatever order, sweeps among it: what is needed stays, and all else goes."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import text

from portside.core.digest import Digest
from portside.core.errors import LayersNotFound
from portside.core.names import ImageId, RepositoryId, parse_tag
from portside.registry.stores import GRACE
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.postgres import PostgresMetadata
from portside.storage.metadata.statements import Row, prepare
from tests.postgres import empty
from tests.registry.fakes import Aged
from tests.registry.house import ACCOUNT, HOME, Clock, House, image_of, in_pieces, noise, opened
from tests.registry.test_histories import COUNTS

NAMES = [HOME.repository("team/one"), HOME.repository("team/two")]
TAGS = ["v1", "v2"]
HOUR = 3600
PROMISED = GRACE - GRACE // 8
"""Whoever was told that a layer is there has so much time for its manifest."""

repositories = st.sampled_from(NAMES)
processes = st.integers(0, 1)
CONTENTS = [noise(0), noise(1000), noise(70_000)]
contents = st.sampled_from(CONTENTS)
Connect = Callable[[], Awaitable[Metadata | None]]


@dataclass
class Shelf:
    """What one repository must hold, and may."""

    images: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """Each manifest with the content that it refers to."""
    tags: dict[str, bytes] = field(default_factory=dict)
    told: dict[bytes, int] = field(default_factory=dict)
    """When somebody was last told that content is there."""

    def refers(self, content: bytes) -> bool:
        return any(content in needed for needed in self.images.values())

    def drop(self, manifest: bytes, now: int) -> None:
        self.told |= dict.fromkeys(self.images.pop(manifest), now)
        self.tags = {tag: found for tag, found in self.tags.items() if found != manifest}


class Collections(RuleBasedStateMachine):
    """Two processes at one database and one folder, and a model of what they promised."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self.connect = connect
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.written: dict[str, int] = {}
        self.shelves: dict[RepositoryId, Shelf] = {}
        self.houses: list[House] = []
        self.stacks: list[AsyncExitStack] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.clock.forward(0.001)
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        for _ in range(2):
            house, stack = self.run(self.opened())
            self.houses.append(house)
            self.stacks.append(stack)
        house = self.houses[0]
        self.run(house.registry.settings.put(house.caller, HOME, "BLOB_MOUNTING", "ENABLED"))
        for repository in NAMES:
            self.create(0, repository)

    async def opened(self) -> tuple[House, AsyncExitStack]:
        stack = AsyncExitStack()
        house = await stack.enter_async_context(
            opened(
                Path(self.folder.name),
                self.clock,
                blobs=lambda store: Aged(store, self.clock, self.written),
                database=await self.connect(),
            )
        )
        return house, stack

    def teardown(self) -> None:
        try:
            if self.houses:
                self.space_converges()
        finally:
            for stack in self.stacks:
                self.runner.run(stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    def rows(self, statement: str) -> list[Row]:
        async def asked() -> list[Row]:
            async with self.houses[0].stores.metadata.reading() as unit:
                return list(await unit.garbage._session.rows(prepare(text(statement))))

        return self.run(asked())

    # --- what clients do

    @rule(process=processes, repository=repositories)
    def create(self, process: int, repository: RepositoryId) -> None:
        if repository not in self.shelves:
            self.run(self.houses[process].create(repository))
            self.shelves[repository] = Shelf()

    @rule(process=processes, repository=repositories, often=st.integers(0, 3))
    def delete_repository(self, process: int, repository: RepositoryId, often: int) -> None:
        if repository in self.shelves and often == 0:
            house = self.houses[process]
            self.run(house.registry.repositories.delete(house.caller, repository, force=True))
            del self.shelves[repository]

    @rule(process=processes, repository=repositories, content=contents)
    def push(self, process: int, repository: RepositoryId, content: bytes) -> None:
        if repository in self.shelves:
            self.run(self.houses[process].push(content, repository))
            self.shelves[repository].told[content] = self.clock.now

    @rule(process=processes, repository=repositories, content=contents)
    def leave_an_upload(self, process: int, repository: RepositoryId, content: bytes) -> None:
        async def left() -> None:
            house = self.houses[process]
            upload = await house.registry.uploads.begin(house.caller, repository)
            await house.registry.uploads.receive(house.caller, repository, upload.id, in_pieces(content))

        if repository in self.shelves:
            self.run(left())

    @rule(process=processes, content=contents, published=st.booleans())
    def crash(self, process: int, content: bytes, *, published: bool) -> None:
        """Leave a file that no row names."""
        house = self.houses[process]
        key = self.run(house.stores.keys.key_for("content", ACCOUNT))
        location, blobs = f"{key.id}/{os.urandom(16).hex()}", house.stores.blobs
        blobs.write(location, 0, content, last=True)
        if published:
            blobs.publish(location, len(content))

    @rule(process=processes, repository=repositories)
    def ask(self, process: int, repository: RepositoryId) -> None:
        """What a client does before it pushes an image."""
        if repository in self.shelves:
            shelf = self.shelves[repository]
            for content in CONTENTS:
                if self.run(self.houses[process].holds(Digest.of(content), repository)):
                    shelf.told[content] = self.clock.now
                else:
                    assert not self.must_hold(shelf, content)

    @rule(process=processes, giver=repositories, taker=repositories, content=contents)
    def mount(self, process: int, giver: RepositoryId, taker: RepositoryId, content: bytes) -> None:
        if not {giver, taker} <= self.shelves.keys():
            return
        house = self.houses[process]
        if self.run(house.registry.mounts.mount(house.caller, taker, Digest.of(content), giver)):
            self.shelves[taker].told[content] = self.clock.now
        else:
            # A layer that no image of the giver refers to is not mounted.
            assert not self.shelves[giver].refers(content)

    @rule(process=processes, repository=repositories, config=contents, layer=contents, tag=st.sampled_from(TAGS))
    def put(self, process: int, repository: RepositoryId, config: bytes, layer: bytes, tag: str) -> None:
        if repository not in self.shelves:
            return
        shelf, manifest = self.shelves[repository], image_of(config, layer)
        try:
            self.run(self.houses[process].put(manifest, tag, repository))
        except LayersNotFound:
            assert not all(self.must_hold(shelf, content) for content in (config, layer))
        else:
            shelf.images[manifest] = (config, layer)
            shelf.tags[tag] = manifest

    @rule(process=processes, repository=repositories, data=st.data())
    def delete_image(self, process: int, repository: RepositoryId, data: st.DataObject) -> None:
        if repository in self.shelves and self.shelves[repository].images:
            shelf = self.shelves[repository]
            manifest = data.draw(st.sampled_from(sorted(shelf.images)))
            self.run(self.houses[process].delete(ImageId(digest=Digest.of(manifest)), repository=repository))
            shelf.drop(manifest, self.clock.now)

    @rule(process=processes, repository=repositories, tag=st.sampled_from(TAGS))
    def untag(self, process: int, repository: RepositoryId, tag: str) -> None:
        if repository in self.shelves and tag in self.shelves[repository].tags:
            shelf = self.shelves[repository]
            self.run(self.houses[process].delete(ImageId(tag=parse_tag(tag)), repository=repository))
            manifest = shelf.tags.pop(tag)
            if manifest not in shelf.tags.values():
                shelf.drop(manifest, self.clock.now)

    # --- time, sweeps, restarts

    @rule(hours=st.sampled_from([1, 5, 20, 25]), process=st.none() | processes)
    def wait(self, hours: int, process: int | None) -> None:
        self.clock.forward(hours * HOUR)
        if process is not None:
            self.run(self.houses[process].collection.sweep())
            self.all_that_is_needed_is_there()

    @rule()
    def sweep_twice_at_once(self) -> None:
        async def both() -> None:
            await asyncio.gather(*(house.collection.sweep() for house in self.houses))

        self.run(both())
        self.all_that_is_needed_is_there()

    @rule(repository=repositories, content=contents)
    def sweep_while_it_is_pushed(self, repository: RepositoryId, content: bytes) -> None:
        async def both() -> None:
            await asyncio.gather(self.houses[0].collection.sweep(), self.houses[1].push(content, repository))

        if repository in self.shelves:
            self.run(both())
            self.shelves[repository].told[content] = self.clock.now
            self.all_that_is_needed_is_there()

    @rule(process=processes)
    def restart(self, process: int) -> None:
        self.runner.run(self.stacks[process].aclose())
        self.houses[process], self.stacks[process] = self.run(self.opened())

    # --- what must be true

    def must_hold(self, shelf: Shelf, content: bytes) -> bool:
        told = shelf.told.get(content)
        return shelf.refers(content) or (told is not None and self.clock.now - told <= PROMISED)

    def all_that_is_needed_is_there(self) -> None:
        for law, statement in COUNTS.items():
            assert self.rows(statement) == [], law
        for repository, shelf in self.shelves.items():
            for content in {*shelf.told, *(one for needed in shelf.images.values() for one in needed)}:
                if self.must_hold(shelf, content):
                    assert self.run(self.houses[0].read(Digest.of(content), repository)) == content
            for manifest in shelf.images:
                house, asked = self.houses[1], ImageId(digest=Digest.of(manifest))
                assert self.run(house.registry.images.get(house.caller, repository, asked)).content == manifest

    def space_converges(self) -> None:
        for _ in range(3):
            self.run(self.houses[0].collection.sweep())
            self.clock.forward(GRACE / 1_000_000 + 1)
        self.all_that_is_needed_is_there()
        referenced = {
            str(Digest.of(content))
            for shelf in self.shelves.values()
            for needed in shelf.images.values()
            for content in needed
        }
        blobs = self.rows("SELECT digest, location FROM blobs")
        assert {digest for digest, _ in blobs} == referenced
        files = {path.name for path in Path(self.folder.name).rglob("*") if len(path.name) == len("0" * 32)}
        assert files - {key[0] for key in self.rows("SELECT id FROM data_keys")} == {
            location.partition("/")[2] for _, location in blobs
        }
        assert self.rows("SELECT id FROM uploads") == []


async def on_sqlite() -> None:
    """No other database than the house's own."""


def test_on_sqlite_and_a_folder() -> None:
    run_state_machine_as_test(lambda: Collections(on_sqlite), settings=examples(30, 40))


def test_on_postgresql_and_a_folder(own_postgres: str) -> None:
    def machine() -> Collections:
        asyncio.run(empty(own_postgres))
        return Collections(lambda: PostgresMetadata.connect(own_postgres))

    run_state_machine_as_test(machine, settings=examples(6, 25))


def examples(count: int, steps: int) -> settings:
    return settings(
        max_examples=count, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
