from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from portside.storage.errors import NoSpace, StorageUnavailable, StorageUnusable
from portside.storage.metadata.port import Unit
from portside.storage.metadata.postgres import PostgresMetadata
from tests.conformance.metadata import MetadataConformance
from tests.conformance.nouns.rows import ACCOUNT, KEY, NOW, STRANGER, digest, key_of, registry, upload
from tests.postgres import PostgresServer


@pytest.fixture
async def metadata(empty_postgres: str) -> AsyncIterator[PostgresMetadata]:
    adapter = await PostgresMetadata.connect(empty_postgres)
    yield adapter
    await adapter.close()


@pytest.fixture
async def other(empty_postgres: str) -> AsyncIterator[PostgresMetadata]:
    adapter = await PostgresMetadata.connect(empty_postgres)
    yield adapter
    await adapter.close()


@pytest.fixture
async def own(own_postgres: str) -> AsyncIterator[PostgresMetadata]:
    """On a database that the test may ruin."""
    adapter = await PostgresMetadata.connect(own_postgres)
    yield adapter
    await adapter.close()


class TestPostgres(MetadataConformance):
    pass


async def ask(unit: Unit, question: str) -> Any:
    return await unit.accounts._session._connection.fetchval(question)


async def add(metadata: PostgresMetadata, account: str = ACCOUNT) -> None:
    async with metadata.writing() as unit:
        assert await unit.accounts.add(account, NOW)


async def tell(url: str, *orders: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for order in orders:
            await connection.execute(order)
    finally:
        await connection.close()


# --- durability -----------------------------------------------------------------------------------------------------


async def test_a_durable_unit_waits_for_the_disk(metadata: PostgresMetadata) -> None:
    for durable, expected in ((True, "on"), (False, "off"), (True, "on")):
        async with metadata.writing(durable=durable) as unit:
            assert await ask(unit, "SHOW synchronous_commit") == expected


async def test_more_units_than_connections_wait_for_their_turn(metadata: PostgresMetadata) -> None:
    await asyncio.gather(*(add(metadata, f"{number:012}") for number in range(40)))
    async with metadata.reading() as unit:
        assert await ask(unit, "SELECT count(*) FROM accounts") == 40


# --- what another unit has in its hands ------------------------------------------------------------------------------


async def test_a_stale_upload_that_somebody_has_just_resumed_is_left_alone(
    metadata: PostgresMetadata, other: PostgresMetadata
) -> None:
    key = await key_of(metadata)
    async with metadata.writing() as unit:
        await unit.uploads.add(upload(key))
    async with metadata.writing() as resuming:
        assert await resuming.uploads.hold(key, "one", NOW + 5, NOW + 20)
        async with asyncio.timeout(5), other.writing() as sweep:
            assert await sweep.uploads.delete_stale(key, NOW + 1, NOW + 5) == []
    async with metadata.reading() as unit:
        assert await unit.uploads.find(key, "one")


async def test_an_upload_that_is_completed_while_its_repository_goes_has_no_bytes_to_drop(
    metadata: PostgresMetadata, other: PostgresMetadata
) -> None:
    key = await key_of(metadata)
    async with metadata.writing() as unit:
        await unit.uploads.add(upload(key))

    async def delete() -> Sequence[str]:
        async with other.writing() as unit:
            return await unit.uploads.delete_of(key)

    async with metadata.writing() as unit:
        assert await unit.uploads.hold(key, "one", NOW, NOW + 15)
        row = await unit.uploads.find(key, "one")
        assert row is not None
        assert await unit.uploads.complete(row, digest(1), NOW)
        deleting = asyncio.create_task(delete())
        await asyncio.sleep(0.3)
    assert await deleting == []


# --- when it cannot do its work -------------------------------------------------------------------------------------


async def test_a_connection_that_breaks_is_said_in_the_ports_words(
    metadata: PostgresMetadata, other: PostgresMetadata
) -> None:
    async def write() -> None:
        async with metadata.writing() as unit:
            backend = await ask(unit, "SELECT pg_backend_pid()")
            async with other.reading() as reading:
                await ask(reading, f"SELECT pg_terminate_backend({backend}, 5000)")
            await unit.accounts.add(ACCOUNT, NOW)

    with pytest.raises(StorageUnavailable):
        await write()
    await add(metadata)


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.PostgresIOError("could not read block 3"),
        asyncpg.CannotConnectNowError("the database system is shutting down"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_server_that_goes_away_is_said_in_the_ports_words(
    metadata: PostgresMetadata, failure: Exception
) -> None:
    """Whatever the driver makes of it: most of these depend on the moment."""

    async def write() -> None:
        async with metadata.writing() as unit:
            await unit.accounts.add(ACCOUNT, NOW)
            raise failure

    with pytest.raises(StorageUnavailable):
        await write()
    await add(metadata)


async def test_units_that_wait_for_each_other_end_as_unavailable(
    metadata: PostgresMetadata, other: PostgresMetadata
) -> None:
    """PostgreSQL lets one of them go on; the other is tried again by its client."""
    await registry(metadata)
    async with metadata.writing() as unit:
        for number in (1, 2):
            await unit.layers.add_blob(KEY, digest(number), "", 0, NOW)
    met = asyncio.Barrier(2)

    async def lock(adapter: PostgresMetadata, *numbers: int) -> None:
        async with adapter.writing() as unit:
            for number in numbers:
                await unit.layers.blob(KEY, digest(number))
                if number == numbers[0]:
                    await met.wait()

    ends = await asyncio.gather(lock(metadata, 1, 2), lock(other, 2, 1), return_exceptions=True)
    assert sorted(type(end) for end in ends if end) == [StorageUnavailable]
    await add(metadata, STRANGER)


async def test_no_room_is_said_in_the_ports_words_and_undone(own: PostgresMetadata, own_postgres: str) -> None:
    await tell(
        own_postgres,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END'",
        "CREATE TRIGGER full_disk AFTER INSERT ON data_keys EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(NoSpace):
        await registry(own)
    await add(own)


async def test_a_database_that_is_gone_fails_its_check(
    own: PostgresMetadata, own_postgres: str, postgres: PostgresServer
) -> None:
    name = own_postgres.rpartition("/test_")[2].partition("?")[0]
    await tell(postgres.address("postgres"), f"DROP DATABASE test_{name} WITH (FORCE)")
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await own.check()


async def test_a_database_without_tables_fails_its_check(postgres: PostgresServer) -> None:
    metadata = await PostgresMetadata.connect(postgres.address("postgres"))
    try:
        with pytest.raises(StorageUnavailable, match="does not exist"):
            await metadata.check()
    finally:
        await metadata.close()


async def test_a_database_that_is_not_there_is_said_in_one_line(postgres: PostgresServer) -> None:
    with pytest.raises(StorageUnusable) as caught:
        await PostgresMetadata.connect(postgres.address("missing"))
    assert caught.value.message == 'The database cannot be reached: database "missing" does not exist.'


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hush@127.0.0.1:{port}/portside",
        "postgresql://user:hush@/portside?host=/nowhere",
        "postgresql://user:hush@127.0.0.1:{port}x/portside",
        "mysql://user:hush@127.0.0.1/portside",
    ],
)
async def test_what_cannot_be_reached_is_said_in_one_line_without_the_password(url: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = url.format(port=unused.getsockname()[1])
        with pytest.raises(StorageUnusable) as caught:
            await PostgresMetadata.connect(address)
    assert "\n" not in caught.value.message
    assert "hush" not in caught.value.message
