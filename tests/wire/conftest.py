"""The server and the real clients that the wire tests connect to each other.

Everything a client or the server writes lies below one folder with a short
lower-case name (a socket's path ends at 107 bytes, and podman makes image
names of folder names); it is removed at the end, and so is every
process and mount point in it.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients import commands
from tests.clients.buildah import Buildah
from tests.clients.containerd import Containerd
from tests.clients.docker import Docker
from tests.clients.packages import PackageUnavailableError
from tests.clients.podman import Podman
from tests.clients.skopeo import Skopeo
from tests.wire.server import RunningRegistry, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tests.clients.client import Client


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Say in one line, and fail, when a client is missing and cannot be installed."""
    try:
        return (yield)
    except PackageUnavailableError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """Return the folder of this run."""
    folder = _made(Path("/tmp") / f"wire-{secrets.token_hex(4)}")
    yield folder
    commands.unmount_below(folder)
    shutil.rmtree(folder)


@pytest.fixture
def own_state(state: Path) -> Iterator[Path]:
    """Return a folder of this test alone."""
    folder = _made(state / f"test-{secrets.token_hex(4)}")
    yield folder
    commands.unmount_below(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def registry(state: Path) -> Iterator[RunningRegistry]:
    """Return the server that most wire tests share; its log is shown when it ends badly."""
    with serve(_made(state / "registry")) as running:
        yield running


@pytest.fixture
def own_registry(own_state: Path) -> Iterator[RunningRegistry]:
    """Return a server of this test alone."""
    with serve(_made(own_state / "registry")) as running:
        yield running


@pytest.fixture
def repository(registry: RunningRegistry) -> Callable[[str], str]:
    """Return a function that makes a repository on the shared server and names it with its host."""
    return registry.create


@pytest.fixture(scope="session")
def docker(state: Path) -> Iterator[Docker]:
    """Return a docker engine for the session."""
    engine = Docker(_made(state / "docker"))
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def containerd(state: Path) -> Iterator[Containerd]:
    """Return a containerd for the session."""
    daemon = Containerd(_made(state / "containerd"))
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def podman(state: Path) -> Podman:
    """Return podman with a store for the session."""
    return Podman(_made(state / "podman"))


@pytest.fixture(scope="session")
def buildah(state: Path) -> Buildah:
    """Return buildah with a store for the session."""
    return Buildah(_made(state / "buildah"))


@pytest.fixture(scope="session")
def skopeo(state: Path) -> Skopeo:
    """Return skopeo with a folder for the session."""
    return Skopeo(_made(state / "skopeo"))


@pytest.fixture
def client(request: pytest.FixtureRequest, registry: RunningRegistry) -> Client:
    """Return the client that the test is parametrised with, logged in."""
    chosen: Client = request.getfixturevalue(request.param)
    chosen.login(registry.host, registry.password)
    return chosen


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
