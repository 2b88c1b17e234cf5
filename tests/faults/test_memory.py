"""Law 6: constant memory, whatever passes through."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.pusher import Pusher
from tests.wire.conversation import connect
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


def test_whoever_knows_only_an_access_key_id_cannot_fill_the_memory(folder: Path) -> None:
    """Hundreds of large bodies, signed by somebody without the secret, from another address."""
    with serve(folder) as registry, contextlib.ExitStack() as stack:
        registry.ecr.describe_repositories()
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", registry.port), 30, ("127.0.0.2", 0))
            stack.enter_context(connection).setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.send(_forged(registry) + bytes(MIB - 1000))
        registry.ecr.create_repository(repositoryName="still/served")
        assert max(_peaks(registry)) < 256 * MIB


def test_readers_that_stall_hold_little_each(folder: Path) -> None:
    with serve(folder) as registry, contextlib.ExitStack() as stack:
        registry.create("stalled/readers")
        with Pusher(registry.port, registry.token, "stalled/readers") as pusher:
            digest = pusher.push_blob(bytes(48 * MIB))
            for _ in range(200):
                connection = stack.enter_context(connect(registry.port, window=4096))
                lines = (f"GET /v2/stalled/readers/blobs/{digest} HTTP/1.1", "Host: a")
                connection.sendall("\r\n".join([*lines, f"Authorization: Basic {registry.token}", "", ""]).encode())
            assert len(pusher.blob(digest)) == 48 * MIB
        assert max(_peaks(registry)) < 768 * MIB


def _forged(registry: RunningRegistry) -> bytes:
    """The head of a request that looks right until its body has been hashed."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    credential = f"{registry.environment['AWS_ACCESS_KEY_ID']}/{now[:8]}/us-east-1/ecr/aws4_request"
    signed = "content-type;host;x-amz-date;x-amz-target"
    lines = (
        "POST / HTTP/1.1",
        f"Host: {registry.host}",
        "Content-Type: application/x-amz-json-1.1",
        "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.ListImages",
        f"X-Amz-Date: {now}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={'0' * 64}",
        f"Content-Length: {MIB}",
    )
    return "\r\n".join([*lines, "", ""]).encode()
