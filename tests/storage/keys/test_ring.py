from __future__ import annotations

import asyncio
import functools
import os
import shutil
import sqlite3
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from portside.identity.box import Box, BoxError
from portside.storage.blobs.port import LOCATION
from portside.storage.errors import Damaged, KeyDisabled, StorageUnusable
from portside.storage.keys.local import LocalKeyKeeper
from portside.storage.keys.ring import KeyRing
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.kms_keys import KmsKeyRow
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.postgres import PostgresMetadata
from portside.storage.metadata.sqlite import SqliteMetadata
from tests.conformance.nouns.rows import ACCOUNT, NOW, REGISTRY, STRANGER, registry

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


# --- under KMS keys -------------------------------------------------------------------------------------------------


async def kms_key(metadata: Metadata, master: bytes = MASTER) -> KmsKeyRow:
    await registry(metadata)
    row = ring(metadata, master).new_kms_key(REGISTRY, None, managed=False)
    async with metadata.writing() as unit:
        assert await unit.kms_keys.add(row)
    return row


async def enable(metadata: Metadata, key: str, *, on: bool) -> None:
    async with metadata.writing() as unit:
        await unit.kms_keys.enable(key, on=on)


@pytest.mark.parametrize("twice", [False, True])
async def test_a_kms_key_has_one_data_key_though_two_nodes_need_it_at_once(
    adapters: list[Metadata], *, twice: bool
) -> None:
    row = await kms_key(adapters[0])
    rings = [ring(adapter) for adapter in adapters]
    keys = await asyncio.gather(*(one.key_under(row.id, ACCOUNT, twice=twice) for one in rings * 4))
    assert len({(key.id, key.key) for key in keys}) == 1
    assert len(keys[0].key) == (64 if twice else 32)
    assert keys[0].kms_key == row.id
    assert LOCATION.fullmatch(f"{keys[0].id}/{os.urandom(16).hex()}")
    assert len((await stored(adapters[0], keys[0].id)).purpose) <= 32


@pytest.mark.parametrize("twice", [False, True])
async def test_a_key_under_a_kms_key_is_found_after_a_restart(metadata: Metadata, *, twice: bool) -> None:
    row = await kms_key(metadata)
    made = await ring(metadata).key_under(row.id, ACCOUNT, twice=twice)
    found = await ring(metadata).key(made.id)
    assert found.key == made.key
    assert found.box.open(made.box.seal(b"value", b"context"), b"context") == b"value"
    assert (await ring(metadata).key_under(row.id, ACCOUNT, twice=twice)).id == made.id


async def test_every_kms_key_has_data_keys_of_its_own(metadata: Metadata) -> None:
    keys = ring(metadata)
    rows = [await kms_key(metadata) for _ in range(2)]
    made = [await keys.key_under(row.id, ACCOUNT, twice=twice) for row in rows for twice in (False, True)]
    made.append(await keys.key_for("page"))
    assert len({key.id for key in made}) == len({key.key for key in made}) == 5


async def test_a_disabled_kms_key_gives_nothing_on_any_node_until_it_is_enabled(adapters: list[Metadata]) -> None:
    row = await kms_key(adapters[0])
    rings = [ring(adapter) for adapter in adapters]
    made = await rings[0].key_under(row.id, ACCOUNT, twice=False)
    await rings[1].key(made.id)
    content = await rings[1].key_for("page")
    await enable(adapters[0], row.id, on=False)
    for keys in (*rings, ring(adapters[1])):
        with pytest.raises(KeyDisabled, match=f"^{row.arn} is disabled.$"):
            await keys.key(made.id)
        for twice in (False, True):
            with pytest.raises(KeyDisabled):
                await keys.key_under(row.id, ACCOUNT, twice=twice)
        assert (await keys.key(content.id)).key == content.key
    await enable(adapters[1], row.id, on=True)
    assert {(await keys.key(made.id)).key for keys in rings} == {made.key}


