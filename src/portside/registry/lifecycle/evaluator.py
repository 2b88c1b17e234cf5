"""Evaluating policies beside everything else: in two threads of their own, and not for ever.

A policy may take long, by its patterns and its images' tags. With two threads one that does keeps no other waiting, and
no layer either: blobs have threads of their own. There are no more than two since of all Python threads one runs at a
time, and each that evaluates would come to its turn as often as the event loop, which everybody's requests wait for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from portside.core.lifecycle.evaluation import Candidate, Outcome, evaluate
from portside.core.lifecycle.policy import Policy

_LONGEST = 60.0
"""Seconds; the waiter of the AWS SDKs gives a preview 100, and some of that may go by before its turn."""
_THREADS = 2


class Evaluator:
    """Threads that evaluate."""

    def __init__(self, longest: float = _LONGEST) -> None:
        self._longest = longest
        self._threads = ThreadPoolExecutor(_THREADS, "lifecycle")

    async def evaluate(self, rules: Policy, images: Sequence[Candidate], at: int) -> Outcome:
        """See core/lifecycle/evaluation.py. Raises EvaluationStopped for one that takes too long."""
        stopped = threading.Event()

        def work() -> Outcome:
            until = time.monotonic() + self._longest
            return evaluate(rules, images, at, lambda: not stopped.is_set() and time.monotonic() < until)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except asyncio.CancelledError:
            stopped.set()
            raise
