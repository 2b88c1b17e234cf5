"""The push tool as a person runs it: a process, with a home, a cache and a Docker configuration of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients import commands


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What `--output json` printed."""
        return json.loads(self.out)


@dataclass
class Tool:
    """`portside` with these variables."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        """Every variable that the process gets."""
        return {
            **commands.isolated(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
            **self.variables,
        }

    def run(self, *arguments: str | Path, given: bytes = b"", timeout: float = 120) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=given,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Begin a command."""
        return subprocess.Popen(
            self.command(*arguments), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def command(self, *arguments: str | Path) -> list[str]:
        """The words of a command."""
        return [sys.executable, "-m", "portside", *map(str, arguments)]
