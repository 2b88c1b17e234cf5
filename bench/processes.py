"""What processes cost, read from /proc: CPU and memory of a server with all its children."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_QUIET = 0.1


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it stood; `ticks` includes children that it has waited for."""

    id: int
    parent: int
    ticks: int
    started: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process: all of it, and its share (pages divided among those who map them)."""

    id: int
    resident: int
    share: int


def tree(root: int) -> list[Process]:
    """`root` and all that descends from it, parents first; empty when it has ended."""
    everyone = [found for entry in Path("/proc").glob("[0-9]*") if (found := _read(int(entry.name)))]
    family = [process for process in everyone if process.id == root]
    for member in family:  # grows while it is walked
        family += [process for process in everyone if process.parent == member.id]
    return family


def cpu_seconds(root: int) -> float:
    """User and system time that the tree has used, with the children that it has waited for."""
    return sum(process.ticks for process in tree(root)) / _TICK


def settled_cpu_seconds(root: int, patience: float = 2.0) -> float:
    """`cpu_seconds`, once the tree has nothing more to do: what it puts off belongs to the requests before."""
    deadline = time.monotonic() + patience
    before = cpu_seconds(root)
    while time.monotonic() < deadline:
        time.sleep(_QUIET)
        now = cpu_seconds(root)
        if now == before:
            break
        before = now
    return before


def memory(root: int) -> list[Memory]:
    """Memory of every process of the tree, parents first."""
    return [found for process in tree(root) if (found := _memory(process.id))]


def is_alive(process: Process) -> bool:
    """Whether this very process runs still, and not another one under its number."""
    now = _read(process.id)
    return now is not None and now.started == process.started


def _read(process: int) -> Process | None:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold anything; the fields after it are counted from the state, field 3 (proc(5)).
    fields = text.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return Process(process, int(fields[1]), sum(map(int, fields[11:15])), int(fields[19]))


def _memory(process: int) -> Memory | None:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines[1:])}
    return Memory(process, sizes.get("Rss", 0), sizes.get("Pss", 0))
