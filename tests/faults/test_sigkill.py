"""Law 2: what was acknowledged is there after any death of the process, with the right bytes."""

from __future__ import annotations

import http.client
import random
import signal
from pathlib import Path

import pytest

from tests.faults.killing import Told, client_of, kill, kill_again_and_again, prepare, start, verify, work
from tests.faults.pusher import Pusher
from tests.faults.sweeping import kill_in_sweeps

KILLS = 200


def test_nothing_acknowledged_is_lost_by_two_hundred_kills(folder: Path) -> None:
    """At random moments of pushes, moved tags, deletions and pulls."""
    kill_again_and_again(folder, KILLS, seed=60)


def test_nothing_acknowledged_is_lost_by_a_death_at_a_step(folder: Path) -> None:
    """A sample of what test_steps.py does at every step, with processes that really end."""
    token = prepare(folder)
    everything: list[Told] = []
    for step in range(2, 75, 9):
        told = Told(tag=f"step{step}")
        everything.append(told)
        dying = start(folder, dies_at=step)
        with client_of(dying, token) as client, pytest.raises((OSError, http.client.HTTPException)):
            _work_without_end(client, told, step)
        assert dying.daemon.process.wait(30) == -signal.SIGKILL
        after = start(folder)
        verify(after, token, everything)
        with client_of(after, token) as client:
            work(client, told, random.Random(step))
        verify(after, token, everything)
        kill(after)


def test_a_sweep_that_is_killed_takes_nothing_that_is_needed_and_the_next_ones_take_the_rest(folder: Path) -> None:
    kill_in_sweeps(folder, 2, seed=9)


def _work_without_end(client: Pusher, told: Told, seed: int) -> None:
    chance = random.Random(seed)
    while True:
        work(client, told, chance)
