"""Whatever comes over a socket, the server is not at fault, lives on, and stays within its data."""

from __future__ import annotations

from pathlib import Path

from tests.faults.nonsense import talk_nonsense


def test_nonsense_is_refused_or_answered_and_nothing_else(folder: Path) -> None:
    talk_nonsense(folder, 2500)
