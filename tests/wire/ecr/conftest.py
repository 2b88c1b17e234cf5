"""The ECR API on a server with its rows in SQLite, and on one with PostgreSQL: every test here passes on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.wire.server import RunningRegistry, serve

DATABASES = ("sqlite", "postgresql")


def options(database: str, request: pytest.FixtureRequest) -> list[str]:
    """What a server is started with to keep its rows there."""
    if database == "sqlite":
        return []
    server: PostgresServer = request.getfixturevalue("postgres")
    return ["--database", server.database()]


@pytest.fixture(scope="session", params=DATABASES)
def registry(request: pytest.FixtureRequest, state: Path) -> Iterator[RunningRegistry]:
    """Return a server that the tests of this folder share."""
    folder = state / f"ecr-{request.param}"
    folder.mkdir(mode=0o700)
    with serve(folder, *options(request.param, request)) as running:
        yield running


@pytest.fixture(scope="module", params=DATABASES)
def two_nodes(request: pytest.FixtureRequest, state: Path) -> Iterator[tuple[RunningRegistry, RunningRegistry]]:
    """Return two servers on one folder and database."""
    given = options(request.param, request)
    folder = state / f"two-nodes-{request.param}"
    folder.mkdir(mode=0o700)
    with serve(folder, *given) as first, serve(folder, *given) as second:
        yield first, second