async def test_the_state_of_a_kms_key_is_not_read_again_within_an_epoch(metadata: SqliteMetadata) -> None:
    row = await kms_key(metadata)
    keys = ring(metadata)
    made = await keys.key_under(row.id, ACCOUNT, twice=False)
    await keys.key(made.id)
    read: list[str] = []
    metadata._reader.set_trace_callback(read.append)
    await keys.key(made.id)
    metadata._reader.set_trace_callback(None)
    assert read == ["PRAGMA data_version"]


async def test_neither_the_master_key_nor_the_kms_key_opens_a_data_key_alone(metadata: Metadata) -> None:
    row = await kms_key(metadata)
    made = await ring(metadata).key_under(row.id, ACCOUNT, twice=True)
    found = await stored(metadata, made.id)
    context = f"portside data key\n{found.id}\n{found.purpose}\n{found.account}".encode()
    keeper = LocalKeyKeeper(MASTER)
    kms = Box(keeper.unwrap(row.wrapped, f"portside kms key\n{row.id}\n{REGISTRY.account}\n{REGISTRY.region}".encode()))
    with pytest.raises(BoxError):
        kms.open(found.wrapped, context)
    sealed = keeper.unwrap(found.wrapped, context)
    assert made.key[:32] not in sealed
    assert made.key[32:] not in sealed
    assert kms.open(sealed, context) == made.key


async def test_another_master_key_opens_no_kms_key(metadata: Metadata) -> None:
    row = await kms_key(metadata)
    made = await ring(metadata).key_under(row.id, ACCOUNT, twice=False)
    with pytest.raises(Damaged):
        await ring(metadata, bytes(32)).key(made.id)
    with pytest.raises(Damaged):
        await ring(metadata, bytes(32)).key_under(row.id, ACCOUNT, twice=True)


@pytest.mark.parametrize(("column", "value"), [("account", STRANGER), ("region", "us-east-1")])
async def test_a_wrapped_kms_key_opens_only_where_it_was_put(
    metadata: Metadata, tmp_path: Path, column: str, value: str
) -> None:
    row = await kms_key(metadata)
    await registry(metadata, STRANGER)
    made = await ring(metadata).key_under(row.id, ACCOUNT, twice=False)
    with sqlite3.connect(tmp_path / "portside.db") as database:
        database.execute(f"UPDATE kms_keys SET {column} = ?", (value,))
    with pytest.raises(Damaged):
        await ring(metadata).key(made.id)


async def test_a_data_key_opens_under_no_other_kms_key(metadata: Metadata) -> None:
    """Not even for whoever holds the master key and can write rows."""
    one, other = [await kms_key(metadata) for _ in range(2)]
    found = await stored(metadata, (await ring(metadata).key_under(one.id, ACCOUNT, twice=False)).id)
    keeper = LocalKeyKeeper(MASTER)
    sealed = keeper.unwrap(found.wrapped, f"portside data key\n{found.id}\n{found.purpose}\n{ACCOUNT}".encode())
    purpose = f"kms:{urlsafe_b64encode(uuid.UUID(other.id).bytes).decode().rstrip('=')}"
    context = f"portside data key\nforged\n{purpose}\n{ACCOUNT}".encode()
    async with metadata.writing() as unit:
        await unit.accounts.add_data_key(DataKeyRow("forged", purpose, ACCOUNT, keeper.wrap(sealed, context)), NOW)
    with pytest.raises(Damaged, match="does not open under its KMS key"):
        await ring(metadata).key("forged")


async def test_a_missing_kms_key_is_named(metadata: Metadata) -> None:
    with pytest.raises(StorageUnusable, match="The KMS key 00000000-0000-0000-0000-000000000000 is missing"):
        await ring(metadata).key_under("00000000-0000-0000-0000-000000000000", ACCOUNT, twice=False)


async def test_a_kms_keys_row_does_not_hold_it_in_the_open(metadata: Metadata) -> None:
    row = await kms_key(metadata)
    made = await ring(metadata).key_under(row.id, ACCOUNT, twice=False)
    assert repr(made) == f"DataKey({made.id})"
    assert "wrapped" not in repr(row)
