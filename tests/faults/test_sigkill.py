"""Law 2: what was acknowledged is there after any death of the process, with the right bytes."""

from __future__ import annotations

from pathlib import Path

from tests.faults.killing import kill_again_and_again

KILLS = 60


def test_nothing_acknowledged_is_lost_by_sixty_kills(folder: Path) -> None:
    """SIGKILL at random moments of pushes, retags, deletions and pulls; `make soak` kills more often."""
    kill_again_and_again(folder, KILLS, seed=60)
