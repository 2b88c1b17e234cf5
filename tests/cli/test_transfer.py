"""The push tool's way out: exit codes, one line or one object, whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients import images
from tests.clients.images import Recipe
from tests.clients.tool import Tool

AWAY = "localhost:9/app:1"


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path, {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"})


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return images.make(tmp_path / "layout", Recipe("way-out", layers=1)).folder


WRONG = {
    "no arguments": (("push",), "SOURCE"),
    "an option that there is not": (("push", "x", AWAY, "--loud"), "--loud"),
    "a format that there is not": (("push", "x", AWAY, "--format", "v1"), "v1"),
    "a level without compression": (("push", "x", AWAY, "--level", "1"), "--compress"),
    "a repository's settings without --create": (("push", "x", AWAY, "--immutable"), "--create"),
    "a password without a name": (("login", "r.example", "--password-stdin"), "--username"),
    "no jobs": (("push", "x", AWAY, "--jobs", "0"), "jobs"),
    "nowhere to pull to": (("pull", AWAY), "--to"),
}


@pytest.mark.parametrize(("arguments", "word"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_is_a_line_or_an_object(arguments: tuple[str, ...], word: str, tool: Tool) -> None:
    done = tool.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert word in done.err
    assert "--help" in done.err
    assert len(done.err.splitlines()) == 1
    as_object = tool.run(*arguments, "--output", "json")
    assert (as_object.code, as_object.err) == (2, "")
    assert as_object.document["error"]["kind"] == "usage"
    assert word in as_object.document["error"]["message"]


def test_a_level_that_there_is_not_is_usage(tool: Tool, layout: Path) -> None:
    done = tool.run("push", layout, AWAY, "--compress", "gzip", "--level", "9")
    assert done.code == 2
    assert "choose one of 0 to 3" in done.err


def test_a_profile_that_there_is_not_is_usage(tool: Tool, layout: Path) -> None:
    done = tool.run("push", layout, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1", "--profile", "nobody", "-q")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "There is no AWS profile 'nobody'" in done.err


def test_no_credentials_are_said_before_anything_is_asked(tool: Tool, layout: Path) -> None:
    done = tool.run("push", layout, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1", "-q")
    assert done.code == 3
    assert "There are no AWS credentials" in done.err


def test_a_broken_docker_configuration_is_usage(tool: Tool, layout: Path) -> None:
    (tool.folder / "docker").mkdir()
    (tool.folder / "docker/config.json").write_text("{")
    done = tool.run("push", layout, "r.example/app:1", "-q", "--output", "json")
    assert done.code == 2
    assert "config.json is not the JSON that Docker writes" in done.document["error"]["message"]


def test_a_name_without_a_place_says_what_to_write(tool: Tool) -> None:
    done = tool.run("push", "app:1", "-q")
    assert done.code == 2
    assert "HOST/REPOSITORY:TAG" in done.err


def test_a_cache_that_cannot_be_written_is_done_without(tool: Tool, layout: Path) -> None:
    (tool.folder / "cache").write_text("in the way")
    done = tool.run("push", layout, AWAY, "-q")
    assert done.code == 6
    assert "refused the connection" in done.err


def test_nothing_is_written_where_nothing_may_be(tool: Tool) -> None:
    done = tool.run("login", "localhost:9", "--username", "a", "--password-stdin", given=b"secret")
    assert done.code == 6
    assert not (tool.folder / "docker").exists()
    assert "secret" not in done.err


def test_the_credential_helper_answers_its_protocol(tool: Tool) -> None:
    tool.variables["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE"
    tool.variables["AWS_SECRET_ACCESS_KEY"] = "secret"
    helper = "import sys; from portside.cli.credential_helper import run; sys.exit(run(sys.argv[1:]))"

    def asked(word: str, given: bytes = b"") -> tuple[int, str]:
        done = Helper(tool.folder, tool.variables).run("-c", helper, word, given=given)
        assert done.err == ""
        return done.code, done.out

    assert asked("get", b"localhost:9\n") == (1, "credentials not found in native keychain\n")
    assert asked("get", b"https://other.example.invalid/v2/")[0] == 1
    assert asked("store", b'{"ServerURL":"x"}')[0] == 1
    assert asked("erase", b"localhost:9") == (0, "")
    assert json.loads(asked("list")[1]) == {}
    assert asked("rubbish")[0] == 1


class Helper(Tool):
    """Python in place of the command."""

    def command(self, *arguments: str | Path) -> list[str]:
        return [super().command()[0], *map(str, arguments)]
