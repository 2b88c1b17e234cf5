"""What is printed: ratios first, since absolute figures belong to one machine. No line is wider than 120 columns."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.kinds import OURS, PEERS, REFERENCE
from bench.load import Sample
from bench.processes import Memory
from bench.rounds import Row
from bench.scenarios import MEBIBYTE

NOTES = f"""\
CPU is user and system time of the server's whole process tree, in milliseconds a request; a push is HEAD, POST, PATCH
and PUT. A ratio is ours / theirs within a round, the median over the rounds (lowest to highest): less CPU is better,
more throughput is too. `{OURS}` authenticates, authorises and logs every request, seals what it stores, and syncs a
blob and its folder before it answers; `plain` is the same without sealing. The others ask nobody for anything, log
errors only and store plain bytes: `v3` is distribution 3, `v2` Debian's docker-registry 2.8, `zot` zot. Targets are
shares of the CPU of {REFERENCE}, sealed/plain, and throughput not below it; `met` answers for `{OURS}`/`plain`.
The clients share the machine and took {{share:.0%}} of all CPU: with more than one connection they and the server want
more cores than a small machine has, so trust CPU more than throughput."""

Figure = Callable[[Sample], float]
_NAMES = (OURS, *PEERS)


@dataclass(frozen=True, slots=True)
class Start:
    """How a server starts on data that is there, and what it holds when idle."""

    name: str
    seconds: Sequence[float]
    memory: Sequence[Memory]


def tables(rows: Sequence[Row]) -> str:
    """CPU and throughput of everyone, what the giant blob costs, and what failed."""
    parts = [
        [_heading("server CPU, ms a request", "CPU", 7, "target   met"), *map(_cpu_line, rows)],
        [_heading("requests a second, or MiB/s", "throughput", 8, "met"), *map(_rate_line, rows)],
        list(_giant(rows)),
        [line for row in rows for line in _failed(row)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def absences(missing: Mapping[str, str]) -> str:
    """Who did not take part, and why."""
    lines = [_wrapped(f"{name}: missing: {reason}") for name, reason in missing.items()]
    return "\n".join(lines)


def started(start: Start) -> str:
    """Start and idle memory of a server."""
    shares = ", ".join(f"{one.resident / MEBIBYTE:.0f} ({one.share / MEBIBYTE:.0f})" for one in start.memory)
    ready = statistics.median(start.seconds)
    return f"{start.name:6} second start to ready {ready:.2f} s · idle, MiB resident (share) by process: {shares}"


def notes(rows: Sequence[Row]) -> str:
    """What a reader must know of the tables."""
    samples = [sample for row in rows for found in row.samples.values() for sample in found]
    clients = sum(sample.client_cpu for sample in samples)
    share = clients / max(clients + sum(sample.cpu for sample in samples), 1e-9)
    return NOTES.format(share=share)


def document(rows: Sequence[Row], starts: Sequence[Start] = (), **more: Any) -> dict[str, Any]:
    """Everything, for --json; `more` is added as it is."""
    return {
        "rows": [
            {
                "scenario": row.scenario.name,
                "connections": row.connections,
                "target": asdict(row.scenario.target) if row.scenario.target else None,
                "samples": {name: [asdict(sample) for sample in found] for name, found in row.samples.items()},
                "cpu_ratio": _ratios(row, cpu),
                "throughput_ratio": _ratios(row, rate),
                "failures": row.failures,
            }
            for row in rows
        ],
        "starts": [asdict(start) for start in starts],
        **more,
    }


def cpu(sample: Sample) -> float:
    """Server CPU seconds a request."""
    return sample.cpu_each


def rate(sample: Sample) -> float:
    """Requests a second."""
    return sample.rate


def spread(ratios: Sequence[float]) -> str:
    """The median, with the lowest and the highest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "-"


