from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from portside.jobs.empty import empty
from portside.registry.emptying import Emptying
from tests.registry.house import APP, Clock, opened
from tests.registry.test_emptying import fill


async def test_a_run_says_in_one_line_how_many_it_emptied(tmp_path: Path) -> None:
    async with opened(tmp_path, Clock()) as house:
        await fill(house)
        await house.registry.repositories.delete(house.caller, APP, force=True)
        job = empty(Emptying(house.stores))
        assert (job.name, job.interval) == ("empty", 60_000_000)
        with capture_logs() as logs:
            await job.work()
            await job.work()
    assert [(line["event"], line["repositories"]) for line in logs] == [("deleted repositories emptied", 1)]
