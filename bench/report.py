"""What is printed: ratios first, since absolute figures belong to one machine."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.load import Sample
from bench.processes import Memory
from bench.scenarios import MEBIBYTE, Scenario

NOTES = """\
CPU is user and system time of the server's whole process tree, in milliseconds a request; a push is HEAD, POST, PATCH
and PUT. A ratio is ours / theirs, the median over the rounds (lowest to highest): less CPU is better, and so is more
throughput. Ours authenticates and authorises every request, logs it, seals what it stores, and syncs a blob and its
folder before it answers. Theirs asks nobody for anything, logs no requests and stores plain bytes; it syncs its files
(sixteen times a push) but no folder.
Targets are shares of the CPU of distribution v3; in brackets what that comes to against Debian's 2.8.2, where both
were measured side by side on a machine of this class. The clients share the machine and took {client:.0%} of all CPU:
with 4 connections they and the server want more cores than a small machine has, so trust CPU more than throughput."""


@dataclass(slots=True)
class Row:
    """A scenario at a number of connections: a sample of each server every round."""

    scenario: Scenario
    connections: int
    ours: list[Sample] = field(default_factory=list[Sample])
    theirs: list[Sample] = field(default_factory=list[Sample])
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """How a server starts on data that is there, and what it holds when idle."""

    name: str
    seconds: Sequence[float]
    memory: Sequence[Memory]


def heading() -> str:
    """The table's first lines."""
    first = f"{'':22}{'':>6}   {'server CPU, ms a request':^52}   {'throughput':^36}"
    second = (
        f"{'scenario':22}{'conns':>6}   {'ours':>8}{'theirs':>9}  {'ratio':<19}{'target (2.8.2)':<14}"
        f"   {'ours':>11}{'theirs':>11}  {'ratio':<12}"
    )
    return f"{first}\n{second}\n{'-' * len(second)}"


def line(row: Row) -> str:
    """A row of the table."""
    label = f"{row.scenario.title:22}{row.connections:>6}   "
    if row.failure or not row.ours or not row.theirs:
        return f"{label}not measured: {row.failure or 'no round was finished'}"
    cpu = f"{_cpu(row.ours):>8.2f}{_cpu(row.theirs):>9.2f}  {_spread(cpu_ratios(row)):<19}{_target(row.scenario):<14}"
    rate = f"{_rate(row.ours, row.scenario):>11}{_rate(row.theirs, row.scenario):>11}"
    return f"{label}{cpu}   {rate}  {_spread(rate_ratios(row)):<12}"


def cpu_ratios(row: Row) -> list[float]:
    """Ours / theirs, CPU a request, a figure a round."""
    return [ours.cpu_each / max(theirs.cpu_each, 1e-9) for ours, theirs in zip(row.ours, row.theirs, strict=True)]


def rate_ratios(row: Row) -> list[float]:
    """Ours / theirs, requests a second, a figure a round."""
    return [ours.rate / theirs.rate for ours, theirs in zip(row.ours, row.theirs, strict=True)]


def started(start: Start) -> str:
    """Start and idle memory of a server."""
    shares = ", ".join(f"{one.resident / MEBIBYTE:.0f} ({one.share / MEBIBYTE:.0f})" for one in start.memory)
    ready = statistics.median(start.seconds)
    return f"{start.name:16} second start to ready {ready:.2f} s · idle, MiB resident (share) by process: {shares}"


def notes(rows: Sequence[Row]) -> str:
    """What a reader must know of the table."""
    samples = [sample for row in rows for sample in (*row.ours, *row.theirs)]
    clients = sum(sample.client_cpu for sample in samples)
    servers = sum(sample.cpu for sample in samples)
    return NOTES.format(client=clients / max(clients + servers, 1e-9))


def document(rows: Sequence[Row], starts: Sequence[Start]) -> dict[str, Any]:
    """Everything, for --json."""
    return {
        "rows": [
            {
                "scenario": row.scenario.name,
                "connections": row.connections,
                "target": row.scenario.target.share,
                "cpu_ratio": statistics.median(cpu_ratios(row)) if row.ours and row.theirs else None,
                "throughput_ratio": statistics.median(rate_ratios(row)) if row.ours and row.theirs else None,
                "ours": [asdict(sample) for sample in row.ours],
                "theirs": [asdict(sample) for sample in row.theirs],
                "failure": row.failure or None,
            }
            for row in rows
        ],
        "starts": [asdict(start) for start in starts],
    }


def _cpu(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.cpu_each for sample in samples) * 1000


def _rate(samples: Sequence[Sample], scenario: Scenario) -> str:
    rate = statistics.median(sample.rate for sample in samples)
    return f"{rate * scenario.size / MEBIBYTE:.0f} MiB/s" if scenario.size else f"{rate:.0f} /s"


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def _target(scenario: Scenario) -> str:
    target = scenario.target
    here = f" ({target.share * target.peer:.2f})" if target.peer else ""
    return f"<= {target.share:.1f}{here}"
