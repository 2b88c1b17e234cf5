"""The README does what it says: its commands are taken from the page and run, with this run's port and folder."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.clients import commands
from tests.clients.aws import CommandLine
from tests.clients.docker import Docker
from tests.wire.server import RunningRegistry

README = (Path(__file__).parents[2] / "README.md").read_text()
CHECK = re.compile(r"`((?:aws|docker|curl) [^`]+)`")
NEEDS_A_PROJECT = {"docker build -t my-image:1 .", "docker push"}
"""Named as examples of what a reader has already, or as a word."""


@pytest.fixture
def shell(docker: Docker, own_registry: RunningRegistry, own_state: Path) -> Shell:
    """A shell of someone who has docker, an image and the AWS CLI, and nothing set."""
    docker.import_tiny("my-image:1")
    return Shell(docker, own_registry, CommandLine(1, own_state, {}), own_state)


class Shell:
    """Runs lines of the README."""

    def __init__(self, docker: Docker, registry: RunningRegistry, aws: CommandLine, folder: Path) -> None:
        self._registry = registry
        self._folder = folder
        path = f"{aws.folder}:{docker.executable.parent}:{commands.PATH}"
        self._environment = aws.environment | docker.settings | {"PATH": path}

    @property
    def host(self) -> str:
        """The registry's host."""
        return self._registry.host

    def run(self, script: str) -> str:
        """Run a script, with the README's port, command and folder made this run's."""
        for written, here in (
            ("localhost:4510", self._registry.host),
            (".venv/bin/portside", f"{sys.executable} -m portside"),
            ("--data .portside", f"--data {self._registry.data}"),
        ):
            script = script.replace(written, here)
        command = ["/bin/bash", "-e", "-o", "pipefail", "-c", f"cd {self._folder}\n{script}"]
        return commands.run(command, self._environment)


def test_the_push_in_sixty_seconds_works_as_written(shell: Shell) -> None:
    said = shell.run(_push())

    assert '"imageTags"' in said


def test_the_push_without_docker_works_as_written(shell: Shell) -> None:
    shell.run("docker save my-image:1 > app.tar")
    [block] = re.findall(r"<!-- run: tool -->\n```\n(.*?)```", README, re.DOTALL)

    said = shell.run(f'eval "$(.venv/bin/portside env --data .portside)"\n{block.rstrip()} --create')

    assert f"{shell.host}/team/app:2@sha256:" in said


def test_every_check_of_the_five_prerequisites_works_as_written(shell: Shell) -> None:
    checks = _checks()
    assert len(checks) == 5

    shell.run("\n".join([_push(), *checks]))


def _push() -> str:
    found = re.search(r"<!-- run: push -->\n```\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def _checks() -> list[str]:
    section = README.split("## The five things a push needs")[1].split("\n## ")[0]
    named = CHECK.findall(section.replace("\n", " "))
    return [line for line in named if line not in NEEDS_A_PROJECT and "create-repository" not in line]
