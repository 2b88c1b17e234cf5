"""The how-to pages do what they say: their commands are taken from the page and run, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients import commands
from tests.clients.aws import CommandLine
from tests.wire.server import RunningRegistry
from tests.wire.test_iam import portside

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
SAID = {
    "give-people-access": "ALLOWED: ecr:PutImage",
    "share-a-repository": '"policyText"',
    "web-identity": "token.actions.githubusercontent.com",
}


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
