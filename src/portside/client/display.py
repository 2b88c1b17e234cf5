"""What a person sees of a transfer: bars on a terminal, lines elsewhere, nothing when asked for. On standard error.

rich is imported only for bars. Names and sentences come from registries and archives, so nothing in them is markup.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

from portside.remote.progress import Progress, Silence

_EVERY = 10.0
"""Seconds between lines that say how far everything is."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_DIGITS = re.compile(r"[0-9a-f]{32,}")
_DONE = {"present": "already there", "missing": "would be pushed"}


def display(environment: Mapping[str, str], *, quiet: bool, stream: TextIO | None = None) -> Shown:
    """Choose: bars for a terminal that is none of CI's, lines otherwise."""
    shown_on: TextIO = sys.stderr if stream is None else stream
    if quiet:
        return Shown(Silence(), nullcontext())
    plain = environment.get("CI", "").lower() not in {"", "0", "false"} or environment.get("TERM") == "dumb"
    if plain or not shown_on.isatty():
        return Shown(Lines(shown_on), nullcontext())
    bars = _bars(environment, shown_on)
    return Shown(bars, bars)


class Shown:
    """A display, and what must be entered while it shows something."""

    def __init__(self, progress: Progress, context: AbstractContextManager[Any]) -> None:
        self.progress = progress
        self.context = context


class Totals:
    """How much there is, how much is done, and how fast. Used from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._sizes: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._ended: set[str] = set()

    def started(self, name: str, size: int | None) -> None:
        """A blob begins."""
        self._sizes[name] = size or 0

    def advanced(self, name: str, count: int) -> None:
        """Bytes went by."""
        self._sent[name] = self._sent.get(name, 0) + count

    def finished(self, name: str, outcome: str) -> None:
        """A blob is done; what was already there counts as nothing sent."""
        self._ended.add(name)
        if outcome in {"present", "mounted"}:
            self._sizes[name] = 0
            self._sent[name] = 0

    @property
    def size(self) -> int:
        """Bytes that have to go by."""
        return sum(self._sizes.values())

    @property
    def sent(self) -> int:
        """Bytes that went by."""
        return sum(self._sent.values())

    @property
    def counts(self) -> tuple[int, int]:
        """Blobs done, and all."""
        return len(self._ended), len(self._sizes)

    def line(self) -> str:
        """`3 of 8 layers, 12.3 of 40.0 MiB, 5.1 MiB/s, 6 s left`."""
        seconds = max(self._clock() - self._begun, 0.001)
        rate = self.sent / seconds
        left = f", {(self.size - self.sent) / rate:.0f} s left" if 0 < self.sent < self.size else ""
        done, total = self.counts
        return f"{done} of {total} blobs, {size(self.sent)} sent, {size(rate)}/s{left}"


class Lines:
    """One line for each blob that is done, and one every ten seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._totals = Totals(clock)
        self._lock = threading.Lock()
        self._said_at = clock()
        self._sizes: dict[str, int | None] = {}

    def started(self, name: str, size: int | None) -> None:
        """Remember its size."""
        with self._lock:
            self._sizes[name] = size
            self._totals.started(name, size)

    def advanced(self, name: str, count: int) -> None:
        """Say how far everything is, now and then."""
        with self._lock:
            self._totals.advanced(name, count)
            if self._clock() - self._said_at >= _EVERY:
                self._said_at = self._clock()
                self._write(self._totals.line())

    def finished(self, name: str, outcome: str) -> None:
        """Say what became of it."""
        with self._lock:
            self._totals.finished(name, outcome)
            known = self._sizes.get(name)
            self._write(f"{short(name)}  {size(known) if known is not None else ''}  {_DONE.get(outcome, outcome)}")

    def said(self, line: str) -> None:
        """Say it."""
        with self._lock:
            self._write(line)

    def _write(self, line: str) -> None:
        print(printable(line), file=self._stream, flush=True)


def _bars(environment: Mapping[str, str], stream: TextIO) -> Any:
    from portside.client.bars import Bars  # noqa: PLC0415 - rich takes 50 ms that only a terminal needs

    return Bars(stream, colour=not environment.get("NO_COLOR"))


def short(name: str) -> str:
    """The first twelve digits of the digest that a name is or holds; another name's end."""
    found = _DIGITS.search(name)
    return found[0][:12] if found else name[-40:]


def size(count: float) -> str:
    """Bytes as a person reads them: `12.3 MiB`."""
    for unit in _UNITS[:-1]:
        if abs(count) < _STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
