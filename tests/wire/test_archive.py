"""Archiving over a socket: boto3 on the API, docker's protocol for pulls, and an archive location that is used."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portside.core.digest import Digest
from tests.registry.house import image_of
from tests.wire.pushing import push_image
from tests.wire.server import RunningRegistry, serve

NAME = "team/old"
CONFIG = b"{}" + b" " * 200_000


@pytest.fixture
def archiving(own_state: Path) -> Iterator[RunningRegistry]:
    """A server with an archive location, which it looks after each second."""
    folder = own_state / "registry"
    folder.mkdir()
    options = ("--storage-archive", str(own_state / "archive"), "--archive-interval", "1")
    with serve(folder, *options) as running:
        yield running


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def files(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


def got(registry: RunningRegistry, path: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{registry.url}/v2/{NAME}/{path}")
    request.add_header("Authorization", f"Basic {registry.token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def status(registry: RunningRegistry) -> str:
    found = registry.ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "v1"}])
    return found["imageDetails"][0]["imageStatus"]


def update(registry: RunningRegistry, target: str) -> str:
    answer = registry.ecr.update_image_storage_class(
        repositoryName=NAME, imageId={"imageTag": "v1"}, targetStorageClass=target
    )
    return answer["imageStatus"]


def availability(registry: RunningRegistry, digest: str) -> str:
    found = registry.ecr.batch_check_layer_availability(repositoryName=NAME, layerDigests=[digest])
    return found["layers"][0]["layerAvailability"]


def test_an_image_goes_to_the_archive_and_comes_back(archiving: RunningRegistry, own_state: Path) -> None:
    archiving.create(NAME)
    push_image(archiving.ecr, NAME, "v1", CONFIG)
    layer = str(Digest.of(CONFIG))
    main, archive = archiving.data / "blobs", own_state / "archive" / "blobs"
    assert update(archiving, "ARCHIVE") == "ARCHIVED"
    until(lambda: (files(main), files(archive)) == (0, 1))
    code, body = got(archiving, "manifests/v1")
    assert (code, b"MANIFEST_UNKNOWN" in body, b"Requested image not found" in body) == (404, True, True)
    assert got(archiving, f"blobs/{layer}")[0] == 404
    [failure] = archiving.ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageTag": "v1"}])["failures"]
    assert failure["failureCode"] == "ImageInaccessible"
    assert availability(archiving, layer) == "ARCHIVED"
    with pytest.raises(archiving.ecr.exceptions.LayerInaccessibleException):
        archiving.ecr.get_download_url_for_layer(repositoryName=NAME, layerDigest=layer)
    with pytest.raises(archiving.ecr.exceptions.ImageStorageClassUpdateNotSupportedException):
        update(archiving, "ARCHIVE")

    assert update(archiving, "STANDARD") == "ACTIVATING"
    until(lambda: status(archiving) == "ACTIVE")
    assert (files(main), files(archive)) == (1, 0)
    assert got(archiving, "manifests/v1") == (200, image_of(CONFIG))
    assert got(archiving, f"blobs/{layer}") == (200, CONFIG)


def test_pushed_again_it_is_pulled_from_the_archive(archiving: RunningRegistry, own_state: Path) -> None:
    archiving.create(NAME)
    push_image(archiving.ecr, NAME, "v1", CONFIG)
    update(archiving, "ARCHIVE")
    until(lambda: files(own_state / "archive" / "blobs") == 1)
    push_image(archiving.ecr, NAME, "v1", CONFIG)
    assert status(archiving) == "ACTIVE"
    assert files(own_state / "archive" / "blobs") == 1
    assert got(archiving, f"blobs/{Digest.of(CONFIG)}") == (200, CONFIG)


def test_without_its_archive_the_server_does_not_start(own_state: Path) -> None:
    folder = own_state / "registry"
    folder.mkdir()
    archive = str(own_state / "archive")
    with serve(folder, "--storage-archive", archive, "--archive-interval", "1") as running:
        running.create(NAME)
        push_image(running.ecr, NAME, "v1", CONFIG)
        update(running, "ARCHIVE")
        until(lambda: files(own_state / "archive" / "blobs") == 1)
    with pytest.raises(Exception, match="start with its --storage-archive"), serve(folder):
        pass
    with serve(folder, "--storage-archive", archive) as running:
        assert status(running) == "ARCHIVED"
