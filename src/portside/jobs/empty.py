"""Emptying deleted repositories as a job: one line of how many."""

from __future__ import annotations

import structlog

from portside.jobs.leased import Job
from portside.registry.emptying import Emptying

_log = structlog.get_logger()
_INTERVAL = 60 * 1_000_000
"""Microseconds."""


def empty(emptying: Emptying) -> Job:
    """The job that empties what was deleted with very much in it, every minute."""

    async def work() -> None:
        if count := await emptying.run():
            _log.info("deleted repositories emptied", repositories=count)

    return Job("empty", _INTERVAL, work)
