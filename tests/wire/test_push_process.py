"""The push process that AWS publishes, word for word, against Portside.

Each script is what a user types, run by `bash -e` with the real `aws` and
`docker`; only the endpoint variable and the host name differ from AWS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.clients import commands
from tests.clients.aws import CommandLine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.docker import Docker
    from tests.wire.server import RunningRegistry

BEGIN = "aws ecr create-repository --repository-name team/app"
LOGIN = {
    "get-login of version 1": (1, "$(aws ecr get-login --no-include-email --region us-east-1)"),
    "get-login-password of version 1": (
        1,
        "aws ecr get-login-password | docker login --username AWS --password-stdin {host}",
    ),
    "get-login-password of version 2": (
        2,
        "aws ecr get-login-password | docker login --username AWS --password-stdin {host}",
    ),
}
PUSH = """\
docker tag my-image:1 {host}/team/app:1
docker push {host}/team/app:1
docker rmi {host}/team/app:1 my-image:1
docker pull {host}/team/app:1
aws ecr describe-images --repository-name team/app > described.json
"""


@pytest.fixture
def logged_out(docker: Docker) -> Docker:
    """Return the engine with an image and without any login."""
    (docker.configuration / "config.json").unlink(missing_ok=True)
    docker.import_tiny("my-image:1")
    return docker


@pytest.mark.parametrize(("version", "login"), LOGIN.values(), ids=LOGIN)
def test_the_published_push_process_works_word_for_word(
    version: int, login: str, logged_out: Docker, own_registry: RunningRegistry, own_state: Path
) -> None:
    docker = logged_out
    aws = CommandLine(version, own_state, own_registry.environment)
    before = docker.identity("my-image:1")
    name = f"{own_registry.host}/team/app:1"

    _bash(f"{BEGIN}\n{login}\n{PUSH}".format(host=own_registry.host), aws, docker, own_state)

    assert docker.identity(name) == before
    [described] = json.loads((own_state / "described.json").read_text())["imageDetails"]
    assert described["repositoryName"] == "team/app"
    assert described["imageTags"] == ["1"]
    assert described["imageDigest"] == own_registry.stored(name).digest
    docker.remove(name)


def test_docker_logs_in_whether_the_endpoint_is_written_with_a_scheme_or_without(
    logged_out: Docker, own_registry: RunningRegistry
) -> None:
    host = own_registry.host
    for written in (host, f"http://{host}", f"https://{host}"):
        logged_out.login(written, own_registry.password)

    saved = json.loads((logged_out.configuration / "config.json").read_text())["auths"]

    assert set(saved) == {host}


def _bash(script: str, aws: CommandLine, docker: Docker, folder: Path) -> None:
    """Run the script in `folder` with the real programs leading PATH."""
    path = f"{aws.folder}:{docker.executable.parent}:{commands.PATH}"
    environment = aws.environment | docker.settings | {"PATH": path}
    commands.run(["/bin/bash", "-e", "-o", "pipefail", "-c", f"cd {folder}\n{script}"], environment)
