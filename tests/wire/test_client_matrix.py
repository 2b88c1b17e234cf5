"""Every client pushes and pulls every kind of image, and gets back what it gave.

Each row of `JOURNEYS` is one client with one image.  What a client cannot do
is a row of `BEYOND`, with the reason and with the test of what it does instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.clients import images
from tests.clients.images import DOCKER, Layout, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.client import Client
    from tests.clients.docker import Docker
    from tests.clients.skopeo import Skopeo
    from tests.wire.server import RunningRegistry

PLATFORMS = ("amd64", "arm64")
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("an OCI image"),
        Recipe("a Docker schema 2 image", form=DOCKER),
        Recipe("a 100-layer image", form=DOCKER, layers=100, layer_size=1024),
        Recipe("a 500 MB layer", form=DOCKER, layers=1, layer_size=500_000_000),
        Recipe("an OCI index of two platforms", platforms=PLATFORMS),
        Recipe("a Docker manifest list of two platforms", form=DOCKER, platforms=PLATFORMS),
    )
}
CLIENTS = ("docker", "podman", "skopeo", "buildah", "containerd")
BEYOND = {
    ("docker", "an OCI image"): "engine 20.10 pushes Docker media types only",
    ("docker", "an OCI index of two platforms"): "engine 20.10 pushes Docker media types only",
}
JOURNEYS = [(client, image) for client in CLIENTS for image in RECIPES if (client, image) not in BEYOND]


@dataclass
class Stage:
    """The shared server, the images made so far, and names that belong to one test."""

    registry: RunningRegistry
    image: Callable[[str], Layout]
    prefix: str

    def name(self, *more: str) -> str:
        """Return a tag in a repository that no other test uses, so that no layer is there already."""
        return f"{self.registry.create('/'.join(['matrix', self.prefix, *more]))}:1"

    def configs(self, name: str) -> list[str]:
        """Return the configs of the stored image, or of every image in the stored index."""
        document = self.registry.stored(name).document
        if "manifests" not in document:
            return [document["config"]["digest"]]
        repository = name.partition("@")[0].removesuffix(":1")
        children = [child["digest"] for child in document["manifests"]]
        return [config for child in children for config in self.configs(f"{repository}@{child}")]


@pytest.fixture(scope="session")
def image_of(state: Path) -> Callable[[str], Layout]:
    """Return a function that makes a test image the first time it is asked for."""

    @cache
    def make(name: str) -> Layout:
        return images.make(state / "images" / _slug(name), RECIPES[name])

    return make


@pytest.fixture
def stage(registry: RunningRegistry, image_of: Callable[[str], Layout], request: pytest.FixtureRequest) -> Stage:
    """Return the stage for one case."""
    return Stage(registry, image_of, _slug(request.node.callspec.id))


@pytest.mark.parametrize(
    ("client", "image"), JOURNEYS, indirect=["client"], ids=[f"{client} and {image}" for client, image in JOURNEYS]
)
def test_a_client_pulls_back_the_image_that_it_pushed(client: Client, image: str, stage: Stage) -> None:
    source, name = stage.image(image), stage.name()
    expected = client.take(source, name)

    pushed = client.push(name)
    client.remove(name)
    client.pull(name)

    assert client.identity(name) == expected
    stored = stage.registry.stored(name)
    assert stored.digest == pushed
    assert stored.media_type == source.root.media_type
    assert stage.configs(name) == [source.manifest(each)["config"]["digest"] for each in source.images]
    client.remove(name)


@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_an_image_also_arrives_in_a_second_repository_whether_or_not_layers_are_mounted(
    client: Client, stage: Stage
) -> None:
    source = stage.image("a Docker schema 2 image")
    first, second = stage.name("first"), stage.name("second")

    for name in (first, second):
        client.take(source, name)
        client.push(name)

    assert stage.registry.stored(first).digest == stage.registry.stored(second).digest
    client.remove(first)
    client.remove(second)
    client.pull(second)
    client.remove(second)


@pytest.mark.parametrize("image", [image for client, image in BEYOND if client == "docker"])
def test_an_image_that_docker_cannot_push_is_pulled_after_skopeo_pushed_it(
    image: str, docker: Docker, skopeo: Skopeo, stage: Stage
) -> None:
    source, name = stage.image(image), stage.name()
    for client in (docker, skopeo):
        client.login(stage.registry.host, stage.registry.password)
    skopeo.take(source, name)

    pushed = skopeo.push(name)

    assert pushed == source.root.digest
    assert docker.pull(name) == pushed
    assert docker.identity(name) == source.image_id
    docker.remove(name)


def _slug(sentence: str) -> str:
    return sentence.lower().replace(" ", "-")
