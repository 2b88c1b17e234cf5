"""`portside lifecycle`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.core.names import RegistryId
from portside.core.records import RepositorySettings
from portside.registry.registry import Registry
from portside.server import client_files
from tests.cli.kept import APP, KEPT, ROOT, kept, push, within
from tests.cli.program import portside, refusal
from tests.cli.test_serve import served
from tests.registry.house import image_of
from tests.registry.lifecycle.rules import EXPIRE_UNTAGGED, KEEP_ONE, policy

OLD, NEW = image_of(b"1"), image_of(KEPT)
DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A registry with an image v1, an older one without a tag, and a policy that keeps one."""
    kept(tmp_path / "data")
    within(tmp_path / "data", furnished)
    connection = sqlite3.connect(tmp_path / "data" / "portside.db")
    with connection:
        old = "UPDATE manifests SET pushed_at = pushed_at - ? WHERE digest = ?"
        connection.execute(old, (2 * DAY, str(Digest.of(OLD))))
    connection.close()
    return tmp_path / "data"


async def furnished(registry: Registry) -> None:
    await push(registry, b"1")
    await registry.images.put(ROOT, APP, OLD, media_type=None, tags=[], digest=None)
    await registry.lifecycle_policies.put(ROOT, APP, policy(KEEP_ONE))


def shown(data: Path, command: str, *arguments: str | Path) -> dict[str, Any]:
    done = portside(data.parent, "lifecycle", command, "--data", data, "--output", "json", *arguments)
    assert done.code == 0, done
    [found] = json.loads(done.out)
    return found


def test_a_policy_is_applied_now_and_a_dry_run_only_says_what_would_go(data: Path) -> None:
    for _ in range(2):
        found = shown(data, "run", "--dry-run")
        assert [one["imageDigest"] for one in found["actions"]] == [str(Digest.of(OLD))]
        assert "done" not in found
    done = portside(data.parent, "lifecycle", "run", "--data", data, "--output", "json", "--repository", APP.name)
    [line], [found] = [json.loads(line) for line in done.err.splitlines()], json.loads(done.out)
    assert (line["event"], line["rule"], line["digest"]) == ("image expired", 1, str(Digest.of(OLD)))
    assert found["done"] == {"expired": 1, "archived": 0, "spared": 0, "finished": True}
    assert shown(data, "run")["actions"] == []


def test_people_get_a_table(data: Path) -> None:
    done = portside(data.parent, "lifecycle", "run", "--data", data, "--dry-run")
    heading, row, summary = done.out.splitlines()
    assert heading.split() == ["REPOSITORY", "ACTION", "RULE", "PUSHED", "DIGEST", "TAGS"]
    assert row.split()[:3] == ["team/app", "expire", "1"]
    assert row.split()[4:] == [str(Digest.of(OLD))[:19], "-"]
    assert summary == "team/app: Would expire 1 and archive 0 of 2 images."


