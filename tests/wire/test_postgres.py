"""The same registry with its metadata in PostgreSQL: two nodes on one database and folder see each other at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.faults.pusher import Pusher, manifest_of
from tests.postgres import PostgresServer
from tests.wire.server import RunningRegistry, serve


def test_two_nodes_on_one_database_share_every_push(own_state: Path, postgres: PostgresServer) -> None:
    database = ["--database", postgres.database()]
    with serve(own_state, *database) as first, serve(own_state, *database) as second:
        first.ecr.create_repository(repositoryName="two/nodes")
        config, layer = b"{}", os.urandom(2_000_000)
        with Pusher(first.port, first.token, "two/nodes") as pusher:
            digests = [pusher.push_blob(config), pusher.push_blob(layer)]
            pusher.push_manifest("1", manifest_of(config, [layer]))
        with Pusher(second.port, first.token, "two/nodes") as puller:
            assert puller.manifest("1") == manifest_of(config, [layer])
            assert [puller.blob(digest) for digest in digests] == [config, layer]
        _pull_all_at_once(second)
        with pytest.raises(ClientError, match="already exists"):
            second.ecr.create_repository(repositoryName="two/nodes")


def test_what_one_node_acknowledged_the_next_request_at_the_other_sees(
    own_state: Path, postgres: PostgresServer
) -> None:
    database = ["--database", postgres.database()]
    with (
        serve(own_state, *database) as first,
        serve(own_state, *database) as second,
        Pusher(first.port, first.token, "two/nodes") as one,
        Pusher(second.port, first.token, "two/nodes") as other,
    ):
        first.ecr.create_repository(repositoryName="two/nodes")
        one.push_blob(b"{}")
        for number in range(40):
            mover, reader = (one, other) if number % 2 else (other, one)
            layer = f"layer {number}".encode()
            mover.push_blob(layer)
            mover.push_manifest("latest", manifest_of(b"{}", [layer]))
            assert reader.manifest("latest") == mover.manifest("latest") == manifest_of(b"{}", [layer])


def _pull_all_at_once(registry: RunningRegistry) -> None:
    """More pulls at the same moment than there are connections to the database."""
    count = 40
    together = threading.Barrier(count)

    def pull() -> bytes:
        with Pusher(registry.port, registry.token, "two/nodes") as puller:
            together.wait(30)
            return puller.manifest("1")

    with ThreadPoolExecutor(count) as pool:
        assert len({future.result(60) for future in [pool.submit(pull) for _ in range(count)]}) == 1
