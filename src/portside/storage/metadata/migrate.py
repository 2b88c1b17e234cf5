"""Bringing a database to the schema of this version.

Alembic is imported only when there is something to do: it takes longer to load than a start may take.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portside.storage.errors import NewerSchema, StorageUnusable

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST = "0010"
"""The last file in migrations/versions; a test compares."""

_LOCK = 0x706F727473696465
"""The PostgreSQL advisory lock that keeps two nodes from migrating at once: "portside" in ASCII."""

_WAIT = 30


def is_current(url: str) -> bool:
    """Whether an SQLite database stands at the newest revision already; a cheap look before `upgrade`."""
    path = sqlite_path(url)
    if path is None or not path.exists():
        return False
    try:
        connection = sqlite3.connect(path)
        try:
            return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def upgrade(url: str) -> None:
    """Bring `sqlite:///PATH` or `postgresql://…` up to date, from nothing or from any older revision.

    Raises NewerSchema, and StorageUnusable when the database cannot be reached or is not ours.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see the module's first lines

    try:
        path = sqlite_path(url)
        if path is not None:
            _upgrade_sqlite(path)
        else:
            asyncio.run(_upgrade_postgres(url))
    except (TimeoutError, SQLAlchemyError, OSError) as error:
        raise StorageUnusable(f"The database cannot be used: {_reason(error)}.") from None


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite address; None for another kind."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _upgrade_sqlite(path: Path) -> None:
    from sqlalchemy import URL, create_engine  # noqa: PLC0415

    # Not from text, where a folder's name may look like a query.
    engine = create_engine(URL.create("sqlite", database=str(path)))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _run(connection)
            connection.commit()
    finally:
        engine.dispose()


async def _upgrade_postgres(url: str) -> None:
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    # The driver reads the address itself, as it does for `PostgresMetadata`: SQLAlchemy reads some of it otherwise.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: _connected(url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


async def _connected(url: str) -> Any:
    import asyncpg  # noqa: PLC0415

    try:
        return await asyncpg.connect(url, timeout=_WAIT)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    except (ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StorageUnusable(f"The database cannot be used: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return (lines or [type(error).__name__])[0].rstrip(".")


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    known: set[Any] = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise NewerSchema(
            f"The data was written by a newer version of Portside (schema {found}, this version knows {NEWEST}). "
            "Install that version or newer."
        )
    command.upgrade(config, "head")
