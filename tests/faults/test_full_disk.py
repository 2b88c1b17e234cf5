"""A full disk at every write: a clear answer, nothing acknowledged is touched, and the process lives on."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.clients import commands
from tests.faults.pusher import Pusher, Refused, digest_of, manifest_of
from tests.wire.server import RunningRegistry, serve

_RESERVE = 2_000_000  # a little less than a sixteenth of the disk: other files grow too
_CONFIG, _LAYER = b"{}", b"layer" * 400_000
_REFUSAL = "500 instead of .*UNKNOWN.*no space left"


def test_a_full_disk_is_said_at_every_stage_of_a_push_and_what_was_stored_stays(folder: Path) -> None:
    """On a file system of 48 MiB of its own, where the log is written too."""
    _mount(folder / "disk")
    ballast = folder / "disk" / "ballast"
    with serve(folder / "disk") as registry, Pusher(registry.port, _token(registry), "full/disk") as pusher:
        document = _push_image(pusher, "kept", _LAYER)
        for stage in (_begin, _receive, _complete, _put, _retag):
            late = os.urandom(1_500_000)
            go_on = stage(pusher, late)
            _fill(ballast)
            _refused_until_there_is_room(pusher, go_on)
            _still_there(registry, pusher, document)
            ballast.unlink()
            go_on()
            _push_image(pusher, "late", late)
        _still_there(registry, pusher, document)


def test_a_full_disk_is_said_to_who_speaks_aws(folder: Path) -> None:
    """ServerException, and after there is room again the same call succeeds."""
    _mount(folder / "data")
    with serve(folder) as registry, Pusher(registry.port, _token(registry), "full/disk") as pusher:
        _fill(folder / "data" / "ballast")
        created: list[str] = []
        with pytest.raises(ClientError) as caught:
            _create_without_end(registry, created)
        assert caught.value.response["Error"]["Code"] == "ServerException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert pusher.status("tags/list") == 200
        (folder / "data" / "ballast").unlink()
        registry.ecr.create_repository(repositoryName=f"full/{len(created)}-{'x' * 200}")
        described = registry.ecr.get_paginator("describe_repositories").paginate()
        assert {one["repositoryName"] for page in described for one in page["repositories"]} >= set(created)


def test_a_server_starts_on_a_full_disk_and_serves_what_it_has(folder: Path) -> None:
    _mount(folder / "data")
    with serve(folder) as registry, Pusher(registry.port, _token(registry), "full/disk") as pusher:
        document = _push_image(pusher, "kept", _LAYER)
        _fill(folder / "data" / "ballast")
    with (
        serve(folder, again=registry) as started,
        Pusher(started.port, started.token, "full/disk") as pusher,
    ):
        _still_there(started, pusher, document)
        with pytest.raises(Refused, match=_REFUSAL):
            pusher.push_blob(os.urandom(3_000_000))


def test_pushes_leave_room_to_delete_in_and_go_on_when_there_is_more(folder: Path) -> None:
    _mount(folder / "data")
    with serve(folder) as registry, Pusher(registry.port, _token(registry), "full/disk") as pusher:
        document = _push_image(pusher, "kept", _LAYER)
        doomed = [_push_image(pusher, f"doomed-{number}", os.urandom(3_000_000)) for number in range(5)]
        with pytest.raises(Refused, match=_REFUSAL):
            _push_without_end(pusher)
        room = os.statvfs(folder / "data")
        assert room.f_bavail * room.f_frsize > _RESERVE
        for number in range(300):
            registry.ecr.create_repository(repositoryName=f"full/{number}-{'x' * 200}")
        for number, _ in enumerate(doomed):
            registry.ecr.batch_delete_image(repositoryName="full/disk", imageIds=[{"imageTag": f"doomed-{number}"}])
        registry.ecr.delete_repository(repositoryName=f"full/0-{'x' * 200}")
        command = [sys.executable, "-m", "portside", "collect", "--data", folder / "data", "--dry-run"]
        commands.run(command, commands.isolated(folder))
        commands.run(command[:-1], commands.isolated(folder))
        _still_there(registry, pusher, document)


def _push_without_end(pusher: Pusher) -> None:
    while True:
        pusher.push_blob(os.urandom(1_000_000))


def _create_without_end(registry: RunningRegistry, created: list[str]) -> None:
    """Room that the database has of its own is used up first."""
    for number in itertools.count():
        name = f"full/{number}-{'x' * 200}"
        registry.ecr.create_repository(repositoryName=name)
        created.append(name)


def _begin(pusher: Pusher, late: bytes) -> Callable[[], None]:
    return lambda: _push(pusher, late)


def _receive(pusher: Pusher, late: bytes) -> Callable[[], None]:
    location = pusher.begin()

    def go_on() -> None:
        pusher.receive(location, late)
        pusher.complete(location, digest_of(late))

    return go_on


def _complete(pusher: Pusher, late: bytes) -> Callable[[], None]:
    location = pusher.begin()
    pusher.receive(location, late)
    return lambda: pusher.complete(location, digest_of(late))


def _put(pusher: Pusher, late: bytes) -> Callable[[], None]:
    pusher.push_blob(late)
    return lambda: pusher.push_manifest("put", manifest_of(_CONFIG, [late]))


def _retag(pusher: Pusher, late: bytes) -> Callable[[], None]:
    _push_image(pusher, "before", late)
    return lambda: pusher.push_manifest("after", manifest_of(_CONFIG, [late]))


def _push(pusher: Pusher, content: bytes) -> None:
    pusher.push_blob(content)


def _refused_until_there_is_room(pusher: Pusher, go_on: Callable[[], None]) -> None:
    """A database may have room left in its own files; then the request succeeds, and a larger one does not."""
    assert "no space left" in _refusal(go_on, "no space left")
    with pytest.raises(Refused, match=_REFUSAL):
        pusher.push_blob(os.urandom(3_000_000))


def _refusal(request: Callable[[], None], otherwise: str) -> str:
    """What is said to a request; something else when it succeeds."""
    try:
        request()
    except Refused as refusal:
        return str(refusal)
    return otherwise


def _still_there(registry: RunningRegistry, pusher: Pusher, document: bytes) -> None:
    assert registry.process
    assert pusher.manifest("kept") == document
    assert [pusher.blob(digest_of(content)) for content in (_CONFIG, _LAYER)] == [_CONFIG, _LAYER]


def _push_image(pusher: Pusher, tag: str, layer: bytes) -> bytes:
    for content in (_CONFIG, layer):
        pusher.push_blob(content)
    document = manifest_of(_CONFIG, [layer])
    pusher.push_manifest(tag, document)
    assert pusher.manifest(tag) == document
    return document


def _token(registry: RunningRegistry) -> str:
    registry.ecr.create_repository(repositoryName="full/disk")
    return registry.token


def _mount(place: Path) -> None:
    place.mkdir(mode=0o700)
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=48m,uid={os.geteuid()},gid={os.getegid()},mode=700"
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
