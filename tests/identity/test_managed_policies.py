"""The managed policies are policies, and say what AWS's say."""

from __future__ import annotations

import json

import pytest

from portside.identity.actions import ACTIONS
from portside.identity.managed_policies import MANAGED
from portside.identity.policy import PolicyKind, compile_policy

# How many actions each grants (iam-behaviour 3.3).
COUNTS = {"ReadOnly": 12, "PowerUser": 16, "PullOnly": 4}


@pytest.mark.parametrize("arn", MANAGED)
def test_every_one_compiles_and_names_only_actions_that_there_are(arn: str) -> None:
    policy = MANAGED[arn]
    assert compile_policy(policy.document, PolicyKind.IDENTITY).statements
    named = [
        action
        for statement in json.loads(policy.document)["Statement"]
        for action in statement.get("Action", [])
        if action.startswith("ecr:") and "*" not in action
    ]
    assert set(named) <= set(ACTIONS)
    assert len(policy.id) == 21


@pytest.mark.parametrize("name", COUNTS)
def test_those_of_ecr_grant_what_aws_says(name: str) -> None:
    [statement] = json.loads(MANAGED[f"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry{name}"].document)["Statement"]
    assert len(statement["Action"]) == COUNTS[name]


def test_ids_are_unique() -> None:
    assert len({policy.id for policy in MANAGED.values()}) == len(MANAGED)
