"""The sweep as a job: one line of what it freed."""

from __future__ import annotations

from dataclasses import asdict

import structlog

from portside.jobs.leased import Job
from portside.registry.collection import Collection, Swept

_log = structlog.get_logger()


def collect(collection: Collection, interval: int) -> Job:
    """The job that sweeps; `interval` in microseconds."""

    async def work() -> None:
        swept = await collection.sweep()
        note = _log.debug if swept == Swept() else _log.info
        note("garbage collected", **asdict(swept))

    return Job("collect", interval, work)
