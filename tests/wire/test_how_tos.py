"""The how-to pages do what they say: their commands are taken from the page and run, in order."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.clients import commands, images
from tests.clients.aws import CommandLine
from tests.clients.images import Recipe
from tests.registry.house import image_of
from tests.wire.pushing import push_image, put
from tests.wire.server import RunningRegistry, serve
from tests.wire.test_iam import portside

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
RECIPES = {
    "push-from-a-shell": "deploy team/app@sha256:",
    "push-from-gitlab": "/group/project:0a1b2c3d@sha256:",
    "push-from-any-ci": "/team/ci@sha256:",
}
SAID = {
    "give-people-access": "ALLOWED: ecr:PutImage",
    "share-a-repository": '"policyText"',
    "encrypt-with-a-key": "enabled  alias/payments",
    "web-identity": "token.actions.githubusercontent.com",
}


def test_the_commands_about_archiving_work_as_written(own_state: Path, own_registry: RunningRegistry) -> None:
    own_registry.create("team/old")
    push_image(own_registry.ecr, "team/old", "v1")
    blocks = re.findall(r"<!-- run: \w+ -->\n```\n(.*?)```", (PAGES / "archive-images.md").read_text(), re.DOTALL)
    line = CommandLine(1, own_state, own_registry.environment)
    environment = {**line.environment, "PATH": f"{line.folder}:{commands.PATH}"}
    said = [commands.run(["/bin/bash", "-e", "-o", "pipefail", "-c", block], environment) for block in blocks]
    assert '"imageStatus": "ARCHIVED"' in said[0]
    assert "lastArchivedAt" in said[0]
    assert said[1].strip().endswith('"ACTIVE"')  # nothing was moved away from this server


def test_the_commands_about_expiry_work_as_written(own_state: Path) -> None:
    """On a server that applies no policy of itself, since its first look may come before the page's last command."""
    folder = own_state / "registry"
    folder.mkdir()
    with serve(folder, "--lifecycle-interval", "0") as registry:
        registry.create("team/app")
        push_image(registry.ecr, "team/app", "build-0")
        for number in range(1, 101):
            put(registry.ecr, "team/app", image_of(b"{}", annotations={"n": str(number)}), f"build-{number}")
        blocks = re.findall(r"<!-- run: \w+ -->\n```\n(.*?)```", (PAGES / "expire-images.md").read_text(), re.DOTALL)
        line = CommandLine(1, own_state, registry.environment)
        environment = {**line.environment, "PATH": f"{line.folder}:{commands.PATH}"}
        script = "\n".join(blocks).replace(".venv/bin/portside", " ".join(portside()))
        script = f"cd {own_state}\n{script}".replace("--data .portside", f"--data {registry.data}")
        said = commands.run(["/bin/bash", "-e", "-o", "pipefail", "-c", script], environment)
    assert "Would expire 1 and archive 0 of 101 images." in said
    assert "Expired 1 and archived 0 of 101 images." in said
    assert "DELETE    team/app:build-0@" in said


@pytest.mark.parametrize("page", SAID)
def test_the_commands_of_a_page_work_as_written(page: str, own_registry: RunningRegistry, own_state: Path) -> None:
    text = (PAGES / f"{page}.md").read_text()
    blocks = re.findall(r"<!-- run: \w+ -->\n```\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("<!-- run:") > 0
    line = CommandLine(1, own_state, own_registry.environment)
    script = "\n".join(blocks)
    script = script.replace(".venv/bin/portside", " ".join(portside())).replace(
        "--data .portside", f"--data {own_registry.data}"
    )
    environment = {**line.environment, "PATH": f"{line.folder}:{commands.PATH}"}
    said = commands.run(["/bin/bash", "-e", "-o", "pipefail", "-c", f"cd {own_state}\n{script}"], environment)
    assert SAID[page] in said


@pytest.mark.parametrize("page", RECIPES)
def test_the_recipe_of_a_page_pushes_as_written(page: str, own_registry: RunningRegistry, own_state: Path) -> None:
    """With `portside` on PATH, as `pip install` puts it there, and an archive where the page says that there is one."""
    text = (PAGES / f"{page}.md").read_text()
    blocks = re.findall(r"<!-- run: \w+ -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("<!-- run:") > 0
    script = "\n".join(_script(block) if page == "push-from-gitlab" else block for block in blocks)
    script = script.replace("http://localhost:4510", own_registry.url)
    layout = images.make(own_state / "made", Recipe("recipe", layers=1))
    with (own_state / "app.tar").open("wb") as file:
        images.write_docker_archive(layout, layout.root, "app:1", file)
    environment = {
        **commands.isolated(own_state),
        **own_registry.environment,
        "CI": "true",
        "CI_PROJECT_PATH": "group/project",
        "CI_COMMIT_SHORT_SHA": "0a1b2c3d",
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
        "IMAGE": "app.tar",
        "PLACE": "team/ci:1",
        "PATH": f"{Path(sys.executable).parent}:{commands.PATH}",
    }
    said = commands.run(["/bin/bash", "-e", "-o", "pipefail", "-c", f"cd {own_state}\n{script}"], environment)
    assert RECIPES[page] in said


def _script(job: str) -> str:
    """The lines of a GitLab job's `script`, as its runner hands them to a shell."""
    _, _, listed = job.partition("  script:\n")
    lines = re.sub(r"^    - \|\n", "", listed, flags=re.MULTILINE)
    return re.sub(r"^    (?:- |  )", "", lines, flags=re.MULTILINE)
