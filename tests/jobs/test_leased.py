"""Leased jobs: one at a time, when due, whatever happened to the last."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from portside.jobs.leased import Job, Jobs
from portside.storage.errors import StorageUnavailable
from portside.storage.metadata.sqlite import SqliteMetadata
from tests.registry.fakes import Rows
from tests.registry.house import Clock

HOUR = 3600
INTERVAL = HOUR * 1_000_000


class Work:
    """Work that counts, and can be made to wait or to fail."""

    def __init__(self) -> None:
        self.done = 0
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.failure: Exception | None = None

    async def __call__(self) -> None:
        self.began.set()
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        self.done += 1


class Sleep:
    """A sleep that ends when the test says so, and tells how long it would have been."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self.turns: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self.turns.get()

    def end(self) -> None:
        self.turns.put_nowait(None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def rows(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Rows]:
    metadata = SqliteMetadata(shutil.copyfile(migrated_sqlite, tmp_path / "portside.db"))
    yield Rows(metadata)
    await metadata.close()


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
def job(work: Work) -> Job:
    return Job("sweep", INTERVAL, work)


async def test_a_job_is_done_when_it_is_due_and_not_before(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    jobs = Jobs(rows, clock)
    assert await jobs.run_if_due(job)
    assert not await jobs.run_if_due(job)
    clock.forward(HOUR - 1)
    assert not await jobs.run_if_due(job)
    clock.forward(1)
    assert await jobs.run_if_due(job)
    assert work.done == 2


async def test_whichever_worker_comes_first_does_it_for_all(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    one, two = Jobs(rows, clock), Jobs(rows, clock)
    assert sorted(await asyncio.gather(one.run_if_due(job), two.run_if_due(job))) == [False, True]
    clock.forward(HOUR)
    assert await two.run_if_due(job)
    assert not await one.run_if_due(job)
    assert work.done == 2


async def test_a_holder_that_died_is_waited_for_until_its_lease_runs_out(
    rows: Rows, clock: Clock, work: Work, job: Job
) -> None:
    async with rows.writing() as unit:
        await unit.leases.take("sweep", "dead", clock(), clock() + 60_000_000)
    jobs = Jobs(rows, clock)
    assert not await jobs.run_if_due(job)
    clock.forward(60)
    assert await jobs.run_if_due(job)
    assert work.done == 1


async def test_a_shorter_interval_waits_for_no_longer_one(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    jobs = Jobs(rows, clock)
    assert await jobs.run_if_due(replace(job, interval=24 * INTERVAL))
    assert await jobs.run_if_due(job)
    assert not await jobs.run_if_due(job)
    assert work.done == 2


async def test_a_job_that_failed_is_due_again_soon(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    jobs = Jobs(rows, clock)
    work.failure = StorageUnavailable("The database does not answer.")
    with pytest.raises(StorageUnavailable):
        await jobs.run_if_due(job)
    clock.forward(59)
    assert not await jobs.run_if_due(job)
    clock.forward(1)
    work.failure = None
    assert await jobs.run_if_due(job)


async def test_a_failure_is_logged_and_the_job_goes_on(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    sleep = Sleep()
    jobs = Jobs(rows, clock, sleep=sleep)
    work.failure = RuntimeError("unforeseen")
    with capture_logs() as logs:
        jobs.start(job)
        assert await sleep.asked.get() == 5
        sleep.end()
        assert await sleep.asked.get() == 60
    assert [(line["event"], line["job"]) for line in logs] == [("job failed", "sweep")]
    work.failure = None
    clock.forward(60)
    sleep.end()
    assert await sleep.asked.get() == HOUR
    assert work.done == 1
    await jobs.close()


async def test_a_database_that_does_not_answer_ends_no_job(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    sleep = Sleep()
    jobs = Jobs(rows, clock, sleep=sleep)
    rows.failure = StorageUnavailable("The database does not answer.")
    with capture_logs():
        jobs.start(job)
        await sleep.asked.get()
        sleep.end()
        assert await sleep.asked.get() == 60
    rows.failure = None
    sleep.end()
    assert await sleep.asked.get() == HOUR
    assert work.done == 1
    await jobs.close()


async def test_a_start_waits_for_what_is_due_from_before(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    await Jobs(rows, clock).run_if_due(job)
    clock.forward(HOUR / 2)
    sleep = Sleep()
    jobs = Jobs(rows, clock, sleep=sleep)
    jobs.start(job)
    await sleep.asked.get()
    sleep.end()
    assert await sleep.asked.get() == HOUR / 2
    clock.forward(HOUR / 2)
    sleep.end()
    assert await sleep.asked.get() == HOUR
    assert work.done == 2
    await jobs.close()


async def test_closing_ends_a_job_at_its_work_and_lets_others_do_it_soon(
    rows: Rows, clock: Clock, work: Work, job: Job
) -> None:
    work.go_on.clear()
    sleep = Sleep()
    jobs = Jobs(rows, clock, sleep=sleep)
    jobs.start(job)
    sleep.end()
    await work.began.wait()
    await jobs.close()
    assert work.done == 0
    work.go_on.set()
    clock.forward(60)
    assert await Jobs(rows, clock).run_if_due(job)


async def until(rows: Rows) -> int:
    async with rows.reading() as unit:
        return await unit.leases.until("sweep")


async def test_a_job_that_takes_long_keeps_its_lease(rows: Rows, clock: Clock, work: Work, job: Job) -> None:
    work.go_on.clear()
    extended = asyncio.Event()
    running = asyncio.ensure_future(Jobs(rows, clock, extend_every=0.001).run_if_due(job))
    await work.began.wait()
    rows.before_commit = extended.set
    for _ in range(3):
        clock.forward(50)
        # The first may have looked at the clock before it went forward; when the second comes, it has committed.
        for _ in range(3):
            extended.clear()
            await extended.wait()
        assert await until(rows) == clock() + 60_000_000
        assert not await Jobs(rows, clock).run_if_due(job)
    work.go_on.set()
    assert await running
    assert work.done == 1


async def test_a_job_whose_lease_another_took_is_left_to_that_one(
    rows: Rows, clock: Clock, work: Work, job: Job
) -> None:
    work.go_on.clear()
    with capture_logs() as logs:
        running = asyncio.ensure_future(Jobs(rows, clock, extend_every=0.2).run_if_due(job))
        await work.began.wait()
        async with rows.writing() as unit:
            assert await unit.leases.take("sweep", "another", clock() + 60_000_000, clock() + 120_000_000)
        await running
    assert [line["event"] for line in logs] == ["job handed over"]
    assert (work.done, await until(rows)) == (0, clock() + 120_000_000)


async def test_closing_without_a_job_is_closing(rows: Rows, clock: Clock) -> None:
    await Jobs(rows, clock).close()
