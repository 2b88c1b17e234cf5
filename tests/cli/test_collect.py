"""`portside collect`."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import asyncpg
import pytest

from tests.cli.kept import KEPT, UNNEEDED, age, files, kept, read
from tests.cli.program import portside, refusal
from tests.cli.test_serve import served


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kept(tmp_path / "data")
    return tmp_path / "data"


def collected(data: Path, *arguments: str) -> dict[str, int]:
    done = portside(data.parent, "collect", "--data", data, "--output", "json", *arguments)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_what_nothing_refers_to_goes_in_two_steps_and_the_rest_stays(data: Path) -> None:
    nothing = {"dry_run": False, "uploads": 0, "layers": 0, "blobs": 0, "files": 0, "bytes": 0, "left": 0}
    assert collected(data) == nothing
    age(data)
    assert collected(data, "--dry-run") == nothing | {"dry_run": True, "layers": 1}
    assert collected(data) == nothing | {"layers": 1}
    age(data)
    assert collected(data, "--dry-run") == nothing | {"dry_run": True, "blobs": 1, "bytes": len(UNNEEDED)}
    assert len(files(data)) == 2
    done = portside(data.parent, "collect", "--data", data)
    assert (done.code, done.out) == (
        0,
        "Removed 0 uploads, 0 layers, 1 blobs and 0 files that nothing names: 97.7 KiB.\n",
    )
    assert len(files(data)) == 1
    assert read(data, KEPT) == KEPT


def test_a_file_that_nothing_names_goes_when_it_is_old(data: Path) -> None:
    path = files(data)[0]
    stray = path.with_name(path.name[:2] + "0" * 30)
    stray.write_bytes(b"left by a crash")
    assert collected(data)["files"] == 0
    os.utime(stray, (1, 1))
    done = portside(data.parent, "collect", "--data", data, "--dry-run")
    assert done.out == "Would remove 0 uploads, 0 layers, 0 blobs and 1 files that nothing names: 15 bytes.\n"
    assert collected(data)["files"] == 1
    assert not stray.exists()


def test_it_runs_beside_a_server(data: Path) -> None:
    age(data)
    with served(data):
        assert collected(data)["layers"] == 1


@pytest.mark.parametrize("command", ["collect", "verify"])
def test_a_folder_without_a_registry_is_refused_and_left_alone(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "empty"
    for _ in range(2):
        line = refusal(portside(tmp_path, command, "--data", folder))
        assert line == f"portside: data: {folder} holds no registry; `portside serve` makes one."
        folder.mkdir(exist_ok=True)
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize("command", ["collect", "verify"])
def test_a_database_of_an_older_schema_is_refused(tmp_path: Path, command: str) -> None:
    (tmp_path / "portside.db").write_bytes(b"")
    assert "portside migrate" in refusal(portside(tmp_path, command, "--data", tmp_path))


@pytest.mark.parametrize("command", ["collect", "verify"])
def test_a_database_that_does_not_answer_is_refused(data: Path, command: str) -> None:
    arguments = (command, "--data", data, "--database", "postgresql://127.0.0.1:1/d")
    assert "database" in refusal(portside(data.parent, *arguments))


@pytest.mark.parametrize("command", ["collect", "verify"])
def test_a_missing_master_key_is_refused(data: Path, command: str) -> None:
    (data / "master.key").unlink()
    assert "master key" in refusal(portside(data.parent, command, "--data", data))


def test_a_grace_time_that_is_too_short_is_refused(data: Path) -> None:
    assert "collect.grace" in refusal(portside(data.parent, "collect", "--data", data, "--collect-grace", "59"))


def test_a_server_sweeps_by_itself_and_says_what_it_freed(data: Path) -> None:
    age(data)
    with served(data, "--collect-interval", "3600", "--log-format", "json") as daemon:
        deadline = time.monotonic() + 30
        while "garbage collected" not in daemon.log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        [line] = [json.loads(line) for line in daemon.log.read_text().splitlines() if '"garbage collected"' in line]
    assert (line["level"], line["layers"], line["blobs"]) == ("info", 1, 0)


def test_a_registry_on_postgresql_is_looked_after_alike(tmp_path: Path, own_postgres: str) -> None:
    data = tmp_path / "data"
    kept(data, own_postgres)
    asyncio.run(age_on_postgresql(own_postgres))
    assert collected(data, "--database", own_postgres)["layers"] == 1
    asyncio.run(age_on_postgresql(own_postgres))
    assert collected(data, "--database", own_postgres)["blobs"] == 1
    assert len(files(data)) == 1
    done = portside(tmp_path, "verify", "--data", data, "--database", own_postgres)
    assert (done.code, done.out.endswith(": all right.\n")) == (0, True)
    files(data)[0].unlink()
    assert portside(tmp_path, "verify", "--data", data, "--database", own_postgres).code == 1


async def age_on_postgresql(url: str) -> None:
    connection = await asyncpg.connect(url)
    for table in ("layers", "blobs"):
        await connection.execute(f"UPDATE {table} SET touched_at = 1")
    await connection.close()
