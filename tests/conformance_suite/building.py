"""Having the suite: one plain Go program, built once into `.cache`.

Rule: what is missing is installed, or the run fails with one line; it never skips.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.packages import CACHE, PackageUnavailableError, install

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULE = "github.com/opencontainers/distribution-spec/conformance"
VERSION = "v0.0.0-20260831232431-97274622c111"
"""The suite's main branch at that time and commit; what a run means is known only of one version."""
_OLDEST_GO = (1, 24)
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/go/bin", "/usr/bin"])
_FOLDER = CACHE / "conformance"


def suite() -> Path:
    """Return the built program; raises PackageUnavailableError."""
    target = _FOLDER / VERSION / "conformance"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _build(target)
    return target


def _build(target: Path) -> None:
    go = _go()
    # The module cache is writable, so that `make clean` can remove it.
    folders = {"GOBIN": target.parent, "GOPATH": _FOLDER / "go", "GOCACHE": _FOLDER / "build"}
    environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    environment["GOFLAGS"] = "-buildvcs=false -modcacherw"
    done = _run([go, "install", f"{MODULE}@{VERSION}"], environment)
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise PackageUnavailableError(f"the conformance suite could not be built: go install {MODULE} ({last})")


def _go() -> str:
    """Return where Go is, of a version that can build the suite."""
    if shutil.which("go", path=_PLACES) is None:
        install(["golang"])
    go = shutil.which("go", path=_PLACES)
    if go is None:
        raise PackageUnavailableError("the conformance suite needs Go, and the package golang does not contain go")
    said = _run([go, "env", "GOVERSION"], os.environ).stdout.strip()
    version = re.match(r"go([0-9]+)\.([0-9]+)", said)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST_GO:
        wanted = ".".join(map(str, _OLDEST_GO))
        raise PackageUnavailableError(f"the conformance suite needs Go {wanted} or newer, and {go} is {said or 'none'}")
    return go


def _run(command: list[str | Path], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
