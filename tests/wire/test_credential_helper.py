"""AWS's own host names, and the stock docker-credential-ecr-login that believes in nothing else.

Debian's 0.6.0 knows no AWS_ENDPOINT_URL, so this is the deployment that private
DNS and a private authority make: no program here is told of any endpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.clients import commands, images
from tests.clients.packages import program
from tests.clients.skopeo import Skopeo
from tests.wire.amazon import DOMAIN, certify, road_to
from tests.wire.server import REGION, RunningRegistry, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.{DOMAIN}"


@dataclass
class Amazon:
    """A deployment under AWS's names, and what leads a program to it."""

    registry: RunningRegistry
    settings: dict[str, str]


@pytest.fixture
def amazon(own_state: Path) -> Iterator[Amazon]:
    """Run a server that answers to AWS's names, and lead programs to it."""
    certificate = certify([HOST, f"api.ecr.{REGION}.{DOMAIN}", "localhost"], own_state)
    folder = own_state / "server"
    folder.mkdir()
    names = ("--account", ACCOUNT, "--domain", DOMAIN, "--registry-host", f"{{account}}.dkr.ecr.{{region}}.{DOMAIN}")
    with serve(folder, *names, certificate=certificate) as registry, road_to(registry.port, certificate) as road:
        settings = {name: value for name, value in registry.environment.items() if name != "AWS_ENDPOINT_URL"}
        yield Amazon(registry, settings | road | {"AWS_EC2_METADATA_DISABLED": "true"})


def test_the_stock_credential_helper_gets_a_password_that_the_registry_takes(amazon: Amazon, own_state: Path) -> None:
    environment = commands.isolated(own_state, **amazon.settings)

    said = commands.run([program("docker-credential-ecr-login"), "get"], environment, given=HOST)

    answer = json.loads(said)
    assert answer["Username"] == "AWS"
    assert amazon.registry.admits(answer["Secret"])


def test_an_image_is_pushed_and_pulled_under_the_name_that_it_has_at_aws(amazon: Amazon, own_state: Path) -> None:
    aws = commands.isolated(own_state, **amazon.settings)
    created = commands.run([program("aws"), "ecr", "create-repository", "--repository-name", "team/app"], aws)
    image = images.make(own_state / "image", images.Recipe("an image for aws"))
    name = f"docker://{HOST}/team/app:1"
    skopeo = Skopeo(own_state, **amazon.settings)
    skopeo.settings.write_text(json.dumps({"credHelpers": {HOST: "ecr-login"}}))

    skopeo.run("copy", "--quiet", image.reference, name)
    pulled = json.loads(skopeo.run("inspect", name))

    assert json.loads(created)["repository"]["repositoryUri"] == f"{HOST}/team/app"
    assert pulled["Digest"] == image.root.digest
