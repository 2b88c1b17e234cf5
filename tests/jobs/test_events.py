from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from portside.jobs.events import forget_old_events
from tests.registry.house import SECOND, Clock, opened


async def test_old_events_are_forgotten_in_one_line(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, clock) as house:
        await house.create()
        await house.image("v1")
        job = forget_old_events(house.stores.metadata, clock, 10 * SECOND)
        with capture_logs() as logs:
            await job.work()
            clock.forward(11)
            await job.work()
        assert [(line["event"], line["count"]) for line in logs] == [("old events removed", 1)]
