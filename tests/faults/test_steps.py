"""Laws 1 to 3 at every single step of a push, a retag and deletions: an error, a death, and an answer that is lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from portside.storage.errors import NoSpace, StorageUnavailable
from portside.storage.metadata import tables
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.postgres import PostgresMetadata
from portside.storage.metadata.statements import prepare
from tests.conformance.nouns.counts import assert_counted
from tests.distribution.driver import Answer, client_of
from tests.faults.steps import Died, SteppedBlobs, SteppedMetadata, Steps
from tests.faults.story import Step, Story, Teller
from tests.registry.house import Clock, House, open_house

_HOLD = 16
"""Seconds after which a dead request's hold on an upload has ended."""
_FEWEST = 60
_BLOBS = prepare(select(tables.blobs.c.location, tables.blobs.c.size))


class World:
    """A registry that can be opened again, over the same folder and database."""

    def __init__(self, folder: Path, postgres: str | None) -> None:
        self._folder = folder
        self._postgres = postgres
        self.clock = Clock(time.time_ns() // 1000)
        self.steps = Steps()
        self._house: House | None = None

    async def open(self) -> Teller:
        """A process."""
        self.steps = steps = Steps()
        database = await PostgresMetadata.connect(self._postgres) if self._postgres else None
        unused: list[Metadata] = []

        def metadata(rows: Metadata) -> Metadata:
            if database is None:
                return SteppedMetadata(rows, steps)
            unused.append(rows)
            return SteppedMetadata(database, steps)

        self._house = await open_house(
            self._folder, self.clock, blobs=lambda inner: SteppedBlobs(inner, steps), metadata=metadata
        )
        for rows in unused:
            await rows.close()
        return Teller(self._house, await client_of(self._house))

    async def close(self) -> None:
        """Whatever state it is in."""
        if self._house is not None:
            await self._house.close()


@asynccontextmanager
async def world(folder: Path, postgres: str | None) -> AsyncIterator[World]:
    made = World(folder, postgres)
    try:
        yield made
    finally:
        await made.close()


def unavailable() -> None:
    raise StorageUnavailable("The store does not answer.")


def full() -> None:
    raise NoSpace("The disk is full.")


@pytest.mark.parametrize("act", [unavailable, full])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
async def test_after_an_error_at_any_step_the_same_request_succeeds(
    tmp_path: Path, act: Callable[[], None], *, lasting: bool
) -> None:
    async with world(tmp_path, None) as made:
        await _errors(made, act, lasting=lasting)


async def test_after_an_error_at_any_step_the_same_request_succeeds_on_postgresql(
    tmp_path: Path, empty_postgres: str
) -> None:
    async with world(tmp_path, empty_postgres) as made:
        await _errors(made, unavailable, lasting=False)


async def _errors(made: World, act: Callable[[], None], *, lasting: bool) -> None:
    teller = await made.open()
    for number in itertools.count(1):
        story = Story(f"team/step-{number}", number)
        await story.begin(teller)
        made.steps.arm(number, act, lasting=lasting)
        for step in story.steps:
            before = made.steps.fired
            answer = await step.request(teller)
            if made.steps.fired == before:
                assert answer.status == step.status
                continue
            made.steps.disarm()
            _expect_error_or(step, answer)
            if lasting:
                made.clock.forward(_HOLD)  # nobody could let go of the upload
            await _again(story, step, teller)
        made.steps.disarm()
        await story.verify_end(teller)
        if made.steps.fired is None:
            break
    assert number > _FEWEST
    await _verify_rows(teller.house)


async def test_after_a_death_at_any_step_everything_acknowledged_is_there(tmp_path: Path) -> None:
    async with world(tmp_path, None) as made:
        await _deaths(made)


async def test_after_a_death_at_any_step_everything_acknowledged_is_there_on_postgresql(
    tmp_path: Path, empty_postgres: str
) -> None:
    async with world(tmp_path, empty_postgres) as made:
        await _deaths(made)


async def _deaths(here: World) -> None:
    teller = await here.open()
    for number in itertools.count(1):
        story = Story(f"team/step-{number}", number)
        await story.begin(teller)
        died, steps = False, here.steps
        steps.arm(number, steps.die)
        for step in story.steps:
            try:
                answer = await step.request(teller)
            except Died:
                died = True
                await here.close()
                teller = await here.open()
                here.clock.forward(_HOLD)
                await _again(story, step, teller)
            else:
                assert answer.status == step.status
        here.steps.disarm()
        await story.verify_end(teller)
        if not died:
            break
    assert number > _FEWEST
    await _verify_rows(teller.house)


def _expect_error_or(step: Step, answer: Answer) -> None:
    """A failure that harms nobody, such as garbage that stays, need not be told."""
    if answer.status == step.status:
        return
    assert answer.status in {500, 503}
    if answer.body:
        assert answer.json["errors"][0]["code"] == "UNKNOWN"
        assert (answer.headers.get("retry-after") == "1") == (answer.status == 503)


async def _again(story: Story, step: Step, teller: Teller) -> None:
    await story.verify(teller)
    # The clock stands still, so that whoever waits for a hold waits for ever.
    answer = await asyncio.wait_for(step.request(teller), 10)
    assert answer.status in step.again, answer


async def _verify_rows(house: House) -> None:
    """No row names what is not there, and every count is what counting gives."""
    await assert_counted(house.stores.metadata)
    async with house.stores.metadata.reading() as unit:
        session: Any = unit.layers._session
        blobs = await session.rows(_BLOBS)
    assert blobs
    assert all(house.stores.blobs.holds(location, size) for location, size in blobs)
