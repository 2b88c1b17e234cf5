"""Metadata in one SQLite file.

Laws: WAL with synchronous=FULL, so a commit that returned survives a power failure; one writing unit at a time, begun
with BEGIN IMMEDIATE, so that nothing it read can change before it commits. Other processes on the same file wait for
their turn inside SQLite.

Reads run on the event loop: they take microseconds. What can wait, for the lock or for the disk, runs in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from portside.storage.errors import NoSpace, StorageUnavailable, StorageUnusable
from portside.storage.metadata.authority import VERSION, move
from portside.storage.metadata.port import Unit
from portside.storage.metadata.statements import Row, Statement

_MINIMUM = (3, 37)
_WAIT = 30.0
_WAIT_MILLISECONDS = 30_000
_DURABLY, _SOON = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"
_CHECKPOINT_EVERY = 64
"""Commits between two moves of the log's content into the database file."""
_T = TypeVar("_T")


class SqliteMetadata:
    """A Metadata on one file."""

    def __init__(self, path: Path) -> None:
        if sqlite3.sqlite_version_info < _MINIMUM:
            raise StorageUnusable(f"SQLite {sqlite3.sqlite_version} is too old; Portside needs 3.37 or newer.")
        self._reader = _connect(path)
        self._reader.execute("PRAGMA query_only = ON")
        self._writer = _connect(path)
        self._reading = Unit(_SqliteSession(self._reader))
        self._session = _SqliteSession(self._writer)
        self._writing = Unit(self._session)
        self._turn = asyncio.Lock()
        self._writer.execute("PRAGMA busy_timeout = 0")
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._commits = 0

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncGenerator[Unit, None]:
        """See Metadata."""
        with _in_our_words():
            yield self._reading

    @contextlib.asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncGenerator[Unit, None]:
        """See Metadata. In WAL mode NORMAL is FULL without waiting for the disk; a later FULL commit covers it."""
        async with self._turn:
            with _in_our_words():
                self._writer.execute(_DURABLY if durable else _SOON)
                try:
                    if not self._begin_at_once():
                        await self._blocking(self._begin)
                    self._session.moves_authority = False
                    yield self._writing
                    if self._session.moves_authority:
                        await move(self._session)
                    self._commits += 1
                    # Where waiting is allowed, and not within whichever commit the log happens to be long at.
                    due = self._commits % _CHECKPOINT_EVERY == 0
                    await (self._blocking(self._commit) if durable or due else self._commit_at_once())
                    if due:
                        await self._blocking(self._checkpoint)
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")

    async def epoch(self) -> int:
        """See Metadata. SQLite counts, for one connection, the commits of all others; ours never commits."""
        try:  # asked at every request: entering a context costs as much as the answer
            return self._reader.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.DatabaseError:
            with _in_our_words():
                raise

    async def authority(self) -> int:
        """See Metadata."""
        with _in_our_words():
            found = self._reader.execute(VERSION.sqlite[0]).fetchone()
        return 0 if found is None else found[0]

    async def check(self) -> None:
        """See Metadata."""
        with _in_our_words():
            self._reader.execute("SELECT 1 FROM accounts LIMIT 1").fetchall()

    async def close(self) -> None:
        """See Metadata."""
        async with self._turn:
            self._thread.shutdown()
            self._reader.close()
            self._writer.close()

    def _begin_at_once(self) -> bool:
        """Begin unless another process is writing; a hop to the thread costs more than most units do."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # the low byte is the kind
                raise
            return False
        return True

    def _begin(self) -> None:
        self._writer.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        finally:
            self._writer.execute("PRAGMA busy_timeout = 0")

    def _commit(self) -> None:
        self._writer.execute("COMMIT")

    def _checkpoint(self) -> None:
        # The unit is committed whatever becomes of this; on a full disk the log just stays as long as it is.
        with contextlib.suppress(sqlite3.DatabaseError):
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def _commit_at_once(self) -> None:
        self._writer.execute("COMMIT")

    async def _blocking(self, work: Callable[[], _T]) -> _T:
        """Run what may wait in the thread; however often a caller is cancelled, it waits for the end of it."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            raise


class _SqliteSession:
    """A Session on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.moves_authority = False

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        return self._execute(statement, parameters).fetchall()

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        cursor = self._execute(statement, parameters)
        found = cursor.fetchone()
        cursor.close()
        return found

    async def run(self, statement: Statement, **parameters: Any) -> int:
        return self._execute(statement, parameters).rowcount

    async def run_many(self, statement: Statement, parameters: Sequence[dict[str, Any]]) -> None:
        self.moves_authority |= statement.moves_authority
        text, own = statement.sqlite
        self._connection.executemany(text, [{**own, **each} for each in parameters])

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> sqlite3.Cursor:
        self.moves_authority |= statement.moves_authority
        text, own = statement.sqlite
        return self._connection.execute(text, {**own, **parameters} if own else parameters)


def _connect(path: Path) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(
            path, timeout=_WAIT, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise sqlite3.OperationalError("its file system cannot keep a write-ahead log")
        # A cache of 16 MiB: with SQLite's own of 2, a unit that removes much writes each page several times.
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY", "cache_size = -16384"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise StorageUnusable(f"The database {path} cannot be opened: {error}.") from None
    return connection


@contextlib.contextmanager
def _in_our_words() -> Generator[None, None, None]:
    """Turn the driver's errors into the port's; a programming error stays what it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_FULL:
            raise NoSpace("The disk is full.") from error
        # A damaged file is a plain DatabaseError, of which all others are kinds.
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            raise StorageUnavailable(f"The database does not answer: {error}.") from error
        raise
