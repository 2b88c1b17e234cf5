"""`make bench-client`: `portside push` beside docker, skopeo, crane and regctl, pushing to one Portside in one run.

Every tool pushes the same image to a repository of its own, in turn, several rounds; shown are medians, with the
client's CPU and memory. A tool that cannot be had here is named and left out.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.builds import BuildFailedError, built
from bench.processes import cpu_seconds
from tests.clients import images
from tests.clients.docker import Docker
from tests.clients.images import Recipe
from tests.clients.packages import program
from tests.wire.server import RunningRegistry, serve

_MIB = 1 << 20
_LAYERS, _LAYER = 10, 102 * _MIB


@dataclass
class Cost:
    """What one push took."""

    seconds: float
    cpu: float
    memory: int
    """Peak resident bytes of the client itself."""


@dataclass
class Tool:
    """A way of pushing: `command` gives the words for a source and a target."""

    name: str
    command: Callable[[str, str], Sequence[str | Path]]
    environment: Mapping[str, str]
    daemon: int | None = None
    """A process whose CPU counts too."""
    costs: dict[str, list[Cost]] = field(default_factory=dict[str, list[Cost]])


class Bench:
    """One server, one engine, and the tools."""

    def __init__(self, folder: Path, registry: RunningRegistry, docker: Docker) -> None:
        self.folder = folder
        self.registry = registry
        self.docker = docker
        self.number = 0
        auth = {"auths": {registry.host: {"auth": base64.b64encode(f"AWS:{registry.password}".encode()).decode()}}}
        config = folder / "docker"
        config.mkdir()
        (config / "config.json").write_text(json.dumps(auth))
        self.environment = {
            **os.environ,
            **registry.environment,
            "HOME": str(folder),
            "DOCKER_CONFIG": str(config),
            "REGISTRY_AUTH_FILE": str(config / "config.json"),
            "DOCKER_HOST": docker.socket,
        }

    def tools(self) -> list[Tool]:
        """Those that read a layout, and can be had."""
        portside = [sys.executable, "-m", "portside", "push", "-q"]
        found = [
            Tool("portside", lambda source, target: [*portside, source, target], self.environment),
            Tool(
                "skopeo",
                lambda source, target: [
                    program("skopeo"),
                    "copy",
                    "-q",
                    "--dest-tls-verify=false",
                    f"oci:{source}",
                    f"docker://{target}",
                ],
                self.environment,
            ),
        ]
        for name, words in {
            "crane": lambda at, source, target: [at, "push", "--insecure", source, target],
            "regctl": lambda at, source, target: [
                at,
                "--host",
                f"reg={self.registry.host},tls=disabled",
                "image",
                "copy",
                f"ocidir://{source}",
                target,
            ],
        }.items():
            try:
                at = built(name)
            except BuildFailedError as error:
                print(f"{name} is left out: {error}")
                continue
            command = lambda source, target, at=at, words=words: words(at, source, target)  # noqa: E731
            found.append(Tool(name, command, self.environment))
        return found

    def engine_tools(self) -> list[Tool]:
        """Those that push what an engine has."""
        portside = [sys.executable, "-m", "portside", "push", "-q"]
        docker = lambda _, target: [self.docker.executable, "push", "-q", target]  # noqa: E731
        process = self.docker.daemon.process.pid
        return [
            Tool("portside", lambda source, target: [*portside, source, target], self.environment, process),
            Tool("docker", docker, self.environment, process),
        ]

    def repository(self) -> str:
        """A new one, with the host."""
        self.number += 1
        return self.registry.create(f"bench/client-{self.number}")

    def pushed(self, tool: Tool, source: str, target: str, *, fresh: bool) -> Cost:
        """Push once; `fresh`: with nothing remembered from before."""
        cache = self.folder / "cache"
        if fresh:
            shutil.rmtree(cache, ignore_errors=True)
        before = cpu_seconds(tool.daemon) if tool.daemon else 0.0
        begun = time.monotonic()
        log = self.folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                tool.command(source, target),
                env={**tool.environment, "XDG_CACHE_HOME": str(cache)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        if process.returncode:
            raise RuntimeError(f"{tool.name}: {log.read_text()[-500:]}")
        cpu = usage.ru_utime + usage.ru_stime + (cpu_seconds(tool.daemon) - before if tool.daemon else 0.0)
        return Cost(seconds, cpu, usage.ru_maxrss * 1024)


def _scenario(bench: Bench, name: str, tools: list[Tool], source: str, rounds: int) -> None:
    for _ in range(rounds):
        for tool in tools:
            target = f"{bench.repository()}:1"
            if tool.name == "docker":
                bench.docker.run("tag", source, target)
            first = bench.pushed(tool, source, target, fresh=True)
            again = bench.pushed(tool, source, target, fresh=False)
            tool.costs.setdefault(name, []).append(first)
            tool.costs.setdefault(f"{name}, again", []).append(again)
    for shown in (name, f"{name}, again"):
        _show(shown, tools)


def _show(name: str, tools: list[Tool]) -> None:
    ours = statistics.median(one.seconds for one in tools[0].costs[name])
    print(f"\n{name}")
    for tool in tools:
        costs = tool.costs[name]
        seconds = statistics.median(one.seconds for one in costs)
        cpu = statistics.median(one.cpu for one in costs)
        memory = max(one.memory for one in costs) / _MIB
        print(f"  {tool.name:10} {seconds:7.2f} s  {seconds / ours:5.2f}x  cpu {cpu:6.2f} s  peak {memory:6.0f} MiB")


def main() -> None:
    """Run every scenario and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=_LAYERS * _LAYER // _MIB, help="size of the large image")
    parser.add_argument("--disk", action="store_true", help="keep the registry on a disk, which then decides")
    options = parser.parse_args()
    memory = Path("/dev/shm")
    place = None if options.disk or not memory.is_dir() else memory
    with tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp") as made, tempfile.TemporaryDirectory(dir=place) as data:
        folder = Path(made)
        (folder / "engine").mkdir()
        large = images.make(folder / "large", Recipe("large", layers=_LAYERS, layer_size=options.mib * _MIB // _LAYERS))
        many = images.make(folder / "many", Recipe("many", layers=200, layer_size=20_000))
        docker = Docker(folder / "engine")
        try:
            with serve(Path(data)) as registry:
                bench = Bench(folder, registry, docker)
                docker.take(large, "large:1")
                _scenario(bench, "1 GiB in ten layers from an engine", bench.engine_tools(), "large:1", options.rounds)
                _scenario(bench, "1 GiB in ten layers from a layout", bench.tools(), str(large.folder), options.rounds)
                _scenario(bench, "200 small layers from a layout", bench.tools(), str(many.folder), options.rounds)
        finally:
            docker.stop()


if __name__ == "__main__":
    main()
