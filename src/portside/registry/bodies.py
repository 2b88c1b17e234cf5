"""Memory of one worker for the bodies that are held whole: manifests, and what the API is asked.

Law: a stranger cannot fill it. The signature of an API request covers its body, so a body is in memory before anybody
knows whether its sender holds the secret. Senders whose last signature was good have the memory to themselves but for
a quarter, which is all that the others share. What is small is not counted: a worker's places bound how often it comes.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import AsyncGenerator

from portside.registry.room import Room

SMALL = 16 * 1024
"""Bytes up to which a body is not counted; nearly every request of the API is smaller."""
PATIENCE = 30.0
"""Seconds that any body which is held whole may take."""
_SLOWEST = 32 * 1024
"""Bytes a second that a longer one must keep up."""
_SHARE = 4
_REMEMBERED = 4096
Sender = tuple[str, str]
"""An access key id, and the address that it came from."""


def longest(size: int, patience: float = PATIENCE) -> float:
    """Seconds that a body of `size` bytes may take, since memory is kept for it from its beginning on."""
    return patience + size / _SLOWEST


class Bodies:
    """Bytes to hold bodies in."""

    def __init__(self, size: int, patience: float, *, body_patience: float = PATIENCE) -> None:
        """`size` in bytes; whoever finds no room waits up to `patience` seconds.

        `body_patience` are the seconds that any body of the data plane may take.
        """
        self._body_patience = body_patience
        self._strangers = Room(size // _SHARE, patience)
        self._known = Room(size - size // _SHARE, patience)
        self._proven: OrderedDict[Sender, None] = OrderedDict()

    @contextlib.asynccontextmanager
    async def held(self, size: int, sender: Sender | None = None) -> AsyncGenerator[None]:
        """Hold `size` bytes for the block; raises TooManyRequests. `None` sends what is beyond doubt already."""
        if size <= SMALL:
            yield
            return
        room = self._known if sender is None or sender in self._proven else self._strangers
        await room.take(size)
        try:
            yield
        finally:
            room.give(size)

    def longest(self, size: int) -> float:
        """See `longest`."""
        return longest(size, self._body_patience)

    def prove(self, sender: Sender) -> None:
        """Remember that this sender's signature was good."""
        self._proven[sender] = None
        self._proven.move_to_end(sender)
        if len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)

    def doubt(self, sender: Sender) -> None:
        """Forget what spoke for this sender: its signature was wrong."""
        self._proven.pop(sender, None)
