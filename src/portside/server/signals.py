"""Stop signals that come while a worker starts: kept until it can heed them, so that none is ever lost.

Between its fork and the moment its event loop serves, a worker has handlers that do nothing (first its parent's, then
those of a loop that does not run yet), and Granian waits for ever for a worker whose signal came before its listener.
So SIGTERM and SIGINT are held back from the fork on, and let through a moment after the start is complete.
"""

from __future__ import annotations

import asyncio
import os
import signal

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_SETTLING = 0.1
"""Seconds. Granian ends the loop's first run when the start is complete and serves in a second one; a timer that
outlasts the end of the first fires in the second."""


def hold_in_forks() -> None:
    """Let processes that are forked from this one begin with stop signals held back."""
    os.register_at_fork(before=hold, after_in_parent=_release, after_in_child=_forget_handlers)


def hold() -> None:
    """Keep stop signals pending."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def release_when_serving() -> None:
    """Called in a worker's event loop at the end of its start: let stop signals through once the loop serves."""
    asyncio.get_running_loop().call_later(_SETTLING, _release)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _forget_handlers() -> None:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
