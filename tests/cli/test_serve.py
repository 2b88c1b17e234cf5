"""`portside serve`, as an operator starts it: what it refuses, and what a first and a second start leave."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from portside.server.client_files import read_credentials
from tests.cli.program import COMMAND, Done, environment, portside, refusal
from tests.clients.commands import Daemon
from tests.wire.server import free_port

PRESET = {
    "PORTSIDE_ROOT_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "PORTSIDE_ROOT_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def served(data: Path, *options: str, **variables: str) -> Generator[Daemon]:
    """A server that was ready; it ends with 0."""
    port = free_port()
    command = [*COMMAND, "serve", "--data", data, "--port", str(port), *options]
    daemon = Daemon(command, environment(data.parent, **variables), data.parent / "portside.log")

    def is_ready() -> bool:
        try:
            with urlopen(f"http://localhost:{port}/readyz", timeout=5):
                return True
        except OSError:
            return False

    try:
        daemon.ready(is_ready)
        yield daemon
    finally:
        code = daemon.stop()
    assert code == 0, daemon.log.read_text()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--port", "70000"], "70000"),
        (["--account", "12"], "'12'"),
        (["--region", "Mars!"], "'Mars!'"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
        (["--tls-cert", "c.pem"], "tls_key"),
        (["--tls-cert", "c.pem", "--tls-key", "k.pem"], "c.pem cannot be read"),
        (["--database", "mysql://h/d"], "PostgreSQL"),
        (["--master-key-file", "none"], "none"),
        (["--config", "none.toml"], "none.toml"),
        (["--data", "/proc/none"], "/proc/none"),
        (["--database", "postgresql://u:passw0rd@127.0.0.1:1/d"], "database"),
    ],
)
def test_what_cannot_start_is_one_line_and_nothing_is_made(data: Path, options: list[str], word: str) -> None:
    line = refusal(portside(data.parent, "serve", "--port", str(free_port()), "--data", data, *options))
    assert word in line
    assert "passw0rd" not in line
    assert list(data.parent.iterdir()) == []


def test_a_port_in_use_is_one_line_and_nothing_is_made(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        line = refusal(portside(data.parent, "serve", "--data", data, "--port", port))
    assert f"{port} on 127.0.0.1 is in use" in line
    assert not data.exists()


def test_a_folder_that_cannot_be_written_is_one_line(data: Path) -> None:
    data.mkdir(mode=0o500)
    # Root may write everywhere, unless it lacks the capability to.
    bounds = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    command = [*bounds, *COMMAND, "serve", "--data", data, "--port", str(free_port())]
    found = subprocess.run(
        command, env=environment(data.parent), capture_output=True, text=True, timeout=60, check=False
    )
    line = refusal(Done(found.returncode, found.stdout, found.stderr))
    assert line == f"portside: data: the folder {data} cannot be written by this user; choose another with --data."


def test_data_of_a_newer_version_is_one_line_and_stays_as_it_is(data: Path) -> None:
    with served(data):
        pass
    with sqlite3.connect(data / "portside.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    before = sorted(path.name for path in data.iterdir())
    assert "newer version" in refusal(portside(data.parent, "serve", "--data", data, "--port", str(free_port())))
    assert "newer version" in refusal(portside(data.parent, "migrate", "--data", data))
    assert sorted(path.name for path in data.iterdir()) == before


def test_the_first_start_makes_credentials_and_the_second_keeps_them(data: Path) -> None:
    with served(data) as daemon:
        assert "Made account 000000000000" in daemon.log.read_text()
    first = read_credentials(data)
    assert (data / "credentials").stat().st_mode & 0o777 == 0o600
    with served(data) as daemon:
        assert "Made" not in daemon.log.read_text()
    assert read_credentials(data) == first
    (data / "credentials").unlink()
    with served(data):
        assert read_credentials(data) == first


def test_the_root_key_can_be_given(data: Path) -> None:
    with served(data, **PRESET):
        pass
    assert read_credentials(data).id == PRESET["PORTSIDE_ROOT_ACCESS_KEY_ID"]
    assert read_credentials(data).secret == PRESET["PORTSIDE_ROOT_SECRET_ACCESS_KEY"]


def test_a_master_key_that_is_given_is_not_written(data: Path) -> None:
    key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    with served(data, PORTSIDE_MASTER_KEY=key):
        pass
    assert not (data / "master.key").exists()
    assert key not in "".join(path.read_text(errors="replace") for path in data.iterdir() if path.is_file())


def test_logs_are_json_lines_on_standard_error_without_secrets(data: Path) -> None:
    with served(data, **PRESET) as daemon:
        pass
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} >= {"ready", "draining"}
    assert PRESET["PORTSIDE_ROOT_SECRET_ACCESS_KEY"] not in daemon.log.read_text()


def test_migrate_brings_a_folder_up_to_date(data: Path) -> None:
    assert "portside serve" in refusal(portside(data.parent, "migrate", "--data", data))
    data.mkdir()
    for _ in range(2):
        code, out, _ = portside(data.parent, "migrate", "--data", data)
        assert (code, out) == (0, "The database is at schema 0002.\n")
    assert [path.name for path in data.iterdir()] == ["portside.db"]


def test_migrate_refuses_a_database_that_does_not_answer(tmp_path: Path) -> None:
    assert "database" in refusal(portside(tmp_path, "migrate", "--database", "postgresql://127.0.0.1:1/d"))
