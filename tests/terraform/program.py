"""Terraform, with the AWS provider, in a folder of configuration.

Rule: what cannot be had ends the run with one line; it never skips. Nothing here says where this machine has either of
them: `terraform` is found on PATH, and finds its provider as the machine's own settings say (a mirror named by
TF_CLI_CONFIG_FILE, or the public registry). TF_LOG=debug and TF_LOG_PATH let the provider write down its calls.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clients.commands import CommandFailedError
from tests.clients.packages import PackageUnavailableError

_PATIENCE = 300.0
_NO_DIFFERENCE, _DIFFERENCE = 0, 2
_OURS = ("AWS_", "TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR")
"""What begins so is this run's affair and not the machine's."""


class Terraform:
    """One folder of configuration, and its state."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._program = _found()
        self._folder = folder
        self._environment = _environment(folder, environment)

    def init(self) -> None:
        """Fetch the provider; raises PackageUnavailableError."""
        done = self._run("init", "-no-color", "-input=false")
        if done.returncode:
            lines = [line.strip("│╷╵ ") for line in done.stderr.splitlines()]
            # The first error and where it is; what follows advises.
            start = next((number for number, line in enumerate(lines) if line.startswith("Error")), 0)
            reason = " ".join(line for line in lines[start : start + 5] if line)
            raise PackageUnavailableError(f"terraform has no provider hashicorp/aws: {reason}")

    @property
    def versions(self) -> str:
        """The version of Terraform and of each provider."""
        said = json.loads(self._judged("version", "-json"))
        providers = said["provider_selections"].items()
        return ", ".join(
            [f"terraform {said['terraform_version']}", *(f"{name} {version}" for name, version in providers)]
        )

    def apply(self, *options: str) -> None:
        """Let everything be as it is written."""
        self._judged("apply", "-auto-approve", "-no-color", "-input=false", *options)

    def destroy(self, *options: str) -> None:
        """Remove everything."""
        self._judged("destroy", "-auto-approve", "-no-color", "-input=false", *options)

    def difference(self, *options: str) -> str:
        """What a plan would change; empty when nothing."""
        done = self._run("plan", "-detailed-exitcode", "-no-color", "-input=false", *options)
        if done.returncode not in {_NO_DIFFERENCE, _DIFFERENCE}:
            raise _failure("plan", done)
        return done.stdout if done.returncode == _DIFFERENCE else ""

    def output(self, name: str) -> Any:
        """The value of an output."""
        return json.loads(self._judged("output", "-json", name))

    @property
    def resources(self) -> list[str]:
        """The addresses of all resources in the state, without those that are only read."""
        lines = self._judged("state", "list").splitlines()
        return [line for line in lines if not line.startswith("data.")]

    def _judged(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise _failure(arguments[0], done)
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )


def _found() -> str:
    program = shutil.which("terraform")
    if program is None:
        raise PackageUnavailableError(
            "there is no terraform on PATH: https://developer.hashicorp.com/terraform/install has it"
        )
    return program


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The machine's own settings, which say where providers come from, and no credentials or profile of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    nothing = str(folder / "no-such-file")
    ours = {
        "AWS_CONFIG_FILE": nothing,
        "AWS_SHARED_CREDENTIALS_FILE": nothing,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "NO_PROXY": ",".join(filter(None, [kept.get("NO_PROXY"), "localhost"])),
    }
    return {**kept, **ours, **more}


def _failure(step: str, done: subprocess.CompletedProcess[str]) -> CommandFailedError:
    return CommandFailedError(f"terraform {step} ended with {done.returncode}\n{done.stdout[-4000:]}{done.stderr}")
