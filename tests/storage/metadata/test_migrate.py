from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from portside.storage.errors import NewerSchema, StorageUnusable
from portside.storage.metadata import migrate, migrations, tables
from portside.storage.metadata.postgres import PostgresMetadata
from tests.postgres import PostgresServer

VERSIONS = Path(next(iter(migrations.__path__))) / "versions"


@pytest.fixture(params=["sqlite", "postgresql"])
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'portside.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


def look(url: str, work: Callable[[Connection], Any]) -> Any:
    """Do something with a connection."""
    if migrate.sqlite_path(url):
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                return work(connection)
        finally:
            engine.dispose()
    return asyncio.run(_look(url, work))


async def _look(url: str, work: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def words(index: Any) -> str:
    """All that is said of an index, its condition as text."""
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return str(dict(index) | {"dialect_options": options})


def shape(connection: Connection) -> dict[str, Any]:
    """All that the database says of its tables, but Alembic's own."""
    seen = inspect(connection)
    return {
        name: {
            "columns": {
                column["name"]: (
                    str(column["type"]),
                    getattr(column["type"], "collation", None),
                    column["nullable"],
                    column["default"] and column["default"].startswith("nextval"),
                )
                for column in seen.get_columns(name)
            },
            "primary key": seen.get_pk_constraint(name),
            "foreign keys": sorted(map(str, seen.get_foreign_keys(name))),
            "unique": sorted(map(str, seen.get_unique_constraints(name))),
            "indexes": sorted(words(index) for index in seen.get_indexes(name)),
            "options": seen.get_table_options(name),
        }
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def set_revision(url: str, text: str) -> None:
    look(url, lambda connection: connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{text}'"))


# --- from nothing to the newest -------------------------------------------------------------------------------------


def test_migrations_lead_to_the_tables(nothing: str) -> None:
    migrate.upgrade(nothing)
    options = {"compare_type": True, "compare_server_default": True}
    differences = look(
        nothing,
        lambda connection: compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata),
    )
    assert differences == []


def test_migrations_leave_what_the_tables_would_make(nothing: str, tmp_path: Path, request: Any) -> None:
    """Collations and counters too, which Alembic does not compare."""
    migrate.upgrade(nothing)
    made = f"sqlite:///{tmp_path / 'made.db'}"
    if not migrate.sqlite_path(nothing):
        made = request.getfixturevalue("postgres").database()
    look(made, tables.metadata.create_all)
    assert look(nothing, shape) == look(made, shape)


def test_the_newest_revision_is_the_last_file(nothing: str) -> None:
    migrate.upgrade(nothing)
    files = sorted(path.name for path in VERSIONS.glob("*.py"))
    assert look(nothing, revision) == migrate.NEWEST == files[-1].partition("_")[0]


def test_text_sorts_by_its_bytes_in_every_column(nothing: str) -> None:
    """On SQLite it always does; PostgreSQL has to be told, column by column, where it orders or compares."""
    del nothing
    ordered = [
        column
        for table in tables.metadata.tables.values()
        for column in table.columns
        if column.primary_key or any(column.name in index.columns for index in table.indexes)
    ]
    words = [column for column in ordered if str(column.type).startswith("VARCHAR")]
    assert [str(one) for one in words if one.type._variant_mapping["postgresql"].collation != "C"] == []


def test_upgrading_again_changes_nothing(nothing: str) -> None:
    migrate.upgrade(nothing)
    before = look(nothing, shape)
    migrate.upgrade(nothing)
    assert look(nothing, shape) == before


OLD = (
    "INSERT INTO accounts VALUES ('1', 0)",
    "INSERT INTO data_keys VALUES ('k', 'content', '1', 'w', 0)",
    *(
        "INSERT INTO repositories (key, account, region, name, settings, content_key, created_at)"
        f" VALUES ({key}, '1', '{region}', '{name}', '', 'k', 0)"
        for key, region, name in ((1, "here", "one"), (2, "here", "two"), (3, "there", "one"))
    ),
    *(
        "INSERT INTO manifests (repository, digest, media_type, content, size, content_size, pushed_at)"
        f" VALUES ({key}, '{digest}', '', '', 0, 0, 0)"
        for key, digest in ((1, "a"), (1, "b"), (3, "a"))
    ),
)
"""Rows of the first schema."""


def test_what_was_there_is_counted(nothing: str) -> None:
    def at_first(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(VERSIONS.parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in OLD:
            connection.exec_driver_sql(statement)

    look(nothing, at_first)
    migrate.upgrade(nothing)

    def rows(statement: str) -> list[tuple[Any, ...]]:
        return look(nothing, lambda connection: [tuple(row) for row in connection.exec_driver_sql(statement)])

    assert rows("SELECT region, repositories FROM registries ORDER BY region") == [("here", 2), ("there", 1)]
    assert rows("SELECT key, images FROM repositories ORDER BY key") == [(1, 2), (2, 0), (3, 1)]
    assert {status for (status,) in rows("SELECT status FROM manifests")} == {"ACTIVE"}


# --- looking first --------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'portside.db'}"


def test_only_an_upgraded_database_is_current(sqlite_url: str) -> None:
    assert not migrate.is_current(sqlite_url)
    migrate.upgrade(sqlite_url)
    assert migrate.is_current(sqlite_url)


@pytest.mark.parametrize("text", ["0000", "9999"])
def test_another_revision_is_not_current(sqlite_url: str, text: str) -> None:
    migrate.upgrade(sqlite_url)
    set_revision(sqlite_url, text)
    assert not migrate.is_current(sqlite_url)


def test_looking_makes_no_file(sqlite_url: str, tmp_path: Path) -> None:
    assert not migrate.is_current(sqlite_url)
    assert [*tmp_path.iterdir()] == []


def test_what_is_no_database_is_not_current(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "portside.db").write_bytes(b"not a database. " * 1000)
    assert not migrate.is_current(sqlite_url)


def test_a_database_of_something_else_is_not_current(sqlite_url: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "portside.db")
    connection.execute("CREATE TABLE accounts (id)")
    connection.close()
    assert not migrate.is_current(sqlite_url)


def test_postgresql_is_asked_by_upgrading(migrated_postgres: str) -> None:
    assert not migrate.is_current(migrated_postgres)


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["with space", "50%20off", "what?", "a#b", "gr\u00fcn", "a+b&c=d"])
def test_a_database_is_made_where_the_address_says(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "portside.db"
    path.parent.mkdir()
    migrate.upgrade(f"sqlite:///{path}")
    assert migrate.is_current(f"sqlite:///{path}")
    assert [*tmp_path.iterdir()] == [path.parent]
    assert [*path.parent.iterdir()] == [path]


def test_postgresql_takes_the_settings_that_the_driver_takes(postgres: PostgresServer) -> None:
    """One address serves for migrating and for working."""
    url = f"{postgres.database()}&sslmode=prefer&application_name=portside"
    migrate.upgrade(url)

    async def check() -> None:
        metadata = await PostgresMetadata.connect(url)
        await metadata.check()
        await metadata.close()

    asyncio.run(check())


# --- what cannot be used --------------------------------------------------------------------------------------------


def test_data_of_a_newer_version_is_left_alone(nothing: str) -> None:
    migrate.upgrade(nothing)
    set_revision(nothing, "9999")
    before = look(nothing, shape)
    with pytest.raises(NewerSchema) as caught:
        migrate.upgrade(nothing)
    assert caught.value.message == (
        f"The data was written by a newer version of Portside (schema 9999, this version knows {migrate.NEWEST}). "
        "Install that version or newer."
    )
    assert (look(nothing, revision), look(nothing, shape)) == ("9999", before)


def test_a_file_that_is_no_database_is_said_in_one_line_and_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    path, content = tmp_path / "portside.db", b"not a database. " * 1000
    path.write_bytes(content)
    with pytest.raises(StorageUnusable) as caught:
        migrate.upgrade(sqlite_url)
    assert caught.value.message == "The database cannot be used: file is not a database."
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_left_alone(nothing: str) -> None:
    look(nothing, lambda connection: connection.exec_driver_sql("CREATE TABLE accounts (something TEXT)"))
    before = look(nothing, shape)
    with pytest.raises(StorageUnusable, match=r"accounts.* already exists"):
        migrate.upgrade(nothing)
    assert look(nothing, shape) == before


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageUnusable) as caught:
        migrate.upgrade(f"sqlite:///{tmp_path}/missing/portside.db")
    assert caught.value.message == "The database cannot be used: unable to open database file."


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hush@127.0.0.1:{port}/portside",
        "postgresql://user:hush@/portside?host=/nowhere",
        "postgresql://user:hush@127.0.0.1:{port}x/portside",
        "postgresql://user:hush@127.0.0.1:{port}/portside?sslmode=maybe",
        "mysql://user:hush@127.0.0.1/portside",
        "portside",
    ],
)
def test_what_cannot_be_reached_is_said_in_one_line_without_the_password(url: str, silent: int) -> None:
    with pytest.raises(StorageUnusable) as caught:
        migrate.upgrade(url.format(port=silent))
    assert len(caught.value.message.splitlines()) == 1
    assert "hush" not in caught.value.message


def test_a_database_that_is_not_there_is_said_in_one_line(postgres: PostgresServer) -> None:
    with pytest.raises(StorageUnusable) as caught:
        migrate.upgrade(postgres.address("missing"))
    assert caught.value.message == 'The database cannot be used: database "missing" does not exist.'


def hang_up(server: socket.socket) -> None:
    server.accept()[0].close()


def test_a_server_that_hangs_up_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as answering:
        server.settimeout(5)
        answering.submit(hang_up, server)
        with pytest.raises(StorageUnusable) as caught:
            migrate.upgrade(f"postgresql://user:hush@127.0.0.1:{server.getsockname()[1]}/portside?sslmode=disable")
    assert len(caught.value.message.splitlines()) == 1


# --- many at once ---------------------------------------------------------------------------------------------------


def test_nodes_that_start_at_once_migrate_once(nothing: str) -> None:
    with ThreadPoolExecutor(4) as nodes:
        list(nodes.map(migrate.upgrade, [nothing] * 4))
    assert look(nothing, revision) == migrate.NEWEST


def test_a_migration_that_fails_leaves_nothing(nothing: str) -> None:
    """A table in the way of the last one: those before it are undone."""
    look(nothing, lambda connection: connection.exec_driver_sql("CREATE TABLE uploads (something TEXT)"))
    with pytest.raises(StorageUnusable):
        migrate.upgrade(nothing)
    assert look(nothing, lambda connection: inspect(connection).get_table_names()) == ["uploads"]
