"""What every test may ask for: a PostgreSQL, and clear words when a program is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.conformance")

from portside.storage.metadata import migrate  # noqa: E402 - the rewriting has to be arranged before
from tests.clients.packages import PackageUnavailableError  # noqa: E402
from tests.postgres import PostgresServer, empty, running  # noqa: E402


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Say in one line, and fail, when a program is missing and cannot be installed."""
    try:
        return (yield)
    except PackageUnavailableError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the session."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The address of a database with the schema; to be copied, never used."""
    url = postgres.database()
    migrate.upgrade(url)
    return url


@pytest.fixture
def own_postgres(postgres: PostgresServer, migrated_postgres: str) -> str:
    """The address of a database with the schema, which this test may ruin."""
    return postgres.database(like=migrated_postgres)


@pytest.fixture(scope="session")
def _shared_postgres(postgres: PostgresServer, migrated_postgres: str) -> str:
    return postgres.database(like=migrated_postgres)


@pytest.fixture
def empty_postgres(_shared_postgres: str) -> str:
    """The address of a database with the schema and no rows; quicker to have than one of its own."""
    asyncio.run(empty(_shared_postgres))
    return _shared_postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema; to be copied, never used."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path
