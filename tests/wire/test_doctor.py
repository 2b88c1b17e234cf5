"""`portside doctor` against a real registry: everything right, and one thing wrong at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import images
from tests.clients.images import Recipe
from tests.clients.tool import Tool
from tests.wire.people import Office
from tests.wire.server import RunningRegistry

TOPICS = ["AWS credentials", "repository", "image", "client", "network", "permissions"]


@pytest.fixture
def tool(own_state: Path, registry: RunningRegistry) -> Tool:
    return Tool(own_state, dict(registry.environment))


@pytest.fixture
def layout(own_state: Path) -> Path:
    return images.make(own_state / "layout", Recipe("doctor", layers=1)).folder


def test_all_is_well(tool: Tool, registry: RunningRegistry, layout: Path) -> None:
    name = registry.create("doctor/app")
    before = registry.ecr.list_images(repositoryName="doctor/app")["imageIds"]
    done = tool.run("doctor", f"{name}:1", "--source", layout, "--output", "json")
    assert done.code == 0, done.out + done.err
    assert done.document["ok"] is True
    checks = done.document["checks"]
    assert list(dict.fromkeys(one["topic"] for one in checks)) == TOPICS
    assert {one["state"] for one in checks} <= {"ok", "note"}
    assert "ecr:PutImage" in checks[-1]["found"]
    assert registry.ecr.list_images(repositoryName="doctor/app")["imageIds"] == before
    assert registry.environment["AWS_SECRET_ACCESS_KEY"] not in done.out


def failing(tool: Tool, *arguments: str | Path) -> tuple[int, dict[str, str]]:
    done = tool.run("doctor", *arguments, "--output", "json")
    failed = [one for one in done.document["checks"] if one["state"] == "failed"]
    assert failed, done.out
    assert failed[0]["advice"] or failed[0]["topic"] == "permissions"
    return done.code, failed[0]


def test_each_thing_that_is_wrong_has_its_code_and_advice(
    tool: Tool, registry: RunningRegistry, own_state: Path
) -> None:
    name = registry.create("doctor/wrong")
    good = dict(tool.variables)

    tool.variables = {**good, "AWS_ACCESS_KEY_ID": "AKIAQNOBODYNOBODYAAA"}
    code, found = failing(tool, name)
    assert (code, found["topic"]) == (3, "AWS credentials")

    tool.variables = good
    assert failing(tool, f"{registry.host}/doctor/nothing:1")[0] == 5
    assert failing(tool, f"{registry.host}/Doctor:1")[0] == 2
    assert failing(tool, name, "--source", "app:1")[0] == 6  # no engine listens
    assert failing(tool, name, "--source", own_state / "nothing.tar")[0] == 5

    (own_state / "docker").mkdir()
    (own_state / "docker/config.json").write_text("{")
    code, found = failing(tool, name)
    assert (code, found["topic"]) == (2, "client")
    assert "config.json" in found["found"]


def test_a_registry_that_is_not_there_fails_at_the_network(tool: Tool) -> None:
    code, found = failing(tool, "localhost:9/app:1")
    assert (code, found["topic"]) == (6, "network")


def test_who_may_not_push_is_told_what_is_missing(tool: Tool, registry: RunningRegistry) -> None:
    name = registry.create("doctor/denied")
    tool.variables |= Office(registry).user("doctor-reader", "AmazonEC2ContainerRegistryReadOnly").environment
    done = tool.run("doctor", name)
    assert done.code == 4, done.out
    assert "allow ecr:PutImage" in done.out
    assert "you may ecr:BatchCheckLayerAvailability, ecr:BatchGetImage" in done.out
