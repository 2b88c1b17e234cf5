"""The removal of old events as a job."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from portside.jobs.leased import Job
from portside.registry.events import prune
from portside.storage.metadata.port import Metadata

_log = structlog.get_logger()
_INTERVAL = 3600 * 1_000_000


def forget_old_events(metadata: Metadata, clock: Callable[[], int], kept_for: int) -> Job:
    """The job that removes events older than `kept_for` microseconds."""

    async def work() -> None:
        removed = await prune(metadata, clock, kept_for)
        if removed:
            _log.info("old events removed", count=removed)

    return Job("events", _INTERVAL, work)
