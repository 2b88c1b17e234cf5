from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from portside.storage.metadata.port import Metadata
from portside.storage.metadata.postgres import PostgresMetadata
from portside.storage.metadata.sqlite import SqliteMetadata
from tests.conformance.counting import CountingMachine
from tests.postgres import empty


def check(connect: Callable[[], Awaitable[Metadata]], examples: int) -> None:
    run_state_machine_as_test(
        lambda: CountingMachine(connect),
        settings=settings(max_examples=examples, stateful_step_count=25, deadline=None),
    )


def test_counts_stay_right_on_sqlite(migrated_sqlite: Path, tmp_path: Path) -> None:
    async def connect() -> SqliteMetadata:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        return SqliteMetadata(shutil.copyfile(migrated_sqlite, folder / "portside.db"))

    check(connect, examples=25)


def test_counts_stay_right_on_postgresql(empty_postgres: str) -> None:
    async def connect() -> PostgresMetadata:
        await empty(empty_postgres)
        return await PostgresMetadata.connect(empty_postgres)

    check(connect, examples=8)
