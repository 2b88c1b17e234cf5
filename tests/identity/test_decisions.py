from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.decisions import Question, decide

HOME, AWAY = "123456789012", "999999999999"
ROOT = Caller(Principal.root(HOME, "AKIA"), Circumstances(0, "127.0.0.1", secure=False, user_agent=""))
ARN = f"arn:aws:ecr:eu-west-1:{HOME}:repository/team/app"


def test_a_root_user_has_the_arn_of_its_account() -> None:
    assert ROOT.principal.arn == f"arn:aws:iam::{HOME}:root"
    assert (ROOT.principal.user_id, ROOT.principal.kind, ROOT.principal.access_key) == (HOME, "Account", "AKIA")


def test_a_root_user_may_do_everything_at_home() -> None:
    decision = decide(Question(ROOT, "ecr:PutImage", ARN, HOME))
    assert decision.allowed
    assert decision.because


def test_a_root_user_may_do_nothing_elsewhere() -> None:
    decision = decide(Question(ROOT, "ecr:PutImage", ARN, AWAY))
    assert not decision.allowed
    assert decision.because == "because no resource-based policy allows the ecr:PutImage action"


def test_anyone_else_may_do_nothing() -> None:
    user = replace(ROOT, principal=replace(ROOT.principal, kind="User"))
    decision = decide(Question(user, "ecr:PutImage", ARN, HOME))
    assert not decision.allowed
    assert decision.because == "because no identity-based policy allows the ecr:PutImage action"


@given(st.text(), st.text(), st.text(), st.sampled_from(["Account", "User", "AssumedRole", ""]))
def test_yes_is_said_to_a_root_user_at_home_and_to_nobody_else(
    action: str, resource: str, owner: str, kind: str
) -> None:
    caller = replace(ROOT, principal=replace(ROOT.principal, kind=kind))
    for asked in (owner, HOME):
        decision = decide(Question(caller, action, resource, asked))
        assert decision.allowed == (asked == HOME and kind == "Account")
