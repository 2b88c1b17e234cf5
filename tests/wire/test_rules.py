"""An operator's rules on servers as they are started: creation on push, mounting, and ECR's own odd answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients import images
from tests.clients.client import Client
from tests.clients.images import DOCKER, Layout, Recipe
from tests.faults.pusher import Pusher, Refused, digest_of, manifest_of
from tests.postgres import PostgresServer
from tests.wire.server import RunningRegistry, serve

CLIENTS = ("docker", "podman", "skopeo", "buildah", "containerd")
CONFIG = b"{}"


def push(registry: RunningRegistry, name: str, layer: bytes, tag: str = "v1") -> None:
    with Pusher(registry.port, registry.token, name) as pusher:
        for content in (CONFIG, layer):
            pusher.push_blob(content)
        pusher.push_manifest(tag, manifest_of(CONFIG, [layer]))


def mount(registry: RunningRegistry, source: str, target: str, content: bytes) -> int:
    with Pusher(registry.port, registry.token, target) as pusher:
        asked = f"/v2/{target}/blobs/uploads/?mount={digest_of(content)}&from={source}"
        return pusher.call("POST", asked)[0].status


def test_two_nodes_make_what_is_pushed_to_once_and_mount_from_it(own_state: Path, postgres: PostgresServer) -> None:
    options = ["--database", postgres.database(), "--registry-create-on-push", "on"]
    layer = os.urandom(100_000)
    with serve(own_state, *options) as first, serve(own_state, *options) as second:
        jobs = [(node, number) for number in range(8) for node in (first, second)]
        with ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(lambda job: push(job[0], f"new/{job[1] % 2}", layer, f"v{job[1]}"), jobs))
            first.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
            mounted = pool.map(lambda job: mount(job[0], "new/0", f"mounted/{job[1] % 2}", layer), jobs)
            assert {*mounted} == {201}
        names = [one["repositoryName"] for one in second.ecr.describe_repositories()["repositories"]]
        assert names == ["mounted/0", "mounted/1", "new/0", "new/1"]
        second.ecr.delete_repository(repositoryName="new/0", force=True)
        with Pusher(first.port, first.token, "mounted/1") as puller:
            assert puller.blob(digest_of(layer)) == layer


def logged(registry: RunningRegistry) -> list[dict[str, Any]]:
    return [json.loads(line) for line in registry.daemon.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def image(state: Path) -> Layout:
    return images.make(state / "images" / "of-the-rules", Recipe("an image under rules", form=DOCKER))


@pytest.fixture(scope="module")
def ruled(state: Path) -> Iterator[RunningRegistry]:
    """A server that is as odd as ECR, and makes what is pushed to."""
    folder = state / "ruled"
    folder.mkdir()
    options = ["--compat-strict-ecr", "on", "--registry-create-on-push", "on", "--log-format", "json"]
    with serve(folder, *options) as running:
        running.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        yield running


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_copes_with_ecrs_odd_answers(
    client: str, image: Layout, ruled: RunningRegistry, request: pytest.FixtureRequest
) -> None:
    chosen: Client = request.getfixturevalue(client)
    chosen.login(ruled.host, ruled.password)
    name = f"{ruled.host}/odd/{client}:1"
    expected = chosen.take(image, name)
    pushed = chosen.push(name)
    chosen.remove(name)
    chosen.pull(name)
    assert chosen.identity(name) == expected
    assert ruled.stored(name).digest == pushed
    chosen.remove(name)


@pytest.mark.parametrize("client", ["docker", "skopeo"])
def test_a_client_mounts_the_layers_that_another_repository_has(
    client: str, image: Layout, ruled: RunningRegistry, request: pytest.FixtureRequest
) -> None:
    chosen: Client = request.getfixturevalue(client)
    chosen.login(ruled.host, ruled.password)
    first, second = (f"{ruled.host}/{name}/{client}:1" for name in ("first", "second"))
    for name in (first, second):
        chosen.take(image, name)
        chosen.push(name)
    begun = [line for line in logged(ruled) if line.get("path", "").startswith(f"/v2/second/{client}/blobs/uploads/")]
    assert 201 in [line["status"] for line in begun if line["method"] == "POST"]
    assert ruled.stored(first).digest == ruled.stored(second).digest


@pytest.mark.parametrize(
    ("mode", "fixed"),
    [
        ("MUTABLE", ()),
        ("IMMUTABLE", ("v1", "dev-1")),
        ("MUTABLE_WITH_EXCLUSION", ("dev-1",)),
        ("IMMUTABLE_WITH_EXCLUSION", ("v1",)),
    ],
)
def test_put_image_moves_a_tag_where_the_mode_lets_it(
    registry: RunningRegistry, mode: str, fixed: tuple[str, ...]
) -> None:
    name = f"modes/{mode.lower()}"
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    exclusions = {"imageTagMutabilityExclusionFilters": filters} if mode.endswith("_EXCLUSION") else {}
    registry.ecr.create_repository(repositoryName=name, imageTagMutability=mode, **exclusions)
    first, second = (manifest_of(CONFIG, [layer]).decode() for layer in (b"one", b"two"))
    push(registry, name, b"one", "v1")
    push(registry, name, b"two", "second")
    registry.ecr.put_image(repositoryName=name, imageManifest=first, imageTag="dev-1")
    for tag in ("v1", "dev-1"):
        codes = [put(registry, name, manifest, tag) for manifest in (first, second)]
        refused = (
            "ImageTagAlreadyExistsException",
            (
                f"The image tag '{tag}' already exists in the '{name}' repository "
                "and cannot be overwritten because the tag is immutable."
            ),
        )
        assert codes == ([refused, refused] if tag in fixed else [("ImageAlreadyExistsException", codes[0][1]), None])


def put(registry: RunningRegistry, name: str, manifest: str, tag: str) -> tuple[str, str] | None:
    """Put an image; what was refused, and why."""
    try:
        registry.ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag=tag)
    except ClientError as refused:
        error: Any = refused.response
        return error["Error"]["Code"], error["Error"]["Message"]
    return None


def test_a_quota_is_told_on_both_planes(own_state: Path) -> None:
    with serve(own_state, "--quota-images", "1", "--quota-repositories", "1") as running:
        running.ecr.create_repository(repositoryName="only/one")
        push(running, "only/one", b"one")
        told = "already has the maximum allowed number of images"
        with pytest.raises(Refused, match=f"403 instead of 201.*DENIED.*{told}"):
            push(running, "only/one", b"two")
        with pytest.raises(ClientError, match=rf"\(LimitExceededException\).*{told}"):
            running.ecr.put_image(repositoryName="only/one", imageManifest=manifest_of(CONFIG, [b"two"]).decode())
        with pytest.raises(ClientError, match=r"\(LimitExceededException\).*maximum allowed number of repositories"):
            running.ecr.create_repository(repositoryName="one/more")
