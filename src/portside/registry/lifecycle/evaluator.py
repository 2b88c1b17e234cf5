"""Evaluating policies beside everything else: in a thread of their own, one at a time, and not for ever.

A policy may take long, by its patterns and its images' tags. It then keeps other policies waiting, and no layer: blobs
have threads of their own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from portside.core.lifecycle.evaluation import Candidate, Outcome, evaluate
from portside.core.lifecycle.policy import Policy

_LONGEST = 120.0
"""Seconds; the waiter of the AWS SDKs gives a preview 100."""


class Evaluator:
    """One thread that evaluates."""

    def __init__(self, longest: float = _LONGEST) -> None:
        self._longest = longest
        self._thread = ThreadPoolExecutor(1, "lifecycle")

    async def evaluate(self, rules: Policy, images: Sequence[Candidate], at: int) -> Outcome:
        """See core/lifecycle/evaluation.py. Raises EvaluationStopped for one that takes too long."""
        stopped = threading.Event()

        def work() -> Outcome:
            until = time.monotonic() + self._longest
            return evaluate(rules, images, at, lambda: not stopped.is_set() and time.monotonic() < until)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except asyncio.CancelledError:
            stopped.set()
            raise
