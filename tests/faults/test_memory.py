"""Law 6: constant memory, whatever passes through."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.faults.pusher import Pusher
from tests.wire.server import RunningRegistry, serve

GIB = 1 << 30
MIB = 1 << 20


def test_a_blob_of_four_gib_goes_in_and_out_under_256_mib(folder: Path) -> None:
    """The peak of every process of the server, from its start on."""
    block = os.urandom(MIB)
    count = 4 * GIB // MIB
    with serve(folder) as registry:
        registry.ecr.create_repository(repositoryName="big/blob")
        with Pusher(registry.port, registry.token, "big/blob") as pusher:
            digest = _upload(pusher, block, count)
            _compare(pusher.download(digest), block, count)
        assert max(_peaks(registry)) < 256 * MIB


def test_an_idle_worker_stays_below_120_mib(folder: Path) -> None:
    """After a push and a pull, at rest."""
    with serve(folder) as registry:
        registry.ecr.create_repository(repositoryName="idle/test")
        with Pusher(registry.port, registry.token, "idle/test") as pusher:
            pusher.blob(pusher.push_blob(os.urandom(100_000)))
        assert max(_sizes(registry, "VmRSS")) < 120 * MIB


def _upload(pusher: Pusher, block: bytes, count: int) -> str:
    whole = hashlib.sha256()
    for _ in range(count):
        whole.update(block)
    digest = f"sha256:{whole.hexdigest()}"
    location = pusher.begin()
    response, body = pusher.call("PATCH", location, _repeated(block, count), Content_Length=str(len(block) * count))
    assert response.status == 202, body
    response, body = pusher.call("PUT", f"{location}?digest={digest}")
    assert response.status == 201, body
    return digest


def _repeated(block: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield block


def _compare(pieces: Iterator[bytes], block: bytes, count: int) -> None:
    held, blocks = b"", 0
    for piece in pieces:
        held += piece
        while len(held) >= len(block):
            assert held[: len(block)] == block
            held, blocks = held[len(block) :], blocks + 1
    assert (blocks, held) == (count, b"")


def _peaks(registry: RunningRegistry) -> list[int]:
    return _sizes(registry, "VmHWM")


def _sizes(registry: RunningRegistry, field: str) -> list[int]:
    found = []
    for pid in _family(registry.process):
        status = Path(f"/proc/{pid}/status").read_text()
        measured = re.search(rf"^{field}:\s+([0-9]+) kB$", status, re.MULTILINE)
        assert measured is not None
        found.append(int(measured[1]) * 1024)
    return found


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]
