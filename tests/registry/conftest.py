from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.house import Clock, House, opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def house(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """A registry without a repository."""
    async with opened(tmp_path, clock) as house:
        yield house


@pytest.fixture
async def app(house: House) -> House:
    """A registry with one empty repository, APP."""
    await house.create()
    return house
