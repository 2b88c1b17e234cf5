"""A server that is killed at random moments, again and again: `python -m tests.faults.killing [KILLS [SEED]]`.

Three clients push, move tags, delete and pull until the connection breaks. After each restart what the last round was
told is read back and compared, and a sample of everything older; at the end everything.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients import commands
from tests.faults.pusher import Pusher, digest_of, manifest_of
from tests.wire.server import RunningRegistry, free_port

_CLIENTS = 3
_REPOSITORY = "crash/test"
_SIZES = (100, 70_000, 300_000, 1_200_000)
_SAMPLE = 20


@dataclass
class Told:
    """What one client was told is kept, and what it does not know of: a request without an answer."""

    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    manifests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    tag: str = ""
    moving: set[str] = field(default_factory=set[str])
    """What the client's one tag may name: a single digest when its last move was answered."""
    tagged: bool = False
    """Whether a move was answered at all."""
    deleted: set[str] = field(default_factory=set[str])

    def __len__(self) -> int:
        return len(self.blobs) + len(self.manifests) + len(self.deleted)


def kill_again_and_again(folder: Path, kills: int, *, seed: int) -> None:
    """Kill so many times; raises AssertionError or Refused when anything acknowledged is not there."""
    chance = random.Random(seed)
    everything: list[Told] = []
    token = prepare(folder)
    for number in range(kills):
        registry = start(folder)
        verify(registry, token, everything[-_CLIENTS:] + chance.sample(everything, min(_SAMPLE, len(everything))))
        everything += _work_until_killed(registry, token, f"round{number}", chance)
    registry = start(folder)
    verify(registry, token, everything)
    kill(registry)
    assert sum(len(told) for told in everything) > 3 * kills
    assert sum(len(told.deleted) for told in everything) > kills // 10


def prepare(folder: Path) -> str:
    """Make the repository; a token that outlives every process."""
    registry = start(folder)
    registry.ecr.create_repository(repositoryName=_REPOSITORY)
    token = registry.token
    kill(registry)
    return token


def start(folder: Path, *options: str, dies_at: int | None = None) -> RunningRegistry:
    """A server over whatever the folder holds; it may be one that kills itself at a step."""
    port = free_port()
    command = [sys.executable, "-m", "portside", "serve", "--data", str(folder / "data"), "--port", str(port), *options]
    if dies_at is not None:
        command = [sys.executable, "-m", "tests.faults.mortal", str(folder / "data"), str(port), str(dies_at)]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "portside.log")
    registry = RunningRegistry(folder / "data", port, daemon)
    daemon.ready(registry.is_ready)
    return registry


def kill(registry: RunningRegistry) -> None:
    """Kill the whole server, workers included, so that none finishes what it was doing."""
    for pid in _family(registry.process):
        os.kill(pid, signal.SIGKILL)
    registry.daemon.process.wait(30)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _work_until_killed(registry: RunningRegistry, token: str, name: str, chance: random.Random) -> list[Told]:
    with working(registry, token, name, chance) as told:
        time.sleep(chance.uniform(0.02, 0.5))
        kill(registry)
    return told


@contextlib.contextmanager
def working(registry: RunningRegistry, token: str, name: str, chance: random.Random) -> Iterator[list[Told]]:
    """Clients that work until the server is killed, which the block has to do, and what each of them was told."""
    told = [Told(tag=f"{name}-{number}") for number in range(_CLIENTS)]
    threads = [
        threading.Thread(target=_until_cut, args=(registry, token, one, random.Random(chance.random()))) for one in told
    ]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        for thread in threads:
            thread.join()


def _until_cut(registry: RunningRegistry, token: str, told: Told, chance: random.Random) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException), client_of(registry, token) as client:
        while True:
            work(client, told, chance)


def work(client: Pusher, told: Told, chance: random.Random) -> None:
    """Push an image, move the client's tag to it, pull it, and sometimes delete another."""
    config, layer = json.dumps({"name": told.tag, "of": chance.random()}).encode(), os.urandom(chance.choice(_SIZES))
    for content in (config, layer):
        told.blobs[client.push_blob(content)] = content
    document = manifest_of(config, [layer])
    digest = digest_of(document)
    client.push_manifest(digest, document)
    told.manifests[digest] = document
    told.moving.add(digest)
    client.push_manifest(told.tag, document)
    told.moving, told.tagged = {digest}, True
    assert client.manifest(told.tag) == document
    assert client.blob(digest_of(layer)) == layer
    if chance.random() < 0.5:
        _delete(client, told, manifest_of(config, []))


def _delete(client: Pusher, told: Told, document: bytes) -> None:
    digest = digest_of(document)
    client.push_manifest(digest, document)
    client.delete_manifest(digest)
    told.deleted.add(digest)


def verify(registry: RunningRegistry, token: str, everything: list[Told]) -> None:
    """Everything that was acknowledged is there, byte for byte, and what was deleted is not."""
    with client_of(registry, token) as client:
        for told in everything:
            for digest, content in told.blobs.items():
                assert client.blob(digest) == content
            for digest, content in told.manifests.items():
                assert client.manifest(digest) == content
            if told.tagged:
                assert digest_of(client.manifest(told.tag)) in told.moving
            for digest in told.deleted:
                assert client.status(f"manifests/{digest}") == http.client.NOT_FOUND


def client_of(registry: RunningRegistry, token: str) -> Pusher:
    """A connection to the one repository."""
    return Pusher(registry.port, token, _REPOSITORY)


def main(arguments: list[str]) -> None:
    """Kill in a folder of its own, which stays when something was lost."""
    kills, seed = int(arguments[0]) if arguments else 200, int(arguments[1]) if arguments[1:] else time.time_ns()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    print(f"{kills} kills, seed {seed}, in {folder}", flush=True)
    began = time.monotonic()
    kill_again_and_again(folder, kills, seed=seed)
    shutil.rmtree(folder)
    print(f"nothing was lost in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
