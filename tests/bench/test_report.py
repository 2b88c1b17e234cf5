from __future__ import annotations

from bench.kinds import OURS, PEERS
from bench.load import Sample
from bench.report import tables
from bench.rounds import rows
from bench.scenarios import scenarios


def sample(cpu: float, wall: float) -> Sample:
    return Sample(requests=10, size=0, cpu=cpu, wall=wall, client_cpu=0.1)


def test_no_line_is_wider_than_120_columns() -> None:
    table = rows(scenarios(4 << 30))
    for row in table:
        row.samples = {name: [sample(12.3456, 7.7), sample(99.9, 0.001)] for name in (OURS, *PEERS)}
    assert max(map(len, tables(table).splitlines())) <= 120


def test_a_target_is_met_by_each_of_ours_on_its_own() -> None:
    [row, *_] = rows([one for one in scenarios(1 << 30) if one.name == "get-1m"])
    row.samples = {"ours": [sample(0.6, 1)], "plain": [sample(0.3, 1)], "v3": [sample(1.0, 1)]}
    cpu, throughput = [line for line in tables([row]).splitlines() if line.startswith("1 MiB GET")]
    assert cpu.split()[-2:] == ["0.5/0.3", "no/yes"]
    assert throughput.endswith("yes/yes")


def test_ratios_are_taken_within_a_round() -> None:
    [row, *_] = rows(scenarios(1 << 30))
    row.samples = {"ours": [sample(1, 1), sample(8, 1)], "v3": [sample(2, 1), sample(4, 1)]}
    assert row.ratios("ours", "v3", lambda one: one.cpu_each) == [0.5, 2.0]


def test_what_failed_is_said_and_the_others_stay() -> None:
    [row, *_] = rows(scenarios(1 << 30))
    row.samples = {"ours": [sample(1, 1)]}
    row.failures = {"zot": "it closed the connection"}
    text = tables([row])
    assert "manifest GET, 1 connections, zot: not measured: it closed the connection" in text
    assert [line.split()[3] for line in text.splitlines() if line.startswith("manifest GET  ")] == ["100", "10.00"]
