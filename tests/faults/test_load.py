"""Hundreds of clients at once; `make soak` is the same with thousands."""

from __future__ import annotations

from pathlib import Path

from bench.soak import Load, run

MIB = 1 << 20


def test_hundreds_of_clients_at_once_are_all_served_in_bounded_memory(folder: Path) -> None:
    load = Load(idle=200, pushes=40, pulls=200)
    report = run(folder, load)
    assert report.tally.failures == []
    assert len(report.tally.seconds["whole push"]) == load.pushes + 1
    assert len(report.tally.seconds["whole pull"]) == load.pulls
    assert max(report.peaks) < 256 * MIB, "\n".join(report.lines())


def test_clients_that_are_refused_come_again_and_are_served(folder: Path) -> None:
    """Places for few, and no patience: most of what is asked is answered 429 before it is answered."""
    load = Load(idle=10, pushes=8, pulls=40, workers=1)
    report = run(folder, load, "--limits-requests", "6", "--limits-uploads", "2", "--limits-wait-seconds", "1")
    assert report.tally.failures == []
    assert len(report.tally.seconds["whole pull"]) == load.pulls
