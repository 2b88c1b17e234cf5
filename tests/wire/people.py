"""Identities for wire tests: boto3 clients of whoever holds some credentials, and users and roles made in a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.wire.server import REGION, RunningRegistry

ONCE = Config(retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Credentials:
    """What a client signs with."""

    key: str
    secret: str
    token: str | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Credentials:
        """Read what CreateAccessKey or STS answered."""
        return cls(found["AccessKeyId"], found["SecretAccessKey"], found.get("SessionToken"))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that AWS tools read them from."""
        found = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        return found if self.token is None else {**found, "AWS_SESSION_TOKEN": self.token}


class Office:
    """A registry as its root user administers it."""

    def __init__(self, registry: RunningRegistry) -> None:
        self.registry = registry
        environment = registry.environment
        self.root = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    def client(self, service: str, who: Credentials | None = None) -> Any:
        """A boto3 client of the root user, or of whoever holds some credentials."""
        who = who or self.root
        return cast("Any", boto3).client(
            service,
            endpoint_url=self.registry.url,
            region_name=REGION,
            aws_access_key_id=who.key,
            aws_secret_access_key=who.secret,
            aws_session_token=who.token,
            config=ONCE,
        )

    @property
    def iam(self) -> Any:
        """IAM, as the root user."""
        return self.client("iam")

    @property
    def account(self) -> str:
        """The account."""
        return self.client("sts").get_caller_identity()["Account"]

    def user(self, name: str, *managed: str, **statements: Any) -> Credentials:
        """A user with managed policies of AWS, and a statement of its own; its credentials."""
        self.iam.create_user(UserName=name)
        for policy in managed:
            self.iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(**statements))
        return Credentials.of(self.iam.create_access_key(UserName=name)["AccessKey"])

    def role(self, name: str, trusted: Any, *managed: str, action: str = "sts:AssumeRole", **more: Any) -> str:
        """A role that somebody may assume; its ARN."""
        trust = {"Effect": "Allow", "Principal": trusted, "Action": action, **more}
        text = json.dumps({"Version": "2012-10-17", "Statement": trust})
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=text)["Role"]
        for policy in managed:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return made["Arn"]

    def token(self, who: Credentials) -> str:
        """A registry token of whoever holds some credentials."""
        return self.client("ecr", who).get_authorization_token()["authorizationData"][0]["authorizationToken"]


def document(Action: Any, Effect: str = "Allow", Resource: Any = "*", **more: Any) -> str:  # noqa: N803 - IAM's own words
    """A policy of one statement."""
    statement = {"Effect": Effect, "Action": Action, "Resource": Resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and the sentence with which a call is refused."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was not refused")
