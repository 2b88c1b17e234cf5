"""A full disk at every write: a clear answer, nothing acknowledged is touched, and the process lives on."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.cli.kept import age
from tests.cli.program import portside
from tests.faults.pusher import Pusher, Refused, digest_of, manifest_of
from tests.wire.server import RunningRegistry, free_port, serve

_CONFIG, _LAYER = b"{}", b"layer" * 400_000
_SMALL = b"small" * 2_000
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


def test_a_server_over_a_full_disk_starts_again_and_serves_pulls(folder: Path) -> None:
    """What is full is the folder of the data; the same port, so that nothing new is to be told to clients."""
    _mount(folder / "data")
    ballast, port = folder / "data" / "ballast", free_port()
    with serve(folder, port=port) as registry, Pusher(port, _token(registry), "full/disk") as pusher:
        document = _push_image(pusher, "kept", _LAYER)
        _push_until_refused(pusher)
        _fill(ballast)
        _still_there(registry, pusher, document)
        assert registry.is_ready()
    for _ in range(2):  # SQLite gave back the little as it was closed that it needs to be opened
        with serve(folder, port=port) as registry, Pusher(port, registry.token, "full/disk") as pusher:
            _fill(ballast)
            _still_there(registry, pusher, document)
            with pytest.raises(Refused, match=_REFUSAL):
                pusher.push_blob(_SMALL)
    ballast.unlink()
    with serve(folder, port=port) as registry, Pusher(port, registry.token, "full/disk") as pusher:
        _push_image(pusher, "late", _SMALL)


def test_pushes_leave_the_room_that_deleting_takes(folder: Path) -> None:
    """Images and all that they held go from a disk that pushes, and a file beside them, have filled."""
    _mount(folder / "data")
    with serve(folder) as registry, Pusher(registry.port, _token(registry), "full/disk") as pusher:
        documents = [_push_image(pusher, f"{number}", os.urandom(1_000_000)) for number in range(8)]
        kept = _push_image(pusher, "kept", _LAYER)
        opened = pusher.begin()
        _fill(folder / "data" / "ballast", leaving=6 << 20)
        _push_until_refused(pusher)
        for refused in (
            pusher.begin,
            lambda: pusher.receive(opened, _SMALL),
            lambda: pusher.push_manifest("another", kept),
        ):
            with pytest.raises(Refused, match=_REFUSAL):
                refused()
        first, *others = [digest_of(document) for document in documents]
        pusher.delete_manifest(first)
        deleted = registry.ecr.batch_delete_image(
            repositoryName="full/disk", imageIds=[{"imageDigest": digest} for digest in others]
        )
        assert deleted["failures"] == []
        registry.ecr.create_repository(repositoryName="full/another")
        before = _free(folder / "data")
        for _ in range(2):  # layers, and then their bytes
            age(folder / "data")
            collected = portside(folder, "collect", "--data", folder / "data")
            assert (collected.code, collected.err) == (0, "")
        assert _free(folder / "data") > before + 8_000_000
        _still_there(registry, pusher, kept)
        _push_image(pusher, "late", os.urandom(1_500_000))


def _push_until_refused(pusher: Pusher) -> None:
    """Of ever smaller blobs, since the room that is left for one of them may be enough for the next."""
    for size in (1_000_000, 100_000, 1_000):
        with pytest.raises(Refused, match=_REFUSAL):
            _push_without_end(pusher, size)


def _push_without_end(pusher: Pusher, size: int) -> None:
    while True:
        pusher.push_blob(os.urandom(size))


def _free(volume: Path) -> int:
    state = os.statvfs(volume)
    return state.f_bavail * state.f_frsize


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


def _fill(ballast: Path, leaving: int = 0) -> None:
    """Take what room there is, or all of it but some, with a file that nobody asked for."""
    with ballast.open("ab", buffering=0) as file:
        if leaving:
            file.write(bytes(_free(ballast.parent) - leaving))
            return
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
