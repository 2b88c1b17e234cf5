from __future__ import annotations

import asyncio
import functools
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from portside.storage.blobs.port import LOCATION
from portside.storage.errors import Damaged, StorageUnusable
from portside.storage.keys.local import LocalKeyKeeper
from portside.storage.keys.ring import KeyRing
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.postgres import PostgresMetadata
from portside.storage.metadata.sqlite import SqliteMetadata
from tests.conformance.nouns.rows import ACCOUNT, NOW, STRANGER

MASTER = bytes(range(32))


def ring(metadata: Metadata, master: bytes = MASTER) -> KeyRing:
    return KeyRing(metadata, LocalKeyKeeper(master), lambda: NOW)


@pytest.fixture
async def metadata(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
    adapter = SqliteMetadata(shutil.copyfile(migrated_sqlite, tmp_path / "portside.db"))
    yield adapter
    await adapter.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Awaitable[Metadata]]:
    """Connects to one database, as every node does."""
    if request.param == "postgresql":
        return functools.partial(PostgresMetadata.connect, request.getfixturevalue("empty_postgres"))
    path = shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "portside.db")

    async def sqlite() -> SqliteMetadata:
        return SqliteMetadata(path)

    return sqlite


@pytest.fixture
async def adapters(connect: Callable[[], Awaitable[Metadata]]) -> AsyncIterator[list[Metadata]]:
    adapters = [await connect(), await connect()]
    yield adapters
    for adapter in adapters:
        await adapter.close()


async def stored(metadata: Metadata, identifier: str) -> DataKeyRow:
    async with metadata.reading() as unit:
        row = await unit.accounts.data_key(identifier)
    assert row is not None
    return row


async def test_a_purpose_has_one_key_though_two_nodes_need_it_at_once(adapters: list[Metadata]) -> None:
    rings = [ring(adapter) for adapter in adapters]
    keys = await asyncio.gather(*(one.key_for("content", ACCOUNT) for one in rings * 4))
    assert len({(key.id, key.key) for key in keys}) == 1


async def test_a_key_is_found_after_a_restart(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    again = ring(metadata)
    found = (await again.key(made.id), await again.key_for("content", ACCOUNT))
    assert {(key.id, key.key) for key in found} == {(made.id, made.key)}
    assert again.opened(made.id) == made.key


async def test_every_purpose_and_account_has_a_key_of_its_own(metadata: Metadata) -> None:
    keys = ring(metadata)
    purposes = [("content", ACCOUNT), ("content", STRANGER), ("content", ""), ("page", "")]
    made = [await keys.key_for(*purpose) for purpose in purposes]
    assert len({key.id for key in made}) == len({key.key for key in made}) == len(purposes)


async def test_an_opened_key_needs_no_database(metadata: Metadata) -> None:
    keys = ring(metadata)
    made = await keys.key_for("content", ACCOUNT)
    await metadata.close()
    assert await keys.key_for("content", ACCOUNT) is made
    assert await keys.key(made.id) is made


async def test_a_keys_box_seals_under_the_key(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    again = await ring(metadata).key(made.id)
    assert again.box.open(made.box.seal(b"value", b"context"), b"context") == b"value"


async def test_the_database_does_not_hold_the_plain_key(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    assert made.key not in (await stored(metadata, made.id)).wrapped


async def test_a_key_is_not_shown(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    assert repr(made) == str(made) == f"DataKey({made.id})"


async def test_a_key_id_may_stand_in_a_location(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    assert LOCATION.fullmatch(f"{made.id}/{os.urandom(16).hex()}")


async def test_a_missing_key_is_named(metadata: Metadata) -> None:
    with pytest.raises(StorageUnusable, match="The data key missing is missing from the database"):
        await ring(metadata).key("missing")


async def test_another_master_key_opens_nothing(metadata: Metadata) -> None:
    made = await ring(metadata).key_for("content", ACCOUNT)
    other = ring(metadata, bytes(32))
    with pytest.raises(Damaged):
        await other.key(made.id)
    with pytest.raises(Damaged):
        await other.key_for("content", ACCOUNT)


@pytest.mark.parametrize(("column", "value"), [("id", "other"), ("purpose", "page"), ("account", STRANGER)])
async def test_a_wrapped_key_opens_only_where_it_was_put(
    metadata: Metadata, tmp_path: Path, column: str, value: str
) -> None:
    """Whoever can write rows cannot give one account another's key."""
    made = await ring(metadata).key_for("content", ACCOUNT)
    database = sqlite3.connect(tmp_path / "portside.db")
    with database:
        database.execute(f"UPDATE data_keys SET {column} = ?", [value])
    database.close()
    with pytest.raises(Damaged):
        await ring(metadata).key(value if column == "id" else made.id)