def test_a_day_to_come_is_rehearsed_with_a_policy_that_is_not_put_yet(data: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(policy(EXPIRE_UNTAGGED))
    arguments = ("--repository", APP.arn, "--policy", tmp_path / "policy.json")
    assert len(shown(data, "preview", *arguments)["actions"]) == 1
    assert shown(data, "preview", *arguments, "--at", "2001-01-01")["actions"] == []
    tagged = {**EXPIRE_UNTAGGED, "selection": {**EXPIRE_UNTAGGED["selection"], "tagStatus": "any", "countNumber": 300}}
    (tmp_path / "policy.json").write_text(policy(tagged))
    assert shown(data, "preview", *arguments)["actions"] == []
    assert len(shown(data, "preview", *arguments, "--at", "2100-03-01")["actions"]) == 2
    assert len(shown(data, "preview", *arguments, "--at", "2100-03-01T12:00:00+02:00")["actions"]) == 2


def test_a_registry_without_policies_is_told_so(tmp_path: Path) -> None:
    kept(tmp_path / "data")
    done = portside(tmp_path, "lifecycle", "run", "--data", tmp_path / "data")
    assert (done.code, done.out) == (0, "No repository has a lifecycle policy.\n")
    line = refusal(portside(tmp_path, "lifecycle", "run", "--data", tmp_path / "data", "--repository", APP.name))
    assert "Lifecycle policy does not exist" in line


def test_a_policy_that_fails_is_said_at_the_end_and_the_others_are_applied(data: Path) -> None:
    other = RegistryId("000000000000", "us-east-1").repository("team/another")

    async def broken(registry: Registry) -> None:
        await registry.repositories.create(ROOT, other, RepositorySettings())
        await registry.lifecycle_policies.put(ROOT, other, policy(EXPIRE_UNTAGGED))

    within(data, broken)
    connection = sqlite3.connect(data / "portside.db")
    with connection:
        connection.execute("UPDATE lifecycle_policies SET document = '{}' WHERE document LIKE '%untagged%'")
    connection.close()
    done = portside(data.parent, "lifecycle", "preview", "--data", data)
    assert (done.code, done.out.splitlines()[-1]) == (2, "team/app: Would expire 1 and archive 0 of 2 images.")
    assert done.err.startswith(f"portside: {other.arn}: Invalid parameter at 'LifecyclePolicyText'")
    assert len(done.err.splitlines()) == 1
    done = portside(data.parent, "lifecycle", "run", "--data", data, "--output", "json")
    applied, failed = json.loads(done.out)
    assert (done.code, applied["done"]["expired"]) == (2, 1)
    assert (failed.keys(), failed["repository"]) == ({"repository", "error"}, other.name)
    assert f"portside: {other.arn}: " in done.err
    assert other.arn in refusal(portside(data.parent, "lifecycle", "run", "--data", data, "--repository", other.name))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run", "--repository", "nothing"), "no repository 'nothing'"),
        (("run", "--repository", "Bad Name"), "repositoryName"),
        (("run", "--repository", "arn:aws"), "Invalid ARN"),
        (("preview", "--at", "tomorrow"), "--at"),
        (("preview", "--policy", "p.json"), "--repository"),
        (("preview", "--policy", "gone.json", "--repository", "team/app"), "gone.json"),
        (("preview", "--policy", "bad.json", "--repository", "team/app"), "missing required properties"),
        (("preview", "--from-aws", "--repository", "team/app"), "--policy"),
        (("preview", "--region", "eu-west-1"), "need --from-aws"),
        (("preview", "--repository", "team/app", "--registry-id", "000000000000"), "need --from-aws"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(data: Path, arguments: tuple[str, ...], word: str) -> None:
    (data.parent / "p.json").write_text(policy(KEEP_ONE))
    (data.parent / "bad.json").write_text("{}" + " " * 100)
    assert word in refusal(portside(data.parent, "lifecycle", *arguments, "--data", data))


def test_a_policy_is_rehearsed_on_what_ecr_describes(data: Path, tmp_path: Path) -> None:
    """Real ECR is played by a server of ours: the calls are the same."""
    (tmp_path / "policy.json").write_text(policy(EXPIRE_UNTAGGED))
    with served(data):
        keys, endpoint = client_files.read_credentials(data), client_files.read_endpoint(data)
        variables = {
            "AWS_ACCESS_KEY_ID": keys.id,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_REGION": APP.region,
            "AWS_DEFAULT_REGION": APP.region,
            "AWS_ENDPOINT_URL": endpoint.url,
        }
        command = ("lifecycle", "preview", "--from-aws", "--repository", APP.name, "--output", "json")
        done = portside(tmp_path, *command, "--policy", tmp_path / "policy.json", **variables)
        assert (done.code, done.err) == (0, "")
        [found] = json.loads(done.out)
        assert [one["imageDigest"] for one in found["actions"]] == [str(Digest.of(OLD))]
        assert found["images"] == 2
        wrong = {**variables, "AWS_SECRET_ACCESS_KEY": "wrong"}
        line = refusal(portside(tmp_path, *command, "--policy", tmp_path / "policy.json", **wrong))
        assert "ecr:DescribeImages" in line
