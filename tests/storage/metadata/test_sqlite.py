from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from portside.core.records import Upload
from portside.storage.errors import NoSpace, StorageUnavailable, StorageUnusable
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.port import Unit
from portside.storage.metadata.sqlite import SqliteMetadata
from tests.conformance.blob_store import full_disk
from tests.conformance.metadata import MetadataConformance
from tests.conformance.nouns.rows import ACCOUNT, NOW


@pytest.fixture
def path(tmp_path: Path, migrated_sqlite: Path) -> Path:
    return shutil.copyfile(migrated_sqlite, tmp_path / "portside.db")


@pytest.fixture
async def metadata(path: Path) -> AsyncIterator[SqliteMetadata]:
    adapter = SqliteMetadata(path)
    yield adapter
    await adapter.close()


@pytest.fixture
async def other(path: Path) -> AsyncIterator[SqliteMetadata]:
    adapter = SqliteMetadata(path)
    yield adapter
    await adapter.close()


class TestSqlite(MetadataConformance):
    pass


def ask(unit: Unit, question: str) -> Any:
    return unit.accounts._session._connection.execute(question).fetchone()[0]


def pragma(unit: Unit, name: str) -> Any:
    return ask(unit, f"PRAGMA {name}")


def root_page(unit: Unit, name: str) -> int:
    return ask(unit, f"SELECT rootpage FROM sqlite_master WHERE name = '{name}'")


async def add(metadata: SqliteMetadata, account: str = ACCOUNT) -> None:
    async with metadata.writing() as unit:
        await unit.accounts.add(account, NOW)


async def add_much(metadata: SqliteMetadata) -> None:
    async with metadata.writing() as unit:
        await unit.accounts.add(ACCOUNT, NOW)
        await unit.accounts.add_data_key(DataKeyRow("one", "page", "", bytes(1_000_000)), NOW)


# --- durability -----------------------------------------------------------------------------------------------------


async def test_a_durable_unit_waits_for_the_disk(metadata: SqliteMetadata) -> None:
    for durable, expected in ((True, 2), (False, 1), (True, 2)):
        async with metadata.writing(durable=durable) as unit:
            assert (pragma(unit, "journal_mode"), pragma(unit, "synchronous")) == ("wal", expected)


async def test_references_are_checked(metadata: SqliteMetadata) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        async with metadata.writing() as unit:
            await unit.uploads.add(Upload("one", repository_key=1, location="", started_at=NOW))


async def test_a_reading_unit_cannot_write(metadata: SqliteMetadata) -> None:
    with pytest.raises(StorageUnavailable):
        async with metadata.reading() as unit:
            await unit.accounts.add(ACCOUNT, NOW)


# --- when it cannot do its work -------------------------------------------------------------------------------------


async def test_no_room_is_said_in_the_ports_words_and_undone(metadata: SqliteMetadata) -> None:
    async with metadata.writing() as unit:
        pages = pragma(unit, "page_count")
        pragma(unit, f"max_page_count = {pages}")
    with pytest.raises(NoSpace):
        await add_much(metadata)
    async with metadata.reading() as unit:
        assert not await unit.accounts.exists(ACCOUNT)
    await add(metadata)


@pytest.mark.parametrize("durable", [True, False])
async def test_a_unit_is_committed_when_its_log_cannot_be_moved(
    metadata: SqliteMetadata, path: Path, *, durable: bool
) -> None:
    """The database file cannot grow, the log can: a limit on the size of any file, which the log is far below."""
    large, grow = 4_000_000, "INSERT INTO ballast VALUES (zeroblob(5000))"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE ballast AS SELECT zeroblob({large}) AS held")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (large, held[1]))
    try:
        for _ in range(64):
            async with metadata.writing(durable=durable) as unit:
                unit.accounts._session._connection.execute(grow)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, held)
    async with metadata.reading() as unit:
        assert ask(unit, "SELECT count(*) FROM ballast") == 65


async def test_the_log_is_moved_when_nothing_durable_is_written(metadata: SqliteMetadata, path: Path) -> None:
    """It would grow for ever."""
    for number in range(64):
        async with metadata.writing(durable=False) as unit:
            await unit.accounts.add(f"{number:012}", NOW)
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size
    for number in range(64, 128):
        async with metadata.writing(durable=False) as unit:
            await unit.accounts.add(f"{number:012}", NOW)
    assert log.stat().st_size == size


async def test_a_disk_that_refuses_is_said_in_the_ports_words_and_undone(metadata: SqliteMetadata) -> None:
    with full_disk(0), pytest.raises(StorageUnavailable):
        await add(metadata)
    async with metadata.reading() as unit:
        assert not await unit.accounts.exists(ACCOUNT)
    await add(metadata)


async def test_a_damaged_database_is_said_in_the_ports_words(metadata: SqliteMetadata, path: Path) -> None:
    async with metadata.reading() as unit:
        size, number = pragma(unit, "page_size"), root_page(unit, "sqlite_autoindex_accounts_1")
    with path.open("r+b") as file:
        file.seek(size * (number - 1))
        file.write(os.urandom(size))
    with pytest.raises(StorageUnavailable):
        await metadata.check()


async def test_a_database_without_tables_fails_its_check(tmp_path: Path) -> None:
    metadata = SqliteMetadata(tmp_path / "empty.db")
    try:
        with pytest.raises(StorageUnavailable, match="no such table"):
            await metadata.check()
    finally:
        await metadata.close()


def test_a_file_that_is_no_database_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "portside.db"
    path.write_bytes(b"not a database. " * 1000)
    with pytest.raises(StorageUnusable) as caught:
        SqliteMetadata(path)
    assert caught.value.message == f"The database {path} cannot be opened: file is not a database."


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "portside.db"
    with pytest.raises(StorageUnusable) as caught:
        SqliteMetadata(path)
    assert caught.value.message == f"The database {path} cannot be opened: unable to open database file."


def test_a_place_without_a_write_ahead_log_is_refused() -> None:
    with pytest.raises(StorageUnusable, match="write-ahead log"):
        SqliteMetadata(Path(":memory:"))
