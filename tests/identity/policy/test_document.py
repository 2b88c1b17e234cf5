"""Documents: what is a policy of which kind, and what is refused with which reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portside.identity.policy import PolicyError, PolicyKind, compile_policy
from portside.identity.policy.document import LONGEST, read

ALLOW = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
GRANT = {"Effect": "Allow", "Action": "ecr:PutImage", "Principal": "*"}
KINDS = list(PolicyKind)
OF_IDENTITIES = [PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.SCP]
NEEDS_RESOURCE = [*OF_IDENTITIES, PolicyKind.REGISTRY, PolicyKind.RCP]


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def refused(text: str, kind: PolicyKind = PolicyKind.IDENTITY) -> str:
    with pytest.raises(PolicyError) as caught:
        compile_policy(text, kind)
    return caught.value.reason


@pytest.mark.parametrize("kind", OF_IDENTITIES)
def test_a_policy_of_an_identity_has_resources_and_no_principal(kind: PolicyKind) -> None:
    assert compile_policy(document(ALLOW), kind).statements
    assert "names no principal" in refused(document({**ALLOW, "Principal": "*"}), kind)


@pytest.mark.parametrize("kind", [PolicyKind.REPOSITORY, PolicyKind.TRUST])
def test_what_hangs_on_a_resource_names_principals_and_no_resource(kind: PolicyKind) -> None:
    assert compile_policy(document(GRANT), kind).statements
    assert "what it hangs on" in refused(document({**GRANT, "Resource": "*"}), kind)
    assert "Principal" in refused(document({"Effect": "Allow", "Action": "ecr:PutImage"}), kind)


@pytest.mark.parametrize("kind", NEEDS_RESOURCE)
def test_every_other_policy_needs_a_resource(kind: PolicyKind) -> None:
    statement = {**ALLOW, **({"Principal": "*"} if kind in {PolicyKind.REGISTRY, PolicyKind.RCP} else {})}
    assert compile_policy(document(statement), kind)
    del statement["Resource"]
    assert "Resource" in refused(document(statement), kind)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ('{"Statement": []}', "has statements"),
        ("{}", "has statements"),
        ('{"Statement": [{}], "Statement": [{}]}', "twice"),
        (document(ALLOW, Version="2020-01-01"), "Version"),
        (document(ALLOW, Extra=1), "no element Extra"),
        (document({**ALLOW, "Effect": "allow"}), "Effect"),
        (document({**ALLOW, "effect": "Allow"}), "no element effect"),
        (document({**ALLOW, "NotAction": "x:y"}), "either Action or NotAction"),
        (document({**ALLOW, "Action": []}), "string or a list"),
        (document({**ALLOW, "Action": [1]}), "string or a list"),
        (document({**ALLOW, "Action": "PutImage"}), "service:Name"),
        (document({**ALLOW, "Action": "e*:PutImage"}), "service:Name"),
        (document({**ALLOW, "Resource": "repository/app"}), "ARN"),
        (document({**ALLOW, "Sid": "two words"}), "letters and digits"),
        (document({**ALLOW, "Sid": "A"}, {**ALLOW, "Sid": "A"}), "same Sid"),
        (document({**ALLOW, "Condition": []}), "must be an object"),
        (document({**ALLOW, "Condition": {"StringEqual": {"a:b": "c"}}}), "no condition operator"),
        (document({**ALLOW, "Condition": {"NullIfExists": {"a:b": "true"}}}), "no condition operator"),
        (document({**ALLOW, "Condition": {"StringEquals": {"a:b": {"c": "d"}}}}), "string, a number"),
        (document({**ALLOW, "Resource": "arn:aws:ecr:r:a:repository/${aws:x"}), "not closed"),
        (document({**ALLOW, "Resource": "arn:aws:ecr:r:a:repository/${}"}), "not written as"),
        (document({**ALLOW, "Sid": "\u0151"}).encode().decode("unicode_escape"), "character"),
        ('{"Statement": NaN}', "NaN"),
        (document({**ALLOW, "Resource": "*", "Condition": {"StringEquals": {"a:b": "\ud800"}}}), "not JSON"),
        ("[" * 100_000, "not JSON"),
        (json.dumps({"Statement": [[[[[[[[[[[[[[[[[ALLOW]]]]]]]]]]]]]]]]]}), "too deep"),
        (" " * (LONGEST + 1), "too long"),
    ],
)
def test_what_is_no_policy_is_refused_with_a_reason(text: str, reason: str) -> None:
    assert reason in refused(text)


@pytest.mark.parametrize(
    ("principal", "reason"),
    [
        ({"AWS": "arn:aws:iam::111122223333:*"}, "wildcard"),
        ({"Service": "*"}, "wildcard"),
        ({"AWS": "nobody"}, "no account, ARN or unique id"),
        ({"AWS": "arn:aws:s3:::bucket"}, "no account, ARN or unique id"),
        ({"AWS": ""}, "empty"),
        ({"AWS": []}, "no principal"),
        ({"AWS": [7]}, "string"),
        ({}, "no principal"),
        ({"CanonicalUser": "x"}, "type of principal"),
        (["*"], "must be an object"),
    ],
)
def test_a_principal_that_can_be_nobody_is_refused(principal: Any, reason: str) -> None:
    assert reason in refused(document({**GRANT, "Principal": principal}), PolicyKind.REPOSITORY)


def test_an_allow_for_everybody_but_some_is_refused() -> None:
    statement = {"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "111122223333"}}
    assert "Deny only" in refused(document(statement), PolicyKind.REPOSITORY)


def test_repository_policies_may_repeat_sids_and_put_spaces_in_them() -> None:
    twice = {**GRANT, "Sid": "allow pull"}
    assert len(compile_policy(document(twice, twice), PolicyKind.REPOSITORY).statements) == 2


def test_a_statement_is_called_by_its_sid_or_its_place() -> None:
    found = compile_policy(document({**ALLOW, "Sid": "Push"}, ALLOW), PolicyKind.IDENTITY)
    assert [statement.label for statement in found.statements] == ["Push", "statement 2"]


def test_a_document_is_compiled_once() -> None:
    text = document(ALLOW)
    assert compile_policy(text, PolicyKind.IDENTITY) is compile_policy(text, PolicyKind.IDENTITY)
    assert compile_policy(text, PolicyKind.IDENTITY) is not compile_policy(text, PolicyKind.SESSION)


def test_deep_json_is_refused_without_falling_over() -> None:
    with pytest.raises(PolicyError):
        read('{"a":' * 50_000 + "1" + "}" * 50_000)
