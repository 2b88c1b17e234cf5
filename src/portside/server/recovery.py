"""When a worker that died is started again: at once, and after every further death in a row later.

Rule: one that lived for a minute starts with a clean slate. When every worker has died time and again, nothing here
will mend it, and the server ends with an error for whoever supervises it.
"""

from __future__ import annotations

_WELL = 60.0
"""Seconds of life after which a death counts as the first."""
_LONGEST = 30.0
"""Seconds between two starts, at most."""
_HOPELESS = 6
"""Deaths in a row of each worker; together they take about half a minute."""


class Recovery:
    """What is known of the deaths of so many workers."""

    def __init__(self, workers: int) -> None:
        self._deaths = [0] * workers

    def delay(self, worker: int, lived: float) -> float:
        """A worker has died after so many seconds; the seconds until it may be started again."""
        if lived >= _WELL:
            self._deaths[worker] = 0
        self._deaths[worker] += 1
        return min(2.0 ** (self._deaths[worker] - 2), _LONGEST) if self._deaths[worker] > 1 else 0.0

    @property
    def is_hopeless(self) -> bool:
        """Whether no worker can be kept alive."""
        return min(self._deaths) >= _HOPELESS
