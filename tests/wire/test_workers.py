"""Several workers behind one port: what one of them acknowledged, the next request at any of them sees."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import boto3
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


def test_a_right_taken_away_is_gone_from_every_worker_at_once_and_comes_back(
    registry: RunningRegistry, clients: list[Pusher]
) -> None:
    clients[0].push_blob(b"{}")
    clients[0].push_manifest("v1", manifest_of(b"{}", []))
    untyped = cast("Any", boto3)
    place = {"endpoint_url": registry.url, "region_name": "us-east-1"}
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    root = {name.lower(): registry.environment[name] for name in names}
    iam = untyped.client("iam", **place, **root)
    iam.create_user(UserName="ann")
    allowed = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    issued = untyped.client("ecr", **place, **ann).get_authorization_token()
    token = issued["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    with contextlib.ExitStack() as stack:
        hers = [stack.enter_context(Pusher(registry.port, token, "team/app")) for _ in range(CONNECTIONS)]
        for number in range(ROUNDS // 4):
            assert {client.manifest("v1") for client in hers} == {manifest_of(b"{}", [])}
            # A push in between moves the epoch of everything but of rights.
            clients[number].push_blob(str(number).encode())
            iam.delete_user_policy(UserName="ann", PolicyName="own")
            for client in hers:
                with pytest.raises(Refused, match="403"):
                    client.manifest("v1")
            iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=policy)
