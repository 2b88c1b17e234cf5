from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from portside.jobs.collect import collect
from tests.registry.house import Clock, opened


async def test_the_sweep_says_in_one_line_what_it_freed(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, clock) as house:
        await house.create()
        await house.push(b"layer")
        job = collect(house.collection, 3_600_000_000)
        assert (job.name, job.interval) == ("collect", 3_600_000_000)
        # Files are as old as they are: the clock of the test stands long before.
        clock.forward(24 * 3600 + 1)
        with capture_logs() as logs:
            await job.work()
            await job.work()
        assert [(line["log_level"], line["event"], line["layers"]) for line in logs] == [
            ("info", "garbage collected", 1),
            ("debug", "garbage collected", 0),
        ]
