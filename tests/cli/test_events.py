"""`portside events tail`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.names import ImageId
from portside.registry.registry import Registry
from portside.registry.scan_rules import ScanningConfiguration
from tests.cli.kept import APP, KEPT, ROOT, kept, within
from tests.cli.program import COMMAND, environment, portside
from tests.registry.house import image_of

DIGEST = Digest.of(image_of(KEPT))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kept(tmp_path / "data")
    return tmp_path / "data"


def test_what_happened_is_a_line_for_a_person_or_for_a_program(data: Path) -> None:
    arguments = ("events", "tail", "--data", data, "--no-follow")
    done = portside(data.parent, *arguments)
    assert (done.code, done.err) == (0, "")
    time, _, line = done.out.partition("  ")
    assert (len(time), line) == (20, f"000000000000 us-east-1  PUSH      team/app:v1@{DIGEST}\n")
    event = json.loads(portside(data.parent, *arguments, "--json").out)
    assert (event["time"], event["detail"]["image-digest"]) == (time, str(DIGEST))
    assert portside(data.parent, *arguments, "--last", "0").out == ""


def test_each_repository_that_is_scanned_otherwise_is_a_line(data: Path) -> None:
    within(data, scanned)
    done = portside(data.parent, "events", "tail", "--data", data, "--no-follow", "--last", "1")
    assert (done.code, done.err) == (0, "")
    assert done.out.partition("  ")[2] == (
        "000000000000 us-east-1  SCAN      team/app: CONTINUOUS_SCAN, before MANUAL\n"
    )


async def scanned(registry: Registry) -> None:
    await registry.scanning.put(ROOT, APP.registry, ScanningConfiguration("ENHANCED"))


def test_it_follows_what_another_process_does(data: Path) -> None:
    command = [*COMMAND, "events", "tail", "--json", "--last", "0", "--data", str(data)]
    following = subprocess.Popen(
        command, env=environment(data.parent), cwd=data.parent, stdout=subprocess.PIPE, text=True
    )
    assert following.stdout is not None
    try:
        # Deleted and pushed again until the follower, which takes a moment to begin, has seen one of it.
        for turn in range(100):
            within(data, deleted if turn % 2 == 0 else pushed)
            if seen := read_line(following):
                break
        else:
            raise AssertionError
    finally:
        following.kill()
        following.communicate()
    assert json.loads(seen)["detail"]["repository-name"] == APP.name


def read_line(process: subprocess.Popen[str]) -> str:
    import select  # noqa: PLC0415 - only here

    ready, _, _ = select.select([process.stdout], [], [], 0.7)
    assert process.stdout is not None
    return process.stdout.readline() if ready else ""


async def deleted(registry: Registry) -> None:
    await registry.images.delete_many(ROOT, APP, [ImageId(digest=DIGEST)])


async def pushed(registry: Registry) -> None:
    await registry.images.put(ROOT, APP, image_of(KEPT), media_type=None, tags=[], digest=None)
