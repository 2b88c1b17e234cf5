"""Servers that are treated badly."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import commands


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test, with a short name, removed at the end with what is mounted in it."""
    made = Path("/tmp") / f"fault-{secrets.token_hex(4)}"
    made.mkdir(mode=0o700)
    yield made
    commands.unmount_below(made)
    shutil.rmtree(made)
