"""Rounds: every contestant is measured in turn, and who begins moves on, so that a busy minute meets all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.load import LoadFailedError, Sample, measure
from bench.scenarios import Material, Scenario
from bench.servers import Server


@dataclass(slots=True)
class Row:
    """A scenario at a number of connections: of each contestant a sample every round, or why there is none."""

    scenario: Scenario
    connections: int
    samples: dict[str, list[Sample]] = field(default_factory=dict[str, list[Sample]])
    failures: dict[str, str] = field(default_factory=dict[str, str])

    def median(self, name: str, figure: Callable[[Sample], float]) -> float | None:
        """A contestant's figure; None when it was not measured."""
        samples = self.samples.get(name)
        return statistics.median(map(figure, samples)) if samples else None

    def ratios(self, name: str, other: str, figure: Callable[[Sample], float]) -> list[float]:
        """One contestant's figure / another's, within each round that both finished."""
        pairs = zip(self.samples.get(name, ()), self.samples.get(other, ()), strict=False)
        return [figure(one) / max(figure(two), 1e-9) for one, two in pairs]


def rows(chosen: Sequence[Scenario]) -> list[Row]:
    """The rows of a table, not measured yet."""
    return [Row(scenario, connections) for scenario in chosen for connections in scenario.connections]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server that runs, with the bytes it was given."""

    server: Server
    material: Material


def run(table: Sequence[Row], contestants: Mapping[str, Contestant], rounds: int, *, quick: bool) -> Iterator[str]:
    """Measure everything; what is measured next, as it goes. Who fails in a row is left out of it from then on."""
    names = list(contestants)
    for number in range(rounds):
        first = number % len(names)
        for row in table:
            each = row.scenario.each(row.connections, quick=quick)
            for name in names[first:] + names[:first]:
                if name in row.failures:
                    continue
                yield f"round {number + 1} of {rounds}: {row.scenario.title}, {row.connections} connections, {name}"
                one = contestants[name]
                try:
                    sample = measure(one.server, row.scenario, one.material, row.connections, each)
                except LoadFailedError as error:
                    row.failures[name] = str(error)
                else:
                    row.samples.setdefault(name, []).append(sample)
