"""A containerd of its own, driven by ctr.

Ctr has no login: the password travels with each command.  Snapshots are
"native" (plain copies), because overlays do not nest on every machine.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from tests.clients import commands, images
from tests.clients.client import USER
from tests.clients.packages import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.images import Layout

CONFIGURATION = """
version = 2
root = "{state}/root"
state = "{state}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{state}/containerd.sock"
"""


class Containerd:
    """A containerd daemon, and the ctr that talks to it."""

    def __init__(self, state: Path) -> None:
        self.environment = commands.isolated(state)
        self._log = state / "import.log"
        self._command: list[str | Path] = [program("ctr"), "--address", state / "containerd.sock"]
        self._command += ["--namespace", "wire", "images"]
        self._passwords: dict[str, str] = {}
        configuration = state / "config.toml"
        configuration.write_text(CONFIGURATION.format(state=state))
        self.daemon = commands.Daemon(
            [program("containerd"), "--config", configuration], self.environment, state / "containerd.log"
        )
        self.daemon.ready(self._answers)

    def run(self, *arguments: str) -> str:
        """Run one `ctr images` command."""
        return commands.run([*self._command, *arguments], self.environment)

    def login(self, host: str, password: str) -> None:
        """Remember the password, since ctr does not."""
        self._passwords[host] = password

    def take(self, layout: Layout, name: str) -> str:
        """Import the layout with all its platforms."""

        def write(stream: IO[bytes]) -> None:
            images.write_layout_archive(layout, name, stream)

        command = [*self._command, "import", "--no-unpack", "--all-platforms", "-"]
        commands.feed(command, self.environment, write, self._log)
        return layout.root.digest

    def push(self, name: str) -> str:
        """Push the content as it is."""
        self.run("push", *self._options(name), name)
        return self.identity(name)

    def pull(self, name: str) -> str:
        """Pull all platforms and unpack those of this machine."""
        self.run("pull", "--all-platforms", "--snapshotter", "native", *self._options(name), name)
        return self.identity(name)

    def remove(self, name: str) -> None:
        """Remove the name, and wait until its content is collected."""
        self.run("remove", "--sync", name)

    def identity(self, name: str) -> str:
        """Return the digest that the name stands for."""
        lines = self.run("list", f"name=={name}").splitlines()
        return lines[1].split()[2]

    def stop(self) -> None:
        """Stop the daemon."""
        self.daemon.stop()

    def _options(self, name: str) -> list[str]:
        host = name.partition("/")[0]
        return ["--plain-http", "--user", f"{USER}:{self._passwords[host]}"]

    def _answers(self) -> bool:
        try:
            self.run("list")
        except commands.CommandFailedError:
            return False
        return True
