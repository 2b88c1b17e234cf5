"""Random cases full of near misses: few names, so that policies and requests meet often and miss by a little."""

from __future__ import annotations

import random
from typing import Any

HOME, AWAY = "111122223333", "444455556666"
ACTIONS = ["ecr:BatchGetImage", "ecr:PutImage", "ecr:GetAuthorizationToken", "ecr:DescribeRepositories"]
ACTION_PATTERNS = [
    *ACTIONS,
    "*",
    "ecr:*",
    "ECR:batch*",
    "ecr:Put?mage",
    "ecr:*Image",
    "iam:*",
    "e*:PutImage",
    "ecr:Get*Token",
    "sts:AssumeRole",
    "sts:*",
]
NAMES = ["app", "team/app", "team/app/web", "team/*", "prod-app", "a:b"]
TAG_VALUES = ["team", "app", "*", "", "Team", "te?m"]
SERVICES = ["codebuild.amazonaws.com", "replication.ecr.amazonaws.com"]
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/issuer.example"
KEYS = [
    "aws:PrincipalTag/team",
    "aws:ResourceTag/Team",
    "aws:SourceIp",
    "aws:CurrentTime",
    "aws:SecureTransport",
    "aws:PrincipalArn",
    "aws:TagKeys",
    "aws:userid",
    "ecr:size",
    "aws:absent",
]
SCALARS: dict[str, list[str]] = {
    "aws:PrincipalTag/team": TAG_VALUES,
    "aws:ResourceTag/Team": TAG_VALUES,
    "aws:SourceIp": ["10.1.2.3", "192.0.2.1", "2001:db8::1", "rubbish"],
    "aws:CurrentTime": ["2026-01-15T12:00:00Z", "1768478400", "2026-01-15", "2026-01-15T14:00:00+02:00", "soon"],
    "aws:SecureTransport": ["true", "false", "True", "maybe"],
    "aws:PrincipalArn": [f"arn:aws:iam::{HOME}:user/ann", f"arn:aws:iam::{HOME}:role/ci", "no-arn"],
    "aws:TagKeys": ["team", "stage", "Team"],
    "aws:userid": ["AIDAANN", "AROACI:run"],
    "ecr:size": ["1", "1.0", "10", "-3", "many"],
    "aws:absent": ["x"],
}
POLICY_VALUES = [
    *TAG_VALUES,
    "t*",
    "${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/none}",
    "${aws:PrincipalTag/none, 'team'}",
    "${*}",
    "${aws:TagKeys}",
    "10.0.0.0/8",
    "192.0.2.1",
    "2001:db8::/32",
    "2026-01-15T12:00:00Z",
    "2026",
    "1768478400",
    "true",
    "False",
    f"arn:aws:iam::{HOME}:*",
    f"arn:aws:iam::{HOME}:user/*",
    "arn:aws:iam::*:role/c?",
    "arn:*",
    "*",
    "stage",
    "AIDA*",
    "1",
    "1.00",
    "10",
]
OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
]


