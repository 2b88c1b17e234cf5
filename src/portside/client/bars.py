"""Bars on a terminal: one for all, and one for each blob that is under way."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from portside.client.display import printable, short

_MOST = 8
"""Bars of blobs at once; more would not fit a terminal."""
_ENDS = frozenset({"present", "mounted", "missing"})


class Bars:
    """The display (`remote.progress.Progress`), shown while it is entered. Used from several threads."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        console = Console(file=stream, no_color=not colour, highlight=False)
        self._shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._all = self._shown.add_task("all", total=0)
        self._tasks: dict[str, TaskID] = {}
        self._sizes: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.stop()

    def started(self, name: str, size: int | None) -> None:
        """Count it into the whole."""
        with self._lock:
            self._sizes[name] = size or 0
            self._total()

    def advanced(self, name: str, count: int) -> None:
        """Move its bar and the whole's."""
        with self._lock:
            if name not in self._tasks and len(self._tasks) < _MOST:
                self._tasks[name] = self._shown.add_task(escape(short(printable(name))), total=self._sizes.get(name))
            self._sent[name] = self._sent.get(name, 0) + count
            if name in self._tasks:
                self._shown.update(self._tasks[name], advance=count)
            self._shown.update(self._all, advance=count)

    def finished(self, name: str, outcome: str) -> None:
        """Take its bar away."""
        with self._lock:
            if outcome in _ENDS:
                self._shown.update(self._all, advance=-self._sent.get(name, 0))
                self._sizes[name] = 0
            else:
                self._sizes[name] = self._sent.get(name, 0)
            self._total()
            if name in self._tasks:
                self._shown.remove_task(self._tasks.pop(name))

    def said(self, line: str) -> None:
        """Print it above the bars."""
        self._shown.console.print(escape(printable(line)))

    def _total(self) -> None:
        self._shown.update(self._all, total=sum(self._sizes.values()))
