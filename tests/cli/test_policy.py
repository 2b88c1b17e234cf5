"""`portside policy`: verdicts for cases, one a line."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from portside.cli.main import portside

CASE: dict[str, Any] = {
    "id": "one",
    "request": {
        "principal": "arn:aws:iam::111122223333:user/ann",
        "principal_kind": "user",
        "principal_account": "111122223333",
        "action": "ecr:PutImage",
        "resource": "arn:aws:ecr:us-east-1:111122223333:repository/app",
        "resource_account": "111122223333",
        "context": {"aws:SourceIp": "10.0.0.1"},
    },
    "identity_policies": [
        {
            "Version": "2012-10-17",
            "Statement": {
                "Sid": "Push",
                "Effect": "Allow",
                "Action": "ecr:*",
                "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            },
        }
    ],
    "permissions_boundary": None,
}


def simulate(*lines: bytes) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(portside, ["policy", "simulate", "--json"], input=b"\n".join(lines))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_every_case_has_its_verdict_in_order() -> None:
    away = {**CASE, "id": "two", "request": {**CASE["request"], "context": {"aws:SourceIp": "192.0.2.1"}}}
    code, answers = simulate(json.dumps(CASE).encode(), b"", json.dumps(away).encode())
    assert code == 0
    assert answers == [
        {"id": "one", "verdict": "allow", "by": "identity", "policy": "identity_policies[0]", "statement": "Push"},
        {"id": "two", "verdict": "implicit_deny", "by": "identity", "policy": "", "statement": ""},
    ]


def test_a_policy_may_be_the_text_of_a_document() -> None:
    case = {**CASE, "identity_policies": [json.dumps(CASE["identity_policies"][0])]}
    assert simulate(json.dumps(case).encode())[1][0]["verdict"] == "allow"


def test_lines_that_are_no_cases_are_answered_and_the_rest_goes_on() -> None:
    broken = {**CASE, "id": "broken", "scps": [[{"Statement": {"Effect": "Perhaps"}}]]}
    lines = (b"rubbish", b"\xff\xfe{}", b"[]", b'{"id": 7}', json.dumps(broken).encode(), json.dumps(CASE).encode())
    code, answers = simulate(*lines)
    assert code == 2
    assert [answer["id"] for answer in answers] == [None, None, None, "7", "broken", "one"]
    assert all("error" in answer for answer in answers[:-1])
    assert "scps[0][0]" in answers[4]["error"]
    assert answers[-1]["verdict"] == "allow"
