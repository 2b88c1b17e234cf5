"""Clients that are told 429 wait and come again: their push succeeds (ecr-behaviour 1.3)."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from tests.clients import commands, images
from tests.clients.images import DOCKER, Recipe
from tests.faults.pusher import Pusher
from tests.wire.conversation import connect
from tests.wire.people import Office
from tests.wire.server import REGION, RunningRegistry, serve

if TYPE_CHECKING:
    from tests.clients.client import Client
    from tests.clients.docker import Docker

PLACES = 3
POWER = "AmazonEC2ContainerRegistryPowerUser"


@pytest.fixture(scope="module")
def narrow(state: Path) -> Iterator[RunningRegistry]:
    """A server with few places, on which nobody waits for longer than a second."""
    folder = state / "narrow"
    folder.mkdir(mode=0o700)
    limits = ("--limits-uploads", str(PLACES), "--limits-requests", str(PLACES + 1), "--limits-wait-seconds", "1")
    with serve(folder, *limits) as registry:
        yield registry


@contextlib.contextmanager
def occupied(registry: RunningRegistry, repository: str, places: int) -> Iterator[None]:
    """Uploads that stand still, in so many places; each is of another user, since one leaves some for others."""
    registry.create(repository)
    office = Office(registry)
    tokens = [office.token(office.user(f"user-{secrets.token_hex(4)}", POWER)) for _ in range(places)]
    with contextlib.ExitStack() as stack, Pusher(registry.port, registry.token, repository) as pusher:
        for token in tokens:
            location, connection = pusher.begin(), stack.enter_context(connect(registry.port))
            lines = (f"PATCH {location} HTTP/1.1", "Host: localhost", f"Authorization: Basic {token}")
            connection.sendall("\r\n".join([*lines, "Content-Length: 9", "", ""]).encode() + b"x")
            # The next one is begun when this one has its place, so that it is not in its own way.
            commands.until(lambda at=location: is_held(pusher, at), "an upload that holds its place")
        yield


def is_held(pusher: Pusher, location: str) -> bool:
    return pusher.call("GET", location)[0].status == 204


def refusals(registry: RunningRegistry, status: int) -> int:
    return registry.daemon.log.read_text().count(f'"status":{status}')


@pytest.mark.parametrize("client", ["skopeo", "containerd"])
def test_a_push_through_a_server_that_answers_429_succeeds(
    client: str, narrow: RunningRegistry, state: Path, request: pytest.FixtureRequest
) -> None:
    driver: Client = request.getfixturevalue(client)
    driver.login(narrow.host, narrow.password)
    layout = images.make(state / "images" / f"throttled-{client}", Recipe(f"for {client}", form=DOCKER))
    name, before = f"{narrow.create(f'throttled/{client}')}:1", refusals(narrow, 429)
    driver.take(layout, name)
    pushed: list[str] = []
    pushing = threading.Thread(target=lambda: pushed.append(driver.push(name)))
    with occupied(narrow, "throttled/others", PLACES):
        pushing.start()
        commands.until(lambda: refusals(narrow, 429) > before, "a refusal", seconds=60)
    pushing.join(120)
    assert pushed == [narrow.stored(name).digest]
    driver.remove(name)


def test_docker_says_what_it_was_told_and_does_not_come_again(
    docker: Docker, narrow: RunningRegistry, state: Path
) -> None:
    """Engine 20.10 takes this one code for final, with ECR too; so a request waits its turn before it is refused."""
    docker.login(narrow.host, narrow.password)
    layout = images.make(state / "images" / "throttled-docker", Recipe("for docker", form=DOCKER))
    name = f"{narrow.create('throttled/docker')}:1"
    docker.take(layout, name)
    with (
        occupied(narrow, "throttled/others", PLACES),
        pytest.raises(commands.CommandFailedError, match="toomanyrequests: Rate exceeded"),
    ):
        docker.push(name)
    assert docker.push(name) == narrow.stored(name).digest
    docker.remove(name)


def test_an_sdk_through_a_server_that_answers_throttling_exceptions_succeeds(narrow: RunningRegistry) -> None:
    """Every place is taken, by uploads and by one download that is not read."""
    narrow.create("throttled/read")
    with Pusher(narrow.port, narrow.token, "throttled/read") as pusher:
        digest = pusher.push_blob(bytes(32 << 20))
    asked, before = f"GET /v2/throttled/read/blobs/{digest} HTTP/1.1\r\nHost: localhost\r\n", refusals(narrow, 400)
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(len(patient(narrow).describe_repositories()["repositories"])))
    with occupied(narrow, "throttled/others", PLACES), connect(narrow.port, window=4096) as reader:
        reader.sendall(f"{asked}Authorization: Basic {narrow.token}\r\n\r\n".encode())
        assert reader.recv(1000).startswith(b"HTTP/1.1 200 ")
        asking.start()
        commands.until(lambda: refusals(narrow, 400) > before, "a refusal", seconds=60)
    asking.join(120)
    assert found[0] >= 2


def patient(registry: RunningRegistry) -> boto3.client:
    return boto3.client(
        "ecr",
        endpoint_url=registry.url,
        region_name=REGION,
        aws_access_key_id=registry.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=registry.environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 10}),
    )
