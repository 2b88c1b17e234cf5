"""The moves to and from the archive location as a job: one line of what it moved."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from portside.jobs.leased import Job
from portside.registry.moving import Moved, Moving

_log = structlog.get_logger()


def archive(moving: Moving, interval: int) -> Job:
    """The job that moves blobs; `interval` in microseconds."""

    async def work() -> None:
        moved = await moving.run()
        note = _log.debug if moved == Moved() else _log.info
        note("blobs moved", **asdict(moved))

    return Job("archive", interval, work)
