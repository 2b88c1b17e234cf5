"""The command `portside` in a process of its own, with an environment that holds nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.clients.commands import PATH

COMMAND = (sys.executable, "-m", "portside")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8", **variables}


def portside(home: Path, *arguments: str | Path, **variables: str) -> Done:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, **variables),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def refusal(done: Done) -> str:
    """The one line that a command refused with; fails when it was anything else."""
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.endswith("\n")
    (line,) = done.err.splitlines()
    assert line.startswith("portside: ")
    return line
