"""Programs that are built from a Go module: pinned, with the module's own go.sum, once, into .cache/bench.

A copy of the module is built, and not the module by `go install`, so that a go.mod with replace directives is taken
as its authors wrote it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[1] / ".cache" / "bench"
_PATIENCE = 3600


class BuildFailedError(Exception):
    """A program cannot be built here; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Build:
    """What to build: a package of a module at a version, with build tags."""

    module: str
    version: str
    package: str
    tags: str = ""


BUILDS: Mapping[str, Build] = {
    "v3": Build("github.com/distribution/distribution/v3", "v3.1.2", "./cmd/registry"),
    # The tags of zot's own "minimal" binary: no extension, and no C library for OpenPGP.
    "crane": Build("github.com/google/go-containerregistry", "v0.22.1", "./cmd/crane"),
    "regctl": Build("github.com/regclient/regclient", "v0.11.7", "./cmd/regctl"),
    "zot": Build("zotregistry.dev/zot/v2", "v2.1.18", "./cmd/zot", "minimal,containers_image_openpgp"),
    "zb": Build("zotregistry.dev/zot/v2", "v2.1.18", "./cmd/zb", "minimal,containers_image_openpgp"),
}


def built(name: str) -> Path:
    """The program `name` of BUILDS, built if it is missing; raises BuildFailedError."""
    build = BUILDS[name]
    place = _CACHE / f"{name}-{build.version}"
    if place.exists():
        return place
    if shutil.which("go") is None:
        raise BuildFailedError(f"Go is missing; {build.module} {build.version} is built with it")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        source, made = Path(folder, "source"), Path(folder, "program")
        _copy(_downloaded(build), source)
        options = ["-mod=readonly", "-trimpath", "-p=1", f"-tags={build.tags}", "-o", str(made)]
        done = _go(["build", *options, build.package], source)
        if done.returncode:
            raise BuildFailedError(f"{build.module} {build.version} does not build: {_last_line(done.stderr)}")
        made.replace(place)
    return place


def _downloaded(build: Build) -> Path:
    """The module's folder in Go's own cache."""
    done = _go(["mod", "download", "-json", f"{build.module}@{build.version}"], _CACHE)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {"Error": _last_line(done.stderr)}
    if "Dir" not in found:
        raise BuildFailedError(f"{build.module} {build.version} cannot be had: {_last_line(str(found.get('Error')))}")
    return Path(found["Dir"])


def _copy(module: Path, target: Path) -> None:
    """A copy that can be written; Go keeps its own read-only. What is left of a vendor folder would mislead it."""
    shutil.copytree(module, target, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("vendor"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _go(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it below everything else on the machine."""
    command = ["nice", "-n", "19", "env", "GOWORK=off", "go", *arguments]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise BuildFailedError(f"`go {arguments[0]}` took more than {_PATIENCE} s") from None


def _last_line(text: str) -> str:
    return (text.strip() or "it said nothing").splitlines()[-1]