def _heading(figure: str, what: str, width: int, end: str) -> str:
    others = [f"{OURS}/{name}" for name in PEERS if name not in {"plain", REFERENCE}]
    first = f"{'':22}{figure:^{5 * width}}  {what} ratios"
    names = "".join(f"{name:>{width}}" for name in _NAMES)
    ratios = f"  {f'{OURS}/{REFERENCE}':<17}{f'plain/{REFERENCE}':>8}{''.join(f'{name:>9}' for name in others)}  {end}"
    second = f"{'scenario':19}{'c':>3}{names}{ratios}"
    return f"{first}\n{second}\n{'-' * len(second)}"


def _label(row: Row) -> str:
    return f"{row.scenario.title:19}{row.connections:>3}"


def _cpu_line(row: Row) -> str:
    figures = "".join(_number(row.median(name, cpu), 1000, 7) for name in _NAMES)
    target = row.scenario.target
    if target is None:
        return f"{_label(row)}{figures}{_compared(row, cpu)}".rstrip()
    said = f"{target.sealed:.1f}/{target.plain:.1f}"
    sealed = [-ratio for ratio in row.ratios(OURS, REFERENCE, cpu)]
    plain = [-ratio for ratio in row.ratios("plain", REFERENCE, cpu)]
    met = f"{_met(sealed, -target.sealed)}/{_met(plain, -target.plain)}"
    return f"{_label(row)}{figures}{_compared(row, cpu)}  {said:<9}{met}"


def _rate_line(row: Row) -> str:
    unit = row.scenario.size / MEBIBYTE or 1
    figures = "".join(_number(row.median(name, rate), unit, 8) for name in _NAMES)
    met = "/".join(_met(row.ratios(name, REFERENCE, rate), 1.0) for name in (OURS, "plain"))
    return f"{_label(row)}{figures}{_compared(row, rate)}  {met}"


def _compared(row: Row, figure: Figure) -> str:
    plain = row.ratios("plain", REFERENCE, figure)
    others = [row.ratios(OURS, name, figure) for name in PEERS if name not in {"plain", REFERENCE}]
    rest = "".join(f"{f'{statistics.median(found):.2f}' if found else '-':>9}" for found in others)
    middle = f"{f'{statistics.median(plain):.2f}' if plain else '-':>8}"
    return f"  {spread(row.ratios(OURS, REFERENCE, figure)):<17}{middle}{rest}"


def _met(figures: Sequence[float], least: float) -> str:
    return ("yes" if statistics.median(figures) >= least else "no") if figures else "-"


def _number(value: float | None, factor: float, width: int) -> str:
    if value is None:
        return f"{'-':>{width}}"
    shown = value * factor
    return f"{shown:>{width}.{0 if shown >= 100 else 2}f}"


def _giant(rows: Sequence[Row]) -> Iterator[str]:
    """The giant blob, whole and by ranges: what a second of the server's CPU delivers."""
    found = {row.scenario.name: row for row in rows if row.scenario.name in {"get-4g", "range-4g"} and row.samples}
    if len(found) < 2:
        return
    yield "One giant blob: MiB that a second of the server's CPU delivers, whole and in ranges of 8 MiB"
    for name in _NAMES:
        whole, ranges = (_delivered(found[one], name) for one in ("get-4g", "range-4g"))
        if whole and ranges:
            yield f"{name:8}{whole:>8.0f} whole{ranges:>8.0f} in ranges{ranges / whole:>8.2f} ranges/whole"


def _delivered(row: Row, name: str) -> float | None:
    each = row.median(name, cpu)
    return row.scenario.size / MEBIBYTE / each if each else None


def _failed(row: Row) -> Iterator[str]:
    for name, reason in row.failures.items():
        yield _wrapped(f"{row.scenario.title}, {row.connections} connections, {name}: not measured: {reason}")


def _ratios(row: Row, figure: Figure) -> dict[str, float]:
    found = {
        f"{one}/{other}": row.ratios(one, other, figure) for one in (OURS, "plain") for other in PEERS if other != one
    }
    return {name: statistics.median(ratios) for name, ratios in found.items() if ratios}


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 120, subsequent_indent="  ", break_long_words=False))
