"""`portside kms`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portside.core.records import RepositorySettings
from portside.registry.registry import Registry
from portside.storage.errors import KeyDisabled
from tests.cli.kept import APP, KEPT, ROOT, kept, push, read, within
from tests.cli.program import portside, refusal

OWN = "000000000000"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    kept(tmp_path / "data")
    return tmp_path / "data"


def invoke(data: Path, *arguments: str) -> Any:
    done = portside(data.parent, "kms", *arguments, "--data", data, "--output", "json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def refused(data: Path, *arguments: str) -> str:
    return refusal(portside(data.parent, "kms", *arguments, "--data", data))


def test_keys_are_made_listed_disabled_and_enabled(data: Path) -> None:
    made = invoke(data, "create-key", "--alias", "team")
    assert made["arn"] == f"arn:aws:kms:us-east-1:{OWN}:key/{made['id']}"
    served = ("--region", "us-east-1", "--region", "eu-west-1")
    other = invoke(data, "create-key", "--in", "eu-west-1", "--of", OWN, *served)
    assert (other["region"], other["alias"]) == ("eu-west-1", None)
    assert invoke(data, "list") == [other, made]
    assert invoke(data, "disable", "team") == {**made, "enabled": False}
    assert invoke(data, "list") == [other, {**made, "enabled": False}]
    assert invoke(data, "enable", made["id"]) == made


def test_keys_are_shown_to_people_on_a_line_each(data: Path) -> None:
    made = invoke(data, "create-key", "--alias", "team")
    line = f"{made['arn']}  enabled  alias/team\n"
    assert portside(data.parent, "kms", "list", "--data", data).out == line
    done = portside(data.parent, "kms", "disable", made["arn"], "--data", data)
    assert done.out == line.replace("enabled", "disabled")
    assert portside(data.parent, "kms", "enable", "alias/team", "--data", data).out == line


def test_what_cannot_be_done_is_said_in_a_line(data: Path) -> None:
    invoke(data, "create-key", "--alias", "team")
    assert "has a key alias/team in us-east-1" in refused(data, "create-key", "--alias", "team")
    assert "is not an alias" in refused(data, "create-key", "--alias", "aws/mine")
    assert "twelve digits" in refused(data, "create-key", "--of", "12")
    assert "There is no account 210987654321" in refused(data, "create-key", "--of", "210987654321")
    assert "is not a region" in refused(data, "create-key", "--in", "Mars 7")
    line = refused(data, "create-key", "--in", "eu-west-1", "--region", "us-east-1", "--region", "eu-north-1")
    assert "'eu-west-1' is not among the regions that are served: us-east-1, eu-north-1." in line
    assert "There is no KMS key alias/none in us-east-1." in refused(data, "disable", "none")
    assert "There is no KMS key alias/team in eu-west-1." in refused(data, "disable", "alias/team", "--in", "eu-west-1")


def test_the_first_region_is_the_default(data: Path) -> None:
    made = invoke(data, "create-key", "--alias", "team", "--region", "eu-west-1", "--region", "us-east-1")
    assert made["region"] == "eu-west-1"
    assert not invoke(data, "disable", "alias/team", "--region", "eu-west-1")["enabled"]


def test_a_disabled_key_locks_what_lies_under_it_up_and_is_no_damage(data: Path) -> None:
    key = invoke(data, "create-key", "--alias", "team")

    async def moved(registry: Registry) -> None:
        await registry.repositories.delete(ROOT, APP, force=True)
        await registry.repositories.create(
            ROOT, APP, RepositorySettings(encryption_type="KMS_DSSE", kms_key="alias/team")
        )
        await push(registry, KEPT)

    within(data, moved)
    assert read(data, KEPT) == KEPT
    invoke(data, "disable", "alias/team")
    with pytest.raises(KeyDisabled):
        read(data, KEPT)
    done = portside(data.parent, "verify", "--data", data)
    assert done.code == 0
    assert "unreadable: blob " in done.out
    assert f": {key['arn']} is disabled.\n" in done.out
    assert done.out.endswith(": all right; 1 under disabled KMS keys were not read.\n")
    report = json.loads(portside(data.parent, "verify", "--data", data, "--output", "json").out)
    assert (report["damaged"], report["missing"], report["unreadable"]) == (0, 0, 1)
    invoke(data, "enable", "alias/team")
    assert read(data, KEPT) == KEPT
    assert portside(data.parent, "verify", "--data", data).out.endswith(": all right.\n")
