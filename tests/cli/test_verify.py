"""`portside verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.registry.registry import Registry
from tests.cli.kept import KEPT, files, kept, push, read, within
from tests.cli.program import portside, refusal


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kept(tmp_path / "data")
    return tmp_path / "data"


def report(data: Path, code: int) -> dict[str, Any]:
    done = portside(data.parent, "verify", "--data", data, "--output", "json")
    assert (done.code, done.err) == (code, "")
    return json.loads(done.out)


def kept_file(data: Path) -> Path:
    return max(files(data), key=lambda path: path.stat().st_size)


def test_a_registry_without_damage_is_all_right(data: Path) -> None:
    done = portside(data.parent, "verify", "--data", data)
    assert done.code == 0
    assert done.out.startswith("Read 2 blobs and 1 manifests, ")
    assert done.out.endswith(" KiB: all right.\n")
    assert report(data, 0)["findings"] == []


def test_damage_is_reported_and_a_push_heals_it(data: Path) -> None:
    path = kept_file(data)
    content = bytearray(path.read_bytes())
    content[70_000] ^= 1
    path.write_bytes(content)
    done = portside(data.parent, "verify", "--data", data)
    assert done.code == 1
    assert done.out.splitlines()[0].startswith(f"damaged: blob {Digest.of(KEPT)}: Segment 1 at ")
    assert done.out.endswith(": 1 damaged, 0 missing.\n")
    assert (report(data, 1)["damaged"], report(data, 1)["findings"][0]["digest"]) == (1, str(Digest.of(KEPT)))

    async def pushed(registry: Registry) -> None:
        await push(registry, KEPT)

    within(data, pushed)
    assert report(data, 0)["blobs"] == 2
    assert read(data, KEPT) == KEPT


def test_a_missing_file_is_reported(data: Path) -> None:
    kept_file(data).unlink()
    found = report(data, 1)
    assert (found["damaged"], found["missing"], found["findings"][0]["state"]) == (0, 1, "missing")


def test_a_sample_reads_some(data: Path) -> None:
    done = portside(data.parent, "verify", "--data", data, "--sample", "0.000001")
    assert (done.code, done.out) == (0, "Read 0 blobs and 0 manifests, 0 bytes: all right.\n")


@pytest.mark.parametrize("share", ["0", "101", "some"])
def test_a_sample_is_a_percentage(data: Path, share: str) -> None:
    assert "--sample" in refusal(portside(data.parent, "verify", "--data", data, "--sample", share))
