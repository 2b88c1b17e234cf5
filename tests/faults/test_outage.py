"""A database that goes away and comes back under load: said at once, no acknowledged push lost, no restart needed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from botocore.exceptions import ClientError

from tests.clients import commands
from tests.faults.pusher import Pusher, Refused, digest_of, manifest_of
from tests.postgres import PostgresServer, running
from tests.wire.server import RunningRegistry, serve

_REPOSITORY = "outage/test"
_CLIENTS = 3
_ENOUGH = 12
"""Connections of which each worker accepts some."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that these tests may stop."""
    with running() as started:
        yield started


@dataclass
class Load:
    """Clients that push and pull without a pause; `statuses` are the answers that were no success."""

    registry: RunningRegistry
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    manifests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    refusals: list[str] = field(default_factory=list[str])
    broken: list[BaseException] = field(default_factory=list[BaseException])
    clients: int = _CLIENTS
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        assert not self.broken

    def grows(self, by: int = 5) -> None:
        """Wait until so many more pushes were acknowledged."""
        enough = len(self.manifests) + by
        commands.until(lambda: len(self.manifests) >= enough or bool(self.broken), f"{by} more pushes", seconds=60)

    def grows_undisturbed(self) -> bool:
        """Wait for twenty more pushes; whether nothing was refused meanwhile."""
        before = len(self.refusals)
        self.grows(20)
        return len(self.refusals) == before

    def is_refused(self, by: int = 5) -> None:
        """Wait until so many more requests were refused."""
        enough = len(self.refusals) + by
        commands.until(lambda: len(self.refusals) >= enough or bool(self.broken), f"{by} more refusals", seconds=60)

    def verify(self) -> None:
        with _client(self.registry) as client:
            for digest, content in self.blobs.items():
                assert client.blob(digest) == content
            for digest, content in self.manifests.items():
                assert client.manifest(digest) == content

    def _work(self, number: int) -> None:
        try:
            with _client(self.registry) as client:
                for count in range(1_000_000):
                    if self._over.is_set():
                        return
                    try:
                        self._push(client, f"{number}-{count}")
                    except Refused as refusal:
                        self.refusals.append(str(refusal))
        except BaseException as failure:  # noqa: BLE001 - it is the test's to look at
            self.broken.append(failure)

    def _push(self, client: Pusher, name: str) -> None:
        config, layer = json.dumps({"name": name}).encode(), os.urandom(150_000)
        for content in (config, layer):
            self.blobs[client.push_blob(content)] = content
        document = manifest_of(config, [layer])
        client.push_manifest(name, document)
        self.manifests[digest_of(document)] = document
        assert client.manifest(name) == document
        assert client.blob(digest_of(layer)) == layer


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_stops_and_starts_under_load(folder: Path, server: PostgresServer, mode: str) -> None:
    with _loaded(folder, server) as (registry, load):
        server.stop(mode)
        try:
            load.is_refused()
            _expect_unavailable(registry)
        finally:
            server.start()
        commands.until(registry.is_ready, "being ready again")
        load.grows()
    _expect_only_unavailable(load)


def test_two_workers_lose_a_database_again_and_again_under_load_and_no_push(
    folder: Path, server: PostgresServer
) -> None:
    """Neither worker needs a restart, or gets one; who has its connection at a worker that is back is served by it."""
    with _loaded(folder, server, "--workers", "2", clients=8) as (registry, load):
        workers = _workers(registry)
        for mode in ("fast", "immediate", "fast", "immediate"):
            server.stop(mode)
            try:
                load.is_refused(20)
            finally:
                server.start()
            load.grows(8)
        # A connection that was being opened while the database went may keep a worker waiting for half a minute.
        ready = "being ready again everywhere"
        commands.until(lambda: all(registry.is_ready() for _ in range(_ENOUGH)), ready, seconds=90)
        commands.until(load.grows_undisturbed, "twenty pushes without a refusal")
        assert len(workers) == 2
        assert _workers(registry) == workers
    _expect_only_unavailable(load)


def _workers(registry: RunningRegistry) -> list[str]:
    return re.findall(r'"worker": ?([0-9]+)', registry.daemon.log.read_text())


def test_sessions_that_are_ended_in_the_middle_cost_single_requests(folder: Path, server: PostgresServer) -> None:
    with _loaded(folder, server) as (_, load):
        for _ in range(10):
            asyncio.run(_connect_and_end_sessions(server))
            load.grows(1)


def test_a_database_without_a_free_connection_is_said(folder: Path, server: PostgresServer) -> None:
    """Others hold every connection of the server."""
    with _loaded(folder, server) as (registry, load):
        asyncio.run(_take_all_connections(server, lambda: not registry.is_ready()))
        commands.until(registry.is_ready, "being ready again")
        load.grows()
    _expect_only_unavailable(load)


@contextlib.contextmanager
def _loaded(
    folder: Path, server: PostgresServer, *options: str, clients: int = _CLIENTS
) -> Iterator[tuple[RunningRegistry, Load]]:
    with serve(folder, "--database", server.database(), *options) as registry:
        registry.ecr.create_repository(repositoryName=_REPOSITORY)
        load = Load(registry, clients=clients)
        assert registry.token
        with load.running():
            load.grows()
            yield registry, load
        load.verify()


def _expect_only_unavailable(load: Load) -> None:
    """But for uploads in progress, which a database that crashed may have forgotten."""
    others = {refusal for refusal in load.refusals if not refusal.startswith("503") and "BLOB_UPLOAD" not in refusal}
    said = [line for line in load.registry.daemon.log.read_text().splitlines() if "exception" in line]
    assert not others, "\n".join(said[:2])


def _client(registry: RunningRegistry) -> Pusher:
    return Pusher(registry.port, registry.token, _REPOSITORY)


def _expect_unavailable(registry: RunningRegistry) -> None:
    """On both planes and for probes; the process itself lives."""
    with _client(registry) as client:
        response, body = client.call("GET", f"/v2/{_REPOSITORY}/manifests/0-0")
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert json.loads(body)["errors"][0]["code"] == "UNKNOWN"
        assert client.call("GET", "/readyz")[0].status == http.client.SERVICE_UNAVAILABLE
        assert client.call("GET", "/healthz")[0].status == http.client.OK
    with pytest.raises(ClientError) as caught:
        registry.ecr.describe_repositories()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == http.client.SERVICE_UNAVAILABLE
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"


async def _end_sessions(connection: Any) -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portside'"
    )


async def _connect_and_end_sessions(server: PostgresServer) -> None:
    connection: Any = await asyncpg.connect(server.address("postgres"))
    try:
        await _end_sessions(connection)
    finally:
        await connection.close()


async def _take_all_connections(server: PostgresServer, is_felt: Callable[[], bool]) -> None:
    """Hold every connection until the registry has been without one three times in a row."""
    held: list[Any] = []
    felt = 0
    try:
        while felt < 3:
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                while True:
                    held.append(await asyncpg.connect(server.address("postgres")))
            await _end_sessions(held[0])
            felt = felt + 1 if await asyncio.to_thread(is_felt) else 0
    finally:
        for connection in held:
            await connection.close()