class Cases:
    """A stream of random cases from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def case(self) -> dict[str, Any]:
        pick = self._random
        assumes = pick.random() < 0.1
        request = self._request(assumes=assumes)
        return {
            "id": "r",
            "request": request,
            "identity_policies": [self._document("identity") for _ in range(pick.choice([0, 1, 1, 1, 2]))],
            "permissions_boundary": self._maybe(0.2, "identity"),
            "session_policy": self._maybe(0.2, "identity"),
            "repository_policy": self._maybe(0.8 if assumes else 0.5, "trust" if assumes else "repository"),
            "registry_policy": self._maybe(0.15, "registry"),
            "scps": [[self._document("identity")] for _ in range(pick.choice([0, 0, 0, 0, 1, 2]))],
            "rcps": [[self._document("registry")]] if pick.random() < 0.05 else [],
        }

    def _maybe(self, probability: float, kind: str) -> dict[str, Any] | None:
        return self._document(kind) if self._random.random() < probability else None

    def _request(self, *, assumes: bool) -> dict[str, Any]:
        pick = self._random
        account = pick.choice([HOME, HOME, AWAY])
        kind = pick.choice(["user", "user", "role_session", "role_session", "federated_user", "root", "service"])
        if assumes and pick.random() < 0.3:
            kind = "web_identity"
        principal = {
            "user": f"arn:aws:iam::{account}:user/ann",
            "role_session": f"arn:aws:sts::{account}:assumed-role/ci/run",
            "federated_user": f"arn:aws:sts::{account}:federated-user/bob",
            "root": f"arn:aws:iam::{account}:root",
            "service": pick.choice(SERVICES),
            "web_identity": PROVIDER,
        }[kind]
        action = "sts:AssumeRole" if assumes else pick.choice(ACTIONS)
        resource = f"arn:aws:ecr:us-east-1:{HOME}:repository/{pick.choice(NAMES)}"
        if assumes:
            resource = f"arn:aws:iam::{HOME}:role/deploy"
        elif action == "ecr:GetAuthorizationToken":
            resource = "*"
        return {
            "principal": principal,
            "principal_kind": kind,
            "principal_account": account,
            "role_arn": f"arn:aws:iam::{account}:role/ci" if kind == "role_session" else None,
            "user_arn": f"arn:aws:iam::{account}:user/ann" if kind == "federated_user" else None,
            "unique_id": {
                "user": "AIDAANNANNANNANN",
                "role_session": "AROACICICICICICI",
                "federated_user": "AIDAANNANNANNANN",
            }.get(kind),
            "action": action,
            "resource": resource,
            "resource_account": HOME,
            "context": self._context(),
        }

    def _context(self) -> dict[str, Any]:
        pick = self._random
        found: dict[str, Any] = {}
        for key in KEYS[:-1]:
            if pick.random() < 0.6:
                value: Any = pick.choice(SCALARS[key])
                if key == "aws:TagKeys" or pick.random() < 0.05:
                    value = pick.sample(SCALARS[key], pick.choice([0, 1, 2]))
                found[key if pick.random() < 0.8 else key.lower()] = value
        return found

    def _document(self, kind: str) -> dict[str, Any]:
        pick = self._random
        document: dict[str, Any] = {}
        version = pick.choice(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None])
        if version is not None:
            document["Version"] = version
        statements = [self._statement(kind) for _ in range(pick.choice([1, 1, 2, 3]))]
        document["Statement"] = statements[0] if len(statements) == 1 and pick.random() < 0.3 else statements
        return document

    def _statement(self, kind: str) -> dict[str, Any]:
        pick = self._random
        statement: dict[str, Any] = {"Effect": "Deny" if pick.random() < 0.15 else "Allow"}
        actions = self._several(ACTION_PATTERNS)
        if kind == "trust":
            actions = self._several(["sts:AssumeRole", "sts:*", "*", "sts:TagSession"])
        statement["NotAction" if pick.random() < 0.08 else "Action"] = actions
        if kind not in {"repository", "trust"}:
            statement["NotResource" if pick.random() < 0.1 else "Resource"] = self._several(self._resources())
        if kind in {"repository", "registry", "trust"}:
            element = "NotPrincipal" if statement["Effect"] == "Deny" and pick.random() < 0.3 else "Principal"
            statement[element] = self._principal()
        if pick.random() < 0.5:
            statement["Condition"] = self._condition()
        return statement

    def _resources(self) -> list[str]:
        prefix = f"arn:aws:ecr:us-east-1:{HOME}:repository"
        return [
            "*",
            "*",
            f"{prefix}/app",
            f"{prefix}/team/*",
            f"{prefix}/*/app",
            f"{prefix}/*",
            f"{prefix}/te?m/app",
            f"{prefix}/${{aws:PrincipalTag/team}}/*",
            f"{prefix}/${{aws:PrincipalTag/none}}",
            f"{prefix}/${{aws:PrincipalTag/none, 'team'}}/app",
            f"arn:aws:ecr:*:{HOME}:repository/app",
            f"arn:aws:ecr:us-east-1:{AWAY}:repository/*",
            f"arn:aws:ecr:us-east-1:{HOME}:*",
            f"arn:aws:ecr:us-east-1:{HOME}:rep*",
            "arn:aws:ecr:*",
            "arn:aws:ecr",
            "arn:aws:e*:us-east-1:*:repository/app",
            f"arn:aws:iam::{HOME}:role/deploy",
            f"arn:aws:iam::{HOME}:role/*",
        ]

    def _principal(self) -> Any:
        pick = self._random
        if pick.random() < 0.15:
            return "*"
        account = pick.choice([HOME, HOME, AWAY])
        aws = [
            "*",
            account,
            f"arn:aws:iam::{account}:root",
            f"arn:aws:iam::{account}:user/ann",
            f"arn:aws:iam::{account}:user/eve",
            f"arn:aws:iam::{account}:role/ci",
            f"arn:aws:sts::{account}:assumed-role/ci/run",
            f"arn:aws:sts::{account}:assumed-role/ci/other",
            f"arn:aws:sts::{account}:federated-user/bob",
            "AIDAANNANNANNANN",
            "AROACICICICICICI",
        ]
        found: dict[str, Any] = {"AWS": self._several(aws, most=4)}
        if pick.random() < 0.3:
            found["Service"] = self._several(SERVICES)
        if pick.random() < 0.2:
            found["Federated"] = pick.choice([PROVIDER, f"{PROVIDER}/other"])
        return found

    def _condition(self) -> dict[str, Any]:
        pick = self._random
        block: dict[str, Any] = {}
        for _ in range(pick.choice([1, 1, 2])):
            key = pick.choice(KEYS)
            if pick.random() < 0.08:
                block["Null"] = {key: self._several(["true", "false"])}
                continue
            prefix = pick.choice(["", "", "", "ForAllValues:", "ForAnyValue:"])
            suffix = pick.choice(["", "", "IfExists"])
            values = [*SCALARS[key], *SCALARS[key], *POLICY_VALUES]
            block[f"{prefix}{pick.choice(OPERATORS)}{suffix}"] = {key: self._several(values, most=3)}
        return block

    def _several(self, values: list[str], most: int = 2) -> Any:
        pick = self._random
        chosen = pick.choices(values, k=pick.randint(1, most))
        return chosen[0] if len(chosen) == 1 and pick.random() < 0.5 else chosen
