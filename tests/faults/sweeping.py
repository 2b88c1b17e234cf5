"""A server that is killed in the middle of sweeps: `python -m tests.faults.sweeping [KILLS [SEED]]`.

It sweeps every second, over more garbage than it gets through before it dies, while clients push. Whether a sweep was
under way is read off its lease, which a sweep that ended has given back.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cli.kept import age, files
from tests.clients import commands
from tests.faults.killing import Told, client_of, kill, prepare, start, working
from tests.faults.pusher import digest_of
from tests.wire.server import RunningRegistry

_OFTEN = ("--collect-interval", "1", "--collect-grace", "60")
_LAYERS, _ORPHANS = 60, 3000
_UNDER_WAY = 30_000_000
"""Microseconds: a lease that lasts longer from now on is held by a sweep, and not the time of the next one."""
_LONGEST = 0.4
"""Seconds into a sweep; most last longer."""


def kill_in_sweeps(folder: Path, kills: int, *, seed: int) -> None:
    """Kill so many sweeps; raises AssertionError or Refused when an image is not whole, or anything is left over."""
    chance = random.Random(seed)
    everything: list[Told] = []
    token = prepare(folder)
    cut = 0
    while cut < kills:
        _litter(folder, token)
        registry = start(folder, *_OFTEN)
        with working(registry, token, f"round{len(everything)}", chance) as told:
            commands.until(lambda: _is_sweeping(folder), "a sweep")
            time.sleep(chance.uniform(0, _LONGEST))
            kill(registry)
        cut += _is_sweeping(folder)
        everything += told
    _end_leases(folder)
    registry = start(folder, *_OFTEN)
    _pull(registry, token, everything)
    _expect_nothing_left(folder, registry, token)
    _pull(registry, token, everything)
    kill(registry)
    assert sum(len(told.manifests) for told in everything) > kills


def _litter(folder: Path, token: str) -> None:
    """Leave what a sweep has to remove: layers, uploads, files; all that there is was touched long ago."""
    registry = start(folder, "--collect-interval", "0")
    with client_of(registry, token) as client:
        for _ in range(_LAYERS):
            client.push_blob(os.urandom(100))
            client.receive(client.begin(), b"never completed")
    kill(registry)
    place = files(folder / "data")[0].parent
    for _ in range(_ORPHANS):
        (place / (place.name + os.urandom(15).hex())).write_bytes(b"left by a crash")
    _age(folder)
    _end_leases(folder)


def _age(folder: Path) -> None:
    """Let everything have been touched long ago."""
    data = folder / "data"
    age(data)
    for place in ("blobs", "uploads"):
        for path in (data / place).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a sweep was faster
                os.utime(path, (1, 1))


def _end_leases(folder: Path) -> None:
    """Wait for nobody who died."""
    with _database(folder) as database:
        database.execute("UPDATE leases SET until = 0")


def _is_sweeping(folder: Path) -> bool:
    with _database(folder) as database:
        found = database.execute("SELECT until FROM leases WHERE name = 'collect'").fetchone()
    return found is not None and found[0] > time.time_ns() // 1000 + _UNDER_WAY


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "data" / "portside.db")
    with contextlib.closing(connection), connection:
        yield connection


def _pull(registry: RunningRegistry, token: str, everything: list[Told]) -> None:
    """Every image that was acknowledged, with all of its blobs."""
    with client_of(registry, token) as client:
        for told in everything:
            for digest, document in told.manifests.items():
                assert client.manifest(digest) == document
                for blob in _blobs_of(document):
                    assert digest_of(client.blob(blob)) == blob


def _blobs_of(document: bytes) -> list[str]:
    manifest = json.loads(document)
    return [one["digest"] for one in (manifest["config"], *manifest["layers"])]


def _expect_nothing_left(folder: Path, registry: RunningRegistry, token: str) -> None:
    """After the grace time of layers, and that of their bytes, there are the bytes of images and no others."""
    repository = registry.ecr.describe_repositories()["repositories"][0]["repositoryName"]
    pages = registry.ecr.get_paginator("list_images").paginate(repositoryName=repository)
    digests = {image["imageDigest"] for page in pages for image in page["imageIds"]}
    with client_of(registry, token) as client:
        needed = {blob for digest in digests for blob in _blobs_of(client.manifest(digest))}

    def is_clean() -> bool:
        _age(folder)
        staged = [path for path in (folder / "data" / "uploads").rglob("*") if path.is_file()]
        return len(files(folder / "data")) == len(needed) and not staged

    commands.until(is_clean, "the end of all garbage", seconds=60)


def main(arguments: list[str]) -> None:
    """Kill in a folder of its own, which stays when something was lost."""
    kills, seed = int(arguments[0]) if arguments else 20, int(arguments[1]) if arguments[1:] else time.time_ns()
    folder = Path(tempfile.mkdtemp(prefix="sweeps-"))
    print(f"{kills} kills in sweeps, seed {seed}, in {folder}", flush=True)
    began = time.monotonic()
    kill_in_sweeps(folder, kills, seed=seed)
    shutil.rmtree(folder)
    print(f"nothing was lost and nothing is left in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
