"""Visitors of a place, who all come at once, and some of whom leave before it is their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any


async def come_and_go(visits: Sequence[tuple[Coroutine[Any, Any, None], bool]]) -> None:
    """Begin all visits, cancel those that say so, and wait for the end of all, whatever it is."""
    tasks = [asyncio.create_task(visit) for visit, _ in visits]
    await asyncio.sleep(0)
    for task, (_, leaves) in zip(tasks, visits, strict=True):
        if leaves:
            task.cancel()
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
