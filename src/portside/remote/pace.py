"""How many requests may be under way to one host, and when the next may begin: slower when it says so.

The number grows by one for every full round of answers, and is halved by a refusal (additive increase, multiplicative
decrease, as TCP's), and everybody waits out the pause that the refusal asked for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

LONGEST_PAUSE = 60.0
"""Seconds: what a `Retry-After` is cut to."""
_FIRST_PAUSE = 0.25


class Pace:
    """A limit of requests at once. May be used from several threads."""

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._under_way = 0
        self._resume_at = 0.0
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return int(self._limit)

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait for a place, and hold it."""
        with self._changed:
            while self._under_way >= max(1, int(self._limit)):
                self._changed.wait()
            self._under_way += 1
        try:
            self._wait()
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def went_well(self) -> None:
        """Count an answer that was no refusal."""
        with self._changed:
            self._limit = min(self._most, self._limit + 1 / max(self._limit, 1.0))
            self._changed.notify()

    def refused(self, attempt: int, retry_after: float | None) -> None:
        """Halve the limit, and let everybody wait: as the host asked, else longer with every attempt (0, 1, …)."""
        pause = pause_before(attempt, retry_after)
        with self._changed:
            self._limit = max(1.0, self._limit / 2)
            self._resume_at = max(self._resume_at, self._clock() + pause)

    def _wait(self) -> None:
        while (left := self._resume_at - self._clock()) > 0:
            self._sleep(left)


def pause_before(attempt: int, retry_after: float | None = None) -> float:
    """Seconds to wait after attempt `attempt`: drawn below a bound that doubles, or what the host asked for."""
    if retry_after is not None:
        return min(retry_after, LONGEST_PAUSE) + random.uniform(0, _FIRST_PAUSE)  # noqa: S311 - not a secret
    return random.uniform(0, min(_FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))  # noqa: S311 - not a secret
