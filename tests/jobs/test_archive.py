from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from portside.core.names import ImageId, parse_tag
from portside.jobs.archive import archive
from tests.registry.house import APP, Clock, opened


async def test_a_run_says_in_one_line_what_it_moved(tmp_path: Path) -> None:
    (tmp_path / "main").mkdir()
    async with opened(tmp_path / "main", Clock(), archive=tmp_path / "archive") as house:
        await house.create()
        await house.image("v1")
        await house.registry.storage_classes.update(house.caller, APP, ImageId(parse_tag("v1")), "ARCHIVE")
        assert house.moving is not None
        job = archive(house.moving, 60_000_000)
        assert (job.name, job.interval) == ("archive", 60_000_000)
        with capture_logs() as logs:
            await job.work()
            await job.work()
        assert [(line["log_level"], line["event"], line["archived"]) for line in logs] == [
            ("info", "blobs moved", 1),
            ("debug", "blobs moved", 0),
        ]
