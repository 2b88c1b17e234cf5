"""Law 2: what was acknowledged is there after any death of the process, with the right bytes."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from tests.clients import commands
from tests.faults.pusher import Acknowledged, Pusher, digest_of, push_images
from tests.wire.server import RunningRegistry, free_port

KILLS = 30
PUSHERS = 3
SIZES = (100, 70_000, 300_000, 1_200_000, 3_000_000)


def test_nothing_acknowledged_is_lost_by_thirty_kills_during_pushes(folder: Path) -> None:
    """SIGKILL at random moments; after each restart everything acknowledged is read back and compared."""
    chance = random.Random(30)
    acknowledged = Acknowledged()
    for kill in range(KILLS):
        registry = _start(folder)
        if kill == 0:
            registry.ecr.create_repository(repositoryName="crash/test")
        _verify(registry, acknowledged)
        _push_until_killed(registry, acknowledged, f"round{kill}", chance)
    registry = _start(folder)
    _verify(registry, acknowledged)
    _kill(registry)
    assert len(acknowledged.tags) > KILLS
    assert len(acknowledged.blobs) > 2 * KILLS


def _start(folder: Path) -> RunningRegistry:
    port = free_port()
    command = [sys.executable, "-m", "portside", "serve", "--data", str(folder / "data"), "--port", str(port)]
    environment = commands.isolated(folder)
    daemon = commands.Daemon(command, environment, folder / "portside.log")
    registry = RunningRegistry(folder / "data", port, daemon)
    daemon.ready(registry.is_ready)
    return registry


def _kill(registry: RunningRegistry) -> None:
    """Kill the whole server, workers included, so that none finishes what it was doing."""
    for pid in _family(registry.process):
        os.kill(pid, signal.SIGKILL)
    registry.daemon.process.wait(30)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _push_until_killed(registry: RunningRegistry, acknowledged: Acknowledged, name: str, chance: random.Random) -> None:
    threads: list[threading.Thread] = []
    for number in range(PUSHERS):
        sizes = [chance.choice(SIZES) for _ in range(1000)]
        pusher = Pusher(registry.port, registry.token, "crash/test")
        arguments = (pusher, acknowledged, f"{name}-{number}", sizes)
        threads.append(threading.Thread(target=_until_cut, args=arguments))
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.05, 0.8))
    _kill(registry)
    for thread in threads:
        thread.join()


def _until_cut(pusher: Pusher, acknowledged: Acknowledged, name: str, sizes: list[int]) -> None:
    with pusher, contextlib.suppress(OSError, http.client.HTTPException):
        push_images(pusher, acknowledged, name, sizes)


def _verify(registry: RunningRegistry, acknowledged: Acknowledged) -> None:
    with Pusher(registry.port, registry.token, "crash/test") as pusher:
        for digest, content in acknowledged.blobs.items():
            assert pusher.blob(digest) == content
        for digest, content in acknowledged.manifests.items():
            assert pusher.manifest(digest) == content
        for tag, digest in acknowledged.tags.items():
            assert digest_of(pusher.manifest(tag)) == digest
