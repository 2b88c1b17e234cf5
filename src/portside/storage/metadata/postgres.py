"""Metadata in PostgreSQL.

Laws: synchronous commit, so a commit that returned survives a power failure; units run at READ COMMITTED, and what must
not change between a decision and its change is locked by row (`repositories.lock`, `layers.blob`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

import asyncpg

from portside.storage.errors import NoSpace, StorageUnavailable, StorageUnusable
from portside.storage.metadata.authority import VERSION, move
from portside.storage.metadata.port import Unit
from portside.storage.metadata.statements import Row, Statement

_CONNECTIONS = 16
_WAIT = 30.0
_CHECK = 5.0
_STATES = (
    asyncpg.TransactionRollbackError,  # two units waited for each other
    asyncpg.PostgresSystemError,  # its disk fails
    asyncpg.ReadOnlySQLTransactionError,  # the server became a standby
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
)
"""What a server says that answers and cannot serve, now or to us."""


class PostgresMetadata:
    """A Metadata on one PostgreSQL database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str) -> PostgresMetadata:
        """Connect to `postgresql://…`; raises StorageUnusable."""
        try:
            pool = await asyncpg.create_pool(  # pyright: ignore[reportUnknownMemberType]
                url,
                min_size=1,
                max_size=_CONNECTIONS,
                timeout=_WAIT,
                command_timeout=_WAIT,
                server_settings={"application_name": "portside", "synchronous_commit": "on"},
            )
        except (TimeoutError, OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageUnusable(f"The database cannot be reached: {_reason(error)}.") from None
        return cls(pool)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncGenerator[Unit, None]:
        """See Metadata."""
        with _in_our_words():
            async with self._pool.acquire(timeout=_WAIT) as connection:
                yield Unit(_PostgresSession(connection))

    @contextlib.asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncGenerator[Unit, None]:
        """See Metadata."""
        with _in_our_words():
            async with self._pool.acquire(timeout=_WAIT) as connection, connection.transaction():
                if not durable:
                    await connection.execute("SET LOCAL synchronous_commit = off")
                session = _PostgresSession(connection)
                yield Unit(session)
                if session.moves_authority:
                    await move(session)

    async def epoch(self) -> str:
        """See Metadata. Two equal snapshots see the same transactions (PostgreSQL, System Information Functions)."""
        with _in_our_words():
            return await self._pool.fetchval("SELECT pg_current_snapshot()::text")

    async def authority(self) -> int:
        """See Metadata."""
        with _in_our_words():
            return await self._pool.fetchval(VERSION.postgres[0]) or 0

    async def check(self) -> None:
        """See Metadata."""
        with _in_our_words():
            # Whoever asks whether all is well is not kept waiting as long as whoever wants work done.
            async with asyncio.timeout(_CHECK):
                await self._pool.fetchval("SELECT 1 FROM accounts LIMIT 1")

    async def close(self) -> None:
        """See Metadata."""
        await self._pool.close()


class _PostgresSession:
    """A Session on one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.moves_authority = False

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        return await self._connection.fetch(*self._bound(statement, parameters))

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        return await self._connection.fetchrow(*self._bound(statement, parameters))

    async def run(self, statement: Statement, **parameters: Any) -> int:
        status: str = await self._connection.execute(*self._bound(statement, parameters))
        return int(status.rpartition(" ")[2])

    async def run_many(self, statement: Statement, parameters: Sequence[dict[str, Any]]) -> None:
        text = statement.postgres[0]
        await self._connection.executemany(text, [self._bound(statement, each)[1:] for each in parameters])

    def _bound(self, statement: Statement, parameters: dict[str, Any]) -> list[Any]:
        self.moves_authority |= statement.moves_authority
        text, names, own = statement.postgres
        return [text, *(parameters[name] if name in parameters else own[name] for name in names)]


@contextlib.contextmanager
def _in_our_words() -> Generator[None, None, None]:
    """Turn the driver's errors into the port's; a programming error stays what it is."""
    try:
        yield
    except asyncpg.DiskFullError as error:
        raise NoSpace("The database's disk is full.") from error
    except (
        TimeoutError,
        OSError,
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # the server said goodbye before it was asked anything
        *_STATES,
    ) as error:
        raise StorageUnavailable(f"The database does not answer: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    # Only the first line: the rest may repeat the connection's parameters.
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
