"""The docker engine and its command line, with every file in one folder.

Rule: the engine touches no network device and no other engine's containers;
it only stores images, which is why vfs and no bridge are enough.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from tests.clients import commands, images
from tests.clients.client import USER
from tests.clients.packages import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.images import Layout


class Docker:
    """A docker engine of its own, and the client that talks to it."""

    def __init__(self, state: Path) -> None:
        self.executable = program("docker")
        self.socket = f"unix://{state}/docker.sock"
        self.configuration = state / "config"
        self.settings = {"DOCKER_HOST": self.socket, "DOCKER_CONFIG": str(self.configuration)}
        self.environment = commands.isolated(state, **self.settings)
        self._log = state / "load.log"
        self._parts: dict[str, list[str]] = {}
        self.daemon = commands.Daemon(
            [
                program("dockerd"),
                *("--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none"),
                *("--data-root", state / "data", "--exec-root", state / "exec"),
                *("--host", self.socket, "--pidfile", state / "docker.pid"),
            ],
            self.environment,
            state / "dockerd.log",
        )
        self.daemon.ready(self._answers)

    def run(self, *arguments: str | Path, given: str = "") -> str:
        """Run one docker command."""
        return commands.run([self.executable, *arguments], self.environment, given=given)

    def login(self, host: str, password: str) -> None:
        """Log in with the password on standard input."""
        self.run("login", "--username", USER, "--password-stdin", host, given=password)

    def take(self, layout: Layout, name: str) -> str:
        """Load the image; of an index each image, because the engine stores no index."""
        several = len(layout.images) > 1
        parts = [f"{name}-part{number}" for number in range(len(layout.images))] if several else [name]
        for image, part in zip(layout.images, parts, strict=True):
            self._load(layout, image, part)
        if several:
            self._parts[name] = parts
        return layout.image_id

    def push(self, name: str) -> str:
        """Push; an index goes up image by image and is then put together by `docker manifest`."""
        if name not in self._parts:
            return _digest(self.run("push", name))
        for part in self._parts[name]:
            self.run("push", part)
        self.run("manifest", "create", "--insecure", name, *self._parts[name])
        return self.run("manifest", "push", "--insecure", "--purge", name).splitlines()[-1]

    def pull(self, name: str) -> str:
        """Pull; of an index the engine keeps the image of this machine only."""
        return _digest(self.run("pull", name))

    def remove(self, name: str) -> None:
        """Remove the tag, and with the last tag the layers."""
        self.run("rmi", *self._parts.pop(name, [name]))

    def identity(self, name: str) -> str:
        """Return the image id."""
        return self.run("image", "inspect", "--format", "{{.Id}}", name)

    def import_tiny(self, name: str) -> None:
        """Make the smallest image there is from a root file system."""
        commands.feed([self.executable, "import", "-", name], self.environment, images.write_root_filesystem, self._log)

    def stop(self) -> None:
        """Stop the engine, which stops the containerd that it started."""
        self.daemon.stop()

    def _load(self, layout: Layout, image: images.Descriptor, name: str) -> None:
        def write(stream: IO[bytes]) -> None:
            images.write_docker_archive(layout, image, name, stream)

        commands.feed([self.executable, "load", "--quiet"], self.environment, write, self._log)

    def _answers(self) -> bool:
        try:
            self.run("version")
        except commands.CommandFailedError:
            return False
        return True


def _digest(said: str) -> str:
    found = re.search(r"[Dd]igest: (sha256:[0-9a-f]{64})", said)
    assert found is not None, said
    return found[1]
