"""Profiles that assume roles, as people keep them in ~/.aws/config: the AWS tools ask for the sessions themselves."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from tests.clients import commands
from tests.clients.aws import CommandLine
from tests.wire.people import Office, document
from tests.wire.server import RunningRegistry

CONFIG = """\
[profile first]
role_arn = {first}
source_profile = ann
external_id = our-secret
duration_seconds = 900
role_session_name = laptop

[profile last]
role_arn = {last}
source_profile = first
role_session_name = chained
"""
CREDENTIALS = """\
[ann]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
"""


@pytest.fixture
def line(own_registry: RunningRegistry, own_state: Path) -> CommandLine:
    """The command line of a user whose profiles are two roles, one by way of the other."""
    office = Office(own_registry)
    ann = office.user("ann", Action="sts:AssumeRole")
    secret = {"StringEquals": {"sts:ExternalId": "our-secret"}}
    first = office.role("first", {"AWS": office.account}, Condition=secret)
    office.iam.put_role_policy(RoleName="first", PolicyName="own", PolicyDocument=document("sts:AssumeRole"))
    last = office.role("last", {"AWS": first}, "AmazonEC2ContainerRegistryPowerUser")
    settings = {
        name: own_registry.environment[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
    }
    found = CommandLine(1, own_state, settings)
    (own_state / "config").write_text(CONFIG.format(first=first, last=last))
    (own_state / "credentials").write_text(CREDENTIALS.format(key=ann.key, secret=ann.secret))
    return found


def test_the_command_line_works_by_profiles_that_are_roles(line: CommandLine) -> None:
    for profile, session in (("first", "first/laptop"), ("last", "last/chained")):
        found = line.ask("sts", "get-caller-identity", "--profile", profile)
        assert found["Arn"].endswith(f":assumed-role/{session}")
    assert line.ask("ecr", "describe-repositories", "--profile", "last") == {"repositories": []}
    assert line.run("ecr", "get-login-password", "--profile", "last").strip()
    with pytest.raises(commands.CommandFailedError, match="ecr:DescribeRepositories"):
        line.run("ecr", "describe-repositories", "--profile", "first")


def test_boto3_works_by_a_profile_that_is_a_role(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(line.environment[name]))
    session = boto3.Session(profile_name="last", region_name=line.environment["AWS_REGION"])
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/last/chained")
