"""Room: a worker takes on so much at a time, and what comes after that waits its turn, briefly.

Rule: first come, first served; nobody waits longer than `patience`; nothing is locked, since one event loop does all
of it. While there is room, taking it is an addition.
"""

from __future__ import annotations

import asyncio
from collections import deque

from portside.core.errors import TooManyRequests


class Room:
    """So many places, or so many bytes."""

    __slots__ = ("_patience", "_queue", "size", "taken")

    def __init__(self, size: int, patience: float) -> None:
        """`patience` is how many seconds one may wait."""
        self.size = size
        self.taken = 0
        self._patience = patience
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()

    def fits(self, amount: int = 1) -> bool:
        """Take it if it is there and nobody waits for it; give it back with `give`. More than all there is is all."""
        if amount > self.size:  # noqa: PLR1730 - `min` costs as much as the rest; every request comes through here
            amount = self.size
        if self._queue or self.taken + amount > self.size:
            return False
        self.taken += amount
        return True

    async def take(self, amount: int = 1) -> None:
        """Take it, now or when it is one's turn; raises TooManyRequests when that does not come in time."""
        if self.fits(amount):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, min(amount, self.size)))
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as failure:
            if turn.done() and not turn.cancelled():
                self.give(amount)  # the turn came while its owner was leaving
            else:
                turn.cancel()
                self._call()
            if isinstance(failure, TimeoutError):
                raise TooManyRequests from None
            raise

    def give(self, amount: int = 1) -> None:
        """Give back what was taken."""
        self.taken -= min(amount, self.size)
        if self._queue:
            self._call()

    def _call(self) -> None:
        """Let in whoever is next and fits."""
        while self._queue:
            turn, amount = self._queue[0]
            if not turn.done():
                if self.taken + amount > self.size:
                    return
                self.taken += amount
                turn.set_result(None)
            self._queue.popleft()
