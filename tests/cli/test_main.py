"""The command tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from portside import __version__
from tests.cli.program import environment, portside, refusal

COMMANDS = ("serve", "env", "migrate", "collect", "verify", "completion")


def test_the_version_is_one_line(tmp_path: Path) -> None:
    assert portside(tmp_path, "--version") == (0, f"portside {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_says_what_it_is_and_lists_the_commands(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, _ = portside(tmp_path, *arguments)
    assert code == 0
    assert "Amazon ECR that anyone can run." in out
    assert all(f"  {command} " in out for command in COMMANDS)
    assert "reference" not in out.split("Commands:")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    code, out, _ = portside(tmp_path, command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: portside {command} ")
    assert len(out.splitlines()[2].strip()) > 20


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["srve"], "serve"),
        (["serve", "--prot", "1"], "--port"),
        (["serve", "--port", "many"], "'many'"),
        (["serve", "--tls", "maybe"], "'auto'"),
        (["serve", "--port"], "--port"),
        (["serve", "surplus"], "surplus"),
        (["env", "--format", "xml"], "'xml'"),
        (["completion", "tcsh"], "'tcsh'"),
        (["--loud"], "--loud"),
    ],
)
def test_a_wrong_command_line_is_one_line(tmp_path: Path, arguments: list[str], word: str) -> None:
    line = refusal(portside(tmp_path, *arguments))
    assert word in line
    assert "--help" in line


def test_help_loads_nothing_that_takes_long(tmp_path: Path) -> None:
    program = (
        "import sys; from portside.cli.main import run; run(['--help']);"
        "print(*(name for name in ('uvicorn', 'sqlalchemy', 'structlog', 'cryptography', 'msgspec', 'starlette', "
        "'asyncio', 'ssl') if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stderr == "\n"


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", None), ("fish", None)], ids=["bash", "zsh", "fish"]
)
def test_the_completion_script_is_printed(tmp_path: Path, shell: str, check: list[str] | None) -> None:
    code, out, err = portside(tmp_path, "completion", shell)
    assert (code, err) == (0, "")
    assert "_PORTSIDE_COMPLETE" in out
    if check:
        subprocess.run(check, input=out, text=True, check=True)


def test_the_shell_is_told_what_can_follow(tmp_path: Path) -> None:
    variables = {"_PORTSIDE_COMPLETE": "bash_complete", "COMP_WORDS": "portside serve --tls-", "COMP_CWORD": "2"}
    _, out, _ = portside(tmp_path, **variables)
    assert [line.split(",")[1] for line in out.splitlines()] == ["--tls-cert", "--tls-key"]
