"""Leased jobs: work that comes round again and that one node or worker at a time does.

A job has a lease, a row with a time. While the job runs, its holder moves the time on; at the end it sets it to when
the job is due again. So the row says both that somebody is at it and when the next one may be, across restarts and
whoever comes to it first. A holder that died is waited for until its lease runs out. A row that says more than two
intervals from now was written when the interval was longer, and holds nobody up.

Rule: a job fails for itself. Its failure is logged and it is tried again; nothing else notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex

import structlog

from portside.registry.content import until_done
from portside.storage.metadata.port import Metadata

_log = structlog.get_logger()
_SECOND = 1_000_000
_LEASE = 60 * _SECOND
"""Microseconds that a holder which died is waited for."""
_EXTEND = 20.0
_RETRY = 60 * _SECOND
"""Microseconds after which a job that failed is due again, or its interval when that is shorter."""
_SOONEST = 1.0
_FIRST = 5.0
"""Seconds before the first look: a start has other things to do."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work; `interval` are the microseconds from the beginning of one run to that of the next."""

    name: str
    interval: int
    work: Callable[[], Awaitable[object]]


class Jobs:
    """The jobs that this worker offers to do."""

    def __init__(
        self,
        metadata: Metadata,
        clock: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        extend_every: float = _EXTEND,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._sleep = sleep
        self._extend_every = extend_every
        self._holder = token_hex(16)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, job: Job) -> None:
        """Do a job whenever it is due and nobody else does it, until `close`."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._keep(job), name=f"job {job.name}"))

    async def close(self) -> None:
        """Stop; what a job has not finished is left for the next who does it."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            await until_done(task)
        self._tasks.clear()

    async def run_if_due(self, job: Job) -> bool:
        """Do the job now when it is due and nobody else is at it; whether it was done."""
        began = self._clock()
        latest = began + 2 * max(job.interval, _LEASE)
        async with self._metadata.reading() as unit:
            if began < await unit.leases.until(job.name) <= latest:
                return False
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.leases.take(job.name, self._holder, began, began + _LEASE, latest):
                return False
        done = False
        try:
            await self._while_leased(job)
            done = True
        finally:
            due = began + job.interval if done else self._clock() + min(_RETRY, job.interval)
            async with self._metadata.writing(durable=False) as unit:
                await unit.leases.extend(job.name, self._holder, due)
        return True

    async def _keep(self, job: Job) -> None:
        wait = _FIRST
        while True:
            await self._sleep(wait)
            try:
                await self.run_if_due(job)
                wait = await self._until_due(job)
            except Exception:  # noqa: BLE001 - whatever it is, the next time it may work
                _log.exception("job failed", job=job.name)
                wait = max(min(_RETRY, job.interval) / _SECOND, _SOONEST)

    async def _until_due(self, job: Job) -> float:
        async with self._metadata.reading() as unit:
            until = await unit.leases.until(job.name)
        # Looked at no later than an interval from now, should a clock have been wrong.
        return max(min(until - self._clock(), job.interval) / _SECOND, _SOONEST)

    async def _while_leased(self, job: Job) -> None:
        """Do the work; stop when somebody else took the lease, as after a pause of this machine."""
        task = asyncio.ensure_future(job.work())
        try:
            while not (await asyncio.wait({task}, timeout=self._extend_every))[0]:
                async with self._metadata.writing(durable=False) as unit:
                    if not await unit.leases.extend(job.name, self._holder, self._clock() + _LEASE):
                        _log.warning("job handed over", job=job.name)
                        return
        finally:
            task.cancel()
            await until_done(task)
        await task
