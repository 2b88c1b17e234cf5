"""The two AWS command lines, pointed at one endpoint.

Version 1 reads AWS_ENDPOINT_URL.  Debian's version 2 is older than that
variable, so its `aws` is a two-line script that adds `--endpoint-url`; what a
test types is the published command in both cases.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.clients import commands
from tests.clients.packages import aws_version_1, program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORWARDER = """#!/bin/sh
exec {executable} --endpoint-url "$AWS_ENDPOINT_URL" "$@"
"""


class CommandLine:
    """An `aws` program of one major version, alone in a folder that can lead PATH."""

    def __init__(self, version: int, state: Path, settings: Mapping[str, str]) -> None:
        self.folder = state / "bin"
        self.folder.mkdir()
        self.executable = self.folder / "aws"
        if version == 1:
            self.executable.symlink_to(aws_version_1())
        else:
            self.executable.write_text(FORWARDER.format(executable=program("aws")))
            self.executable.chmod(0o755)
        self.environment = commands.isolated(
            state,
            AWS_CONFIG_FILE=state / "config",
            AWS_SHARED_CREDENTIALS_FILE=state / "credentials",
            AWS_EC2_METADATA_DISABLED="true",
            AWS_PAGER="",
            **settings,
        )

    def run(self, *arguments: str) -> str:
        """Run one aws command; return what it printed."""
        return commands.run([self.executable, *arguments], self.environment)

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run one aws command; return its JSON answer."""
        return json.loads(self.run(*arguments, "--output", "json"))
