"""Who is told how a transfer goes, and how it is asked to stop. The ports; what a person sees stands in `client/`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Protocol

from portside.remote.errors import RemoteError


class Stopped(RemoteError):
    """The person asked to stop."""

    def __init__(self) -> None:
        super().__init__("Stopped", "the same command goes on where this one stopped")


class Progress(Protocol):
    """Told from several threads; `name` is a blob's digest, or what the source calls a layer before it has one."""

    def started(self, name: str, size: int | None) -> None:
        """A blob's transfer begins; `size` in bytes where it is known."""
        ...

    def advanced(self, name: str, count: int) -> None:
        """So many more bytes are there; negative when some have to be sent again."""
        ...

    def finished(self, name: str, outcome: str) -> None:
        """A blob is there: `pushed`, `mounted`, `present`, `resumed`."""
        ...

    def said(self, line: str) -> None:
        """A sentence for the person: what happens now."""
        ...


class Silence:
    """Nobody is told."""

    def started(self, name: str, size: int | None) -> None:
        """Nothing."""

    def advanced(self, name: str, count: int) -> None:
        """Nothing."""

    def finished(self, name: str, outcome: str) -> None:
        """Nothing."""

    def said(self, line: str) -> None:
        """Nothing."""


class Stop:
    """A wish to stop, that every loop over bytes looks at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Wish it."""
        self._event.set()

    def check(self) -> None:
        """Raise Stopped when it is wished."""
        if self._event.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Wait, and raise Stopped at once when it is wished."""
        if self._event.wait(seconds):
            raise Stopped

    def watched(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, until it is wished."""
        for piece in pieces:
            self.check()
            yield piece
