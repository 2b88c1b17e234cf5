"""The condition keys of a request: what is there, and above all what is not."""

from __future__ import annotations

import dataclasses

from portside.identity.caller import Caller, Circumstances, Entity, Principal, Session
from portside.identity.context import changes, of_principal, of_request, of_resource_tags, tagging

ROLE = Entity("AROAEXAMPLE", "arn:aws:iam::111122223333:role/team/ci", "ci", {"Team": "blue", "stage": "test"})
SESSION = Session(
    "s",
    "run",
    1_700_000_000_000_000,
    1_700_003_600_000_000,
    tags={"team": "red"},
    provider="arn:aws:iam::111122223333:oidc-provider/issuer.example",
    claims={"issuer.example:sub": "repo:x"},
)
ASSUMED = Principal(
    "111122223333",
    "arn:aws:sts::111122223333:assumed-role/ci/run",
    "AROAEXAMPLE:run",
    "AssumedRole",
    "ASIA",
    ROLE,
    SESSION,
)
USER = Principal(
    "111122223333",
    "arn:aws:iam::111122223333:user/ann",
    "AIDAEXAMPLE",
    "User",
    "AKIA",
    Entity("AIDAEXAMPLE", "arn:aws:iam::111122223333:user/ann", "ann", {"team": "blue"}),
)
HERE = Circumstances(1_700_000_100_500_000, "192.0.2.7", secure=True, user_agent="docker/29")


def test_a_session_is_known_by_its_role_and_its_own_tags_win_whatever_their_case() -> None:
    found = of_principal(ASSUMED)
    assert found["aws:principalarn"] == ROLE.arn
    assert found["aws:userid"] == "AROAEXAMPLE:run"
    assert found["aws:principaltag/team"] == "red"
    assert found["aws:principaltag/stage"] == "test"
    assert found["aws:tokenissuetime"] == "2023-11-14T22:13:20Z"
    assert found["aws:multifactorauthpresent"] == "false"
    assert found["issuer.example:sub"] == "repo:x"
    assert "aws:username" not in found


def test_long_term_keys_have_no_keys_of_sessions() -> None:
    found = of_principal(USER)
    assert found["aws:username"] == "ann"
    assert not found.keys() & {"aws:tokenissuetime", "aws:multifactorauthpresent", "aws:sourceidentity"}


def test_a_root_user_has_no_name_and_no_tags() -> None:
    found = of_principal(Principal.root("111122223333", "AKIA"))
    assert found["aws:principalarn"] == "arn:aws:iam::111122223333:root"
    assert found["aws:principaltype"] == "Account"
    assert not [key for key in found if key.startswith("aws:principaltag/") or key == "aws:username"]


def test_a_federated_user_does_not_have_the_tags_of_the_user_behind_it() -> None:
    federated = dataclasses.replace(USER, kind="FederatedUser", session=dataclasses.replace(SESSION, tags={}))
    found = of_principal(federated)
    assert not [key for key in found if key.startswith("aws:principaltag/")]
    assert "aws:username" not in found


def test_a_request_says_when_and_where_it_came_from() -> None:
    found = of_request(Caller(USER, HERE), region="eu-west-1", owner="444455556666")
    assert found["aws:currenttime"] == "2023-11-14T22:15:00Z"
    assert found["aws:epochtime"] == "1700000100"
    assert found["aws:sourceip"] == "192.0.2.7"
    assert found["aws:securetransport"] == "true"
    assert found["aws:requestedregion"] == "eu-west-1"
    assert found["aws:resourceaccount"] == "444455556666"


def test_what_is_not_known_is_absent_and_not_empty() -> None:
    found = of_request(Caller(USER, Circumstances(0, "", secure=False, user_agent="")), region="r", owner="o")
    assert not found.keys() & {"aws:sourceip", "aws:useragent"}


def test_tags_of_resources_and_requests_are_found_whatever_the_case_of_their_key() -> None:
    assert of_resource_tags({"Team": "x"}) == {"aws:resourcetag/team": "x", "ecr:resourcetag/team": "x"}
    assert tagging({"Team": "x"}) == {"aws:requesttag/team": "x", "aws:tagkeys": ["Team"]}
    assert tagging({}) == {}


def test_two_requests_of_one_principal_differ_only_in_keys_that_are_said_to_change() -> None:
    other = Circumstances(HERE.at + 3_600_000_000, "198.51.100.1", secure=False, user_agent="curl")
    one, two = (of_request(Caller(ASSUMED, c), region="r", owner="o") for c in (HERE, other))
    assert {key for key in one if one[key] != two[key]} == {key for key in one if changes(key)}
