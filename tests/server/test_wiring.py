"""What a worker's life begins and ends beside its requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from portside.server import wiring
from portside.server.settings import Settings


@pytest.mark.parametrize(("interval", "jobs"), [(3600, ["job collect"]), (0, [])])
async def test_a_worker_offers_to_sweep_unless_sweeps_are_off(tmp_path: Path, interval: int, jobs: list[str]) -> None:
    settings = Settings(data=tmp_path / "data", collect_interval=interval)
    await wiring.prepare(settings)
    plant = await wiring.open(settings)
    assert sorted(task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("job ")) == jobs
    await plant.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("job ")] == []


async def test_the_grace_time_is_the_one_that_was_set(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", collect_grace=90)
    await wiring.prepare(settings)
    plant = await wiring.open(settings)
    assert plant.stores.grace == 90_000_000
    await plant.close()
