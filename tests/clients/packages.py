"""Having the real clients: where each program is, and how it gets there.

Rule: a program that is missing is installed; a test never skips because of it.
Only the distribution's own folders are searched, because a newer docker or an
older aws elsewhere on PATH would quietly change what is tested.

`python -m tests.clients.packages` installs everything beforehand.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

PACKAGES = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "podman": "podman",
    "skopeo": "skopeo",
    "buildah": "buildah",
    "containerd": "containerd",
    "ctr": "containerd",
    "umoci": "umoci",
    "docker-credential-ecr-login": "amazon-ecr-credential-helper",
    "docker-registry": "docker-registry",
    "aws": "awscli",
    "initdb": "postgresql",
    "pg_ctl": "postgresql",
    "postgres": "postgresql",
}
CACHE = Path(__file__).resolve().parents[2] / ".cache"
AWS_VERSION_1 = CACHE / "awscli-1"
POLICY = Path("/usr/sbin/policy-rc.d")


class PackageUnavailableError(Exception):
    """A program is missing and could not be installed."""


def program(name: str) -> Path:
    """Return the absolute path of `name`, installing its package if need be."""
    found = _find(name)
    if found is None:
        install([PACKAGES[name]])
        found = _find(name)
    if found is None:
        raise PackageUnavailableError(f"{PACKAGES[name]} does not contain {name}")
    return found


def aws_version_1() -> Path:
    """Return the path of AWS CLI version 1, which lives in a cached environment."""
    executable = AWS_VERSION_1 / "bin" / "aws"
    with _locked():
        if not executable.exists():
            _build_aws_version_1()
    return executable


def install(packages: Sequence[str]) -> None:
    """Install Debian packages without starting any service."""
    advice = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise PackageUnavailableError(f"this machine has no apt-get; please provide: {advice}")
    with _locked(), _services_stay_off():
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            done = _as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *arguments])
            if done.returncode:
                raise PackageUnavailableError(f"please run: {advice} ({_last_line(done)})")


def _find(name: str) -> Path | None:
    folders = [Path("/usr/bin"), Path("/usr/sbin")]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def _build_aws_version_1() -> None:
    """Make the environment afresh; pip writes `aws` last, so half a one is never taken for whole."""
    pip = [AWS_VERSION_1 / "bin" / "python", "-m", "pip", "install", "--quiet", "awscli<2"]
    for command in ([sys.executable, "-m", "venv", "--clear", AWS_VERSION_1], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackageUnavailableError(f"please run: pip install 'awscli<2' ({_last_line(done)})")


def _as_root(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        return subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PackageUnavailableError(f"cannot become root: {error}") from error


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
    return lines[-1]


@contextmanager
def _locked() -> Generator[None]:
    """Let one process at a time install things."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_stay_off() -> Generator[None]:
    """Tell maintainer scripts not to start services; put back what was there."""
    kept = POLICY.with_name("policy-rc.d.kept")
    if POLICY.exists():
        _as_root(["mv", "-n", str(POLICY), str(kept)])
    source = CACHE / "policy-rc.d"
    source.write_text("#!/bin/sh\nexit 101\n")
    _as_root(["install", "-m", "755", str(source), str(POLICY)])
    try:
        yield
    finally:
        _as_root(["mv", str(kept), str(POLICY)] if kept.exists() else ["rm", "-f", str(POLICY)])


def main() -> int:
    """Install every package that a wire test may ask for."""
    try:
        missing = sorted({PACKAGES[name] for name in PACKAGES if _find(name) is None})
        if missing:
            install(missing)
        for name in PACKAGES:
            print(f"{name}: {program(name)}")
        print(f"aws (version 1): {aws_version_1()}")
    except PackageUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
