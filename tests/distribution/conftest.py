from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.distribution.driver import Client, client_of, plane_of
from tests.registry.fakes import Blobs, Rows
from tests.registry.house import Clock, House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A registry with one empty repository, APP, and ports that can be made to fail."""
    async with opened(tmp_path, Clock(time.time_ns() // 1000), blobs=Blobs, metadata=Rows) as house:
        await house.create()
        yield house


@pytest.fixture
async def client(house: House) -> Client:
    """Someone who has logged in."""
    return await client_of(house)


@pytest.fixture
def nobody(house: House) -> Client:
    """Someone who has not."""
    return Client(plane_of(house), None)


@pytest.fixture
def blobs(house: House) -> Blobs:
    assert isinstance(house.stores.blobs, Blobs)
    return house.stores.blobs


@pytest.fixture
def rows(house: House) -> Rows:
    assert isinstance(house.stores.metadata, Rows)
    return house.stores.metadata
