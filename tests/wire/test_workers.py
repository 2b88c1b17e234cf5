"""Several workers behind one port: what one of them acknowledged, the next request at any of them sees."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.pusher import Pusher, Refused, manifest_of
from tests.wire.server import RunningRegistry, serve

CONNECTIONS = 12
"""Enough that each of the workers has some, whichever of them accepts a connection."""
ROUNDS = 40


@pytest.fixture
def registry(own_state: Path) -> Iterator[RunningRegistry]:
    with serve(own_state, "--workers", "2") as registry:
        registry.create("team/app")
        yield registry


@pytest.fixture
def clients(registry: RunningRegistry) -> Iterator[list[Pusher]]:
    """Kept connections: each stays with one worker."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Pusher(registry.port, registry.token, "team/app")) for _ in range(CONNECTIONS)]


def test_a_moved_tag_is_seen_through_every_worker_at_once(clients: list[Pusher]) -> None:
    layers = [f"layer {number}".encode() for number in range(ROUNDS)]
    for number, layer in enumerate(layers):
        mover = clients[number % CONNECTIONS]
        for content in (b"{}", layer):
            mover.push_blob(content)
        mover.push_manifest("latest", manifest_of(b"{}", [layer]))
        seen = {hashlib.sha256(client.manifest("latest")).hexdigest() for client in clients}
        assert seen == {hashlib.sha256(manifest_of(b"{}", [layer])).hexdigest()}


def test_a_deleted_image_is_gone_from_every_worker_at_once(registry: RunningRegistry, clients: list[Pusher]) -> None:
    clients[0].push_blob(b"{}")
    for number in range(ROUNDS // 4):
        clients[number].push_manifest("latest", manifest_of(b"{}", []))
        assert {client.manifest("latest") for client in clients} == {manifest_of(b"{}", [])}
        registry.ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "latest"}])
        for client in clients:
            with pytest.raises(Refused, match="404"):
                client.manifest("latest")
