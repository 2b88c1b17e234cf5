"""`python -m bench.soak`: thousands of clients at once on a few workers; reports, and fails on the first error.

Idle connections stay open and are opened again when the server closes them; images are pushed, layer beside layer, and
pulled meanwhile. An answer of 429 is no error: clients wait and come again, and it is counted. Everything that is
pulled is compared with what was pushed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.kinds import Portside
from bench.processes import tree
from bench.servers import Server
from bench.soak_client import Client, SoakFailedError, Tally
from portside.server.descriptors import raise_limit

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_REPOSITORY = "soak/app"
_AT_A_TIME = 3
"""Layers that one client moves side by side, as docker does by default when it pulls."""


@dataclass(frozen=True)
class Load:
    """How many of everything."""

    idle: int = 1000
    pushes: int = 200
    pulls: int = 2000
    layers: int = 10
    layer_size: int = 64 * 1024
    workers: int = 2


@dataclass
class Report:
    """What came of it."""

    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    peaks: list[int] = field(default_factory=list)
    """The largest resident size of every process of the server, in bytes, the main one first."""

    def lines(self) -> list[str]:
        """For a person."""
        found = [f"{'':14} {'number':>7} {'p50':>8} {'p90':>8} {'p99':>8} {'longest':>8}   (milliseconds)"]
        for kind, seconds in self.tally.seconds.items():
            ordered = sorted(seconds)
            picked = [ordered[min(len(ordered) * at // 100, len(ordered) - 1)] * 1000 for at in (50, 90, 99, 100)]
            found.append(f"{kind:14} {len(ordered):7} " + " ".join(f"{value:8.1f}" for value in picked))
        found.append(f"{self.seconds:.1f} s in all; 429 was answered {self.tally.throttled} times")
        found.append(f"{self.tally.reopened} kept connections had been closed when they were used again")
        found.append(f"peak resident MiB: {', '.join(str(peak >> 20) for peak in self.peaks)} (main process first)")
        found += [f"FAILED: {failure}" for failure in self.tally.failures[:20]]
        return found


@dataclass(frozen=True)
class _Image:
    blobs: tuple[tuple[str, bytes], ...]
    manifest: bytes
    tag: str


def run(folder: Path, load: Load, *options: str) -> Report:
    """Start a server over an empty folder, bring the load upon it, and say what came of it."""
    raise_limit()
    kind = Portside("ours", ("--workers", str(load.workers), "--log-level", "warning", *options))
    with Server(kind, folder / "server") as server:
        server.prepare((_REPOSITORY,))
        report = Report()
        began = time.monotonic()
        asyncio.run(_bear(server, load, report.tally))
        report.seconds = time.monotonic() - began
        report.peaks = [_peak(process.id) for process in tree(server.pid)]
    return report


async def _bear(server: Server, load: Load, tally: Tally) -> None:
    assert server.authorization is not None
    first = _image(0, load)
    await _counted(_push(server, first, tally), tally)
    idle = [asyncio.create_task(_idle(server.port, tally)) for _ in range(load.idle)]
    pushes = [_push(server, _image(number, load), tally) for number in range(1, load.pushes + 1)]
    pulls = [_pull(server, first, tally) for _ in range(load.pulls)]
    await asyncio.gather(*(_counted(one, tally) for one in [*pushes, *pulls]))
    for task in idle:
        task.cancel()
    await asyncio.gather(*idle, return_exceptions=True)


async def _counted(work: Awaitable[None], tally: Tally) -> None:
    try:
        await work
    except (SoakFailedError, OSError, TimeoutError, asyncio.IncompleteReadError) as failure:
        tally.failures.append(f"{type(failure).__name__}: {failure}")


async def _idle(port: int, tally: Tally) -> None:
    """A connection that asks for nothing."""
    while True:
        try:
            async with tally.opening:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                await reader.read()
        except OSError as failure:
            tally.failures.append(f"idle: {failure}")
            return


async def _push(server: Server, image: _Image, tally: Tally) -> None:
    began = time.perf_counter()
    queue = list(image.blobs)
    await asyncio.gather(*(_push_some(server, queue, tally) for _ in range(_AT_A_TIME)))
    client = _client(server, tally)
    await client.ask(
        "PUT manifest", f"/v2/{_REPOSITORY}/manifests/{image.tag}", 201, body=image.manifest, content_type=_MANIFEST
    )
    await client.close()
    tally.seconds["whole push"].append(time.perf_counter() - began)


async def _push_some(server: Server, queue: list[tuple[str, bytes]], tally: Tally) -> None:
    client = _client(server, tally)
    while queue:
        digest, content = queue.pop()
        await client.ask("HEAD blob", f"/v2/{_REPOSITORY}/blobs/{digest}", 404)
        begun = await client.ask("POST upload", f"/v2/{_REPOSITORY}/blobs/uploads/", 202)
        location = begun.headers["location"]
        await client.ask("PATCH blob", location, 202, body=content)
        await client.ask("PUT blob", f"{location}?digest={digest}", 201)
    await client.close()


async def _pull(server: Server, image: _Image, tally: Tally) -> None:
    began = time.perf_counter()
    client = _client(server, tally)
    answer = await client.ask("GET manifest", f"/v2/{_REPOSITORY}/manifests/{image.tag}", 200)
    await client.close()
    if answer.content != image.manifest:
        raise SoakFailedError(f"the manifest {image.tag} came back with other bytes")
    queue = list(image.blobs)
    await asyncio.gather(*(_pull_some(server, queue, tally) for _ in range(_AT_A_TIME)))
    tally.seconds["whole pull"].append(time.perf_counter() - began)


async def _pull_some(server: Server, queue: list[tuple[str, bytes]], tally: Tally) -> None:
    client = _client(server, tally)
    while queue:
        digest, content = queue.pop()
        answer = await client.ask("GET blob", f"/v2/{_REPOSITORY}/blobs/{digest}", 200)
        if answer.content != content:
            raise SoakFailedError(f"{digest} came back with other bytes")
    await client.close()


def _client(server: Server, tally: Tally) -> Client:
    assert server.authorization is not None
    return Client(server.port, server.authorization, tally)


def _image(number: int, load: Load) -> _Image:
    config = json.dumps({"number": number}).encode()
    layers = [os.urandom(load.layer_size) for _ in range(load.layers)]
    blobs = tuple((f"sha256:{hashlib.sha256(content).hexdigest()}", content) for content in (config, *layers))
    described = [
        {"mediaType": _LAYER if at else _CONFIG, "digest": digest, "size": len(content)}
        for at, (digest, content) in enumerate(blobs)
    ]
    document = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": described[0], "layers": described[1:]}
    return _Image(blobs, json.dumps(document).encode(), f"v{number}")


def _peak(process: int) -> int:
    found = re.search(r"^VmHWM:\s+([0-9]+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak and print the report; 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition("\n")[0])
    for name, value in vars(Load()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--serve", action="append", default=[], help="an option for `portside serve`")
    options = vars(parser.parse_args(arguments))
    more = options.pop("serve")
    with tempfile.TemporaryDirectory(prefix="portside-soak-") as folder:
        report = run(Path(folder), Load(**options), *more)
    print("\n".join(report.lines()))
    return 1 if report.tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
