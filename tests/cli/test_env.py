"""`portside env`, evaluated by the shells that people have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portside.server.client_files import Endpoint, write_credentials, write_endpoint
from portside.server.prepared import AccessKeyPair
from tests.cli.program import environment, portside, refusal

KEY = AccessKeyPair("AKIAIOSFODNN7EXAMPLE", """a '$HOME' "quoted" `secret` \\ %40""")
EXPECTED = {
    "AWS_ACCESS_KEY_ID": KEY.id,
    "AWS_SECRET_ACCESS_KEY": KEY.secret,
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "https://localhost:4510",
    "AWS_CA_BUNDLE": "/srv/it's here/ca.crt",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "da ta"
    folder.mkdir()
    write_credentials(folder, KEY)
    write_endpoint(folder, Endpoint(EXPECTED["AWS_ENDPOINT_URL"], "eu-west-1", EXPECTED["AWS_CA_BUNDLE"]))
    return folder


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_that_evaluates_it_has_the_variables(tmp_path: Path, data: Path, shell: str) -> None:
    script = f'eval "$({sys.executable} -m portside env --data "$1")"; exec {sys.executable} -c "$2"'
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [shell, "-c", script, shell, data, dump], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert {name: value for name, value in found.items() if name.startswith("AWS_")} == EXPECTED


def test_json_is_the_same(tmp_path: Path, data: Path) -> None:
    assert json.loads(portside(tmp_path, "env", "--data", data, "--format", "json").out) == EXPECTED


def test_dotenv_is_for_docker(tmp_path: Path, data: Path) -> None:
    out = portside(tmp_path, "env", "--data", data, "--format", "dotenv").out
    assert dict(line.split("=", 1) for line in out.splitlines()) == EXPECTED


def test_fish_quotes_in_its_own_way(tmp_path: Path, data: Path) -> None:
    out = portside(tmp_path, "env", "--data", data, "--format", "fish").out
    assert "set -gx AWS_CA_BUNDLE '/srv/it\\'s here/ca.crt'\n" in out


def test_without_an_authority_of_ours_there_is_no_bundle(tmp_path: Path, data: Path) -> None:
    write_endpoint(data, Endpoint("http://localhost:4510", "eu-west-1", None))
    assert "AWS_CA_BUNDLE" not in portside(tmp_path, "env", "--data", data).out


def test_the_environment_names_the_folder(tmp_path: Path, data: Path) -> None:
    assert KEY.id in portside(tmp_path, "env", PORTSIDE_DATA=os.fspath(data)).out


def test_a_folder_without_a_registry_is_one_line(tmp_path: Path) -> None:
    assert "portside serve --data" in refusal(portside(tmp_path, "env", "--data", tmp_path / "none"))
