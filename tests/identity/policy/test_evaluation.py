"""Decisions: every form of principal, in one account and across two, under boundaries and session policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portside.identity.policy import (
    Actor,
    Decision,
    Policies,
    Policy,
    PolicyKind,
    Question,
    because,
    compile_policy,
    evaluate,
)

HOME, AWAY = "111122223333", "444455556666"
APP = f"arn:aws:ecr:us-east-1:{HOME}:repository/app"
PULL = "ecr:BatchGetImage"


def actors(account: str) -> dict[str, Actor]:
    iam, sts = f"arn:aws:iam::{account}", f"arn:aws:sts::{account}"
    return {
        "root": Actor("root", f"{iam}:root", account),
        "user": Actor("user", f"{iam}:user/ann", account, unique_id="AIDAANNANNANNANN"),
        "role session": Actor(
            "role_session",
            f"{sts}:assumed-role/ci/run",
            account,
            role_arn=f"{iam}:role/ci",
            unique_id="AROACICICICICICI",
        ),
        "federated user": Actor(
            "federated_user",
            f"{sts}:federated-user/bob",
            account,
            user_arn=f"{iam}:user/ann",
            unique_id="AIDAANNANNANNANN",
        ),
    }


# Each form of principal: whom it names, and how strongly: directly, by the entity behind, or by the account.
FORMS: dict[str, tuple[Any, dict[str, str]]] = {
    "everyone": ("*", dict.fromkeys(actors(HOME), "direct")),
    "everyone by type": ({"AWS": "*"}, dict.fromkeys(actors(HOME), "direct")),
    "account id": ({"AWS": "ACCOUNT"}, dict.fromkeys(actors(HOME), "account")),
    "account root": ({"AWS": "arn:aws:iam::ACCOUNT:root"}, dict.fromkeys(actors(HOME), "account")),
    "user": ({"AWS": "arn:aws:iam::ACCOUNT:user/ann"}, {"user": "direct", "federated user": "entity"}),
    "user id": ({"AWS": "AIDAANNANNANNANN"}, {"user": "direct", "federated user": "entity"}),
    "role": ({"AWS": "arn:aws:iam::ACCOUNT:role/ci"}, {"role session": "entity"}),
    "role id": ({"AWS": "AROACICICICICICI"}, {"role session": "entity"}),
    "session": ({"AWS": "arn:aws:sts::ACCOUNT:assumed-role/ci/run"}, {"role session": "direct"}),
    "federated": ({"AWS": "arn:aws:sts::ACCOUNT:federated-user/bob"}, {"federated user": "direct"}),
    "another user": ({"AWS": "arn:aws:iam::ACCOUNT:user/eve"}, {}),
    "another session": ({"AWS": "arn:aws:sts::ACCOUNT:assumed-role/ci/other"}, {}),
    "a service": ({"Service": "codebuild.amazonaws.com"}, {}),
}
NAMES = list(actors(HOME))


def policy(kind: PolicyKind, effect: str = "Allow", **more: Any) -> Policy:
    statement: dict[str, Any] = {"Effect": effect, "Action": "ecr:*", **more}
    if kind not in {PolicyKind.REPOSITORY, PolicyKind.TRUST}:
        statement.setdefault("Resource", "*")
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return compile_policy(document, kind).named(f"the {kind}")


ALLOWS, OTHERWISE = policy(PolicyKind.IDENTITY), policy(PolicyKind.IDENTITY, Action="iam:*")
BOUNDARY, NARROW = policy(PolicyKind.BOUNDARY), policy(PolicyKind.BOUNDARY, Action="iam:*")
SESSION, TIGHT = policy(PolicyKind.SESSION), policy(PolicyKind.SESSION, Action="iam:*")


def granted(form: Any, account: str, effect: str = "Allow") -> Policy:
    named = json.loads(json.dumps(form).replace("ACCOUNT", account))
    return policy(PolicyKind.REPOSITORY, effect, Principal=named)


def ask(actor: Actor, policies: Policies, action: str = PULL, resource: str = APP) -> Decision:
    return evaluate(Question(actor, action, resource, HOME, {}), policies)


@pytest.mark.parametrize("session", [None, "allows", "silent"])
@pytest.mark.parametrize("boundary", [None, "allows", "silent"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_a_repository_policy_alone_grants_in_its_account_what_its_form_carries(
    form: str, name: str, boundary: str | None, session: str | None
) -> None:
    element, named = FORMS[form]
    policies = Policies(
        resource=granted(element, HOME),
        boundary={None: None, "allows": BOUNDARY, "silent": NARROW}[boundary],
        session={None: None, "allows": [SESSION], "silent": [TIGHT]}[session],
    )
    limited = "silent" in {boundary, session}
    without = name == "federated user" and session is None
    expected = {
        "direct": True,
        "entity": not limited and not without,
        "account": name == "root" and not limited,
        "nothing": name == "root" and not limited,
    }[named.get(name, "nothing")]
    assert ask(actors(HOME)[name], policies).allowed == expected


@pytest.mark.parametrize("session", [None, "allows", "silent"])
@pytest.mark.parametrize("boundary", [None, "allows", "silent"])
@pytest.mark.parametrize("own", ["allows", "silent"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_across_accounts_both_sides_must_agree(
    form: str, name: str, own: str, boundary: str | None, session: str | None
) -> None:
    element, named = FORMS[form]
    policies = Policies(
        identity=[ALLOWS if own == "allows" else OTHERWISE],
        resource=granted(element, AWAY),
        boundary={None: None, "allows": BOUNDARY, "silent": NARROW}[boundary],
        session={None: None, "allows": [SESSION], "silent": [TIGHT]}[session],
    )
    own_side = (own == "allows" or name == "root") and "silent" not in {boundary, session}
    own_side = own_side and not (name == "federated user" and session is None)
    decision = ask(actors(AWAY)[name], policies)
    assert decision.allowed == (name in named and own_side)
    if name not in named:
        assert because(decision, PULL) == f"because no resource-based policy allows the {PULL} action"


@pytest.mark.parametrize("account", [HOME, AWAY])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_a_deny_for_whoever_is_named_ends_it(form: str, name: str, account: str) -> None:
    element, named = FORMS[form]
    policies = Policies(
        identity=[ALLOWS],
        session=[SESSION],
        resource=granted(element, account, "Deny"),
        registry=policy(PolicyKind.REGISTRY, Principal="*"),
    )
    decision = ask(actors(account)[name], policies)
    assert decision.allowed == (name not in named)
    if name in named:
        assert because(decision, PULL) == "with an explicit deny in a resource-based policy"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "tail"),
    [
        ("identity", "an identity-based policy"),
        ("boundary", "a permissions boundary"),
        ("session", "a session policy"),
        ("registry", "a resource-based policy"),
        ("scps", "a service control policy"),
        ("rcps", "a resource control policy"),
    ],
)
def test_a_deny_anywhere_wins_over_every_allow(name: str, kind: str, tail: str) -> None:
    held: dict[str, Any] = {
        "identity": [ALLOWS],
        "boundary": BOUNDARY,
        "session": [SESSION],
        "resource": granted("*", HOME),
        "registry": policy(PolicyKind.REGISTRY, Principal="*"),
        "scps": [[policy(PolicyKind.SCP)]],
        "rcps": [[policy(PolicyKind.RCP, Principal="*")]],
    }
    assert ask(actors(HOME)[name], Policies(**held)).allowed
    denying = {
        "identity": [ALLOWS, policy(PolicyKind.IDENTITY, "Deny")],
        "boundary": policy(PolicyKind.BOUNDARY, "Deny"),
        "session": [SESSION, policy(PolicyKind.SESSION, "Deny")],
        "registry": policy(PolicyKind.REGISTRY, "Deny", Principal="*"),
        "scps": [[policy(PolicyKind.SCP)], [policy(PolicyKind.SCP, "Deny")]],
        "rcps": [[policy(PolicyKind.RCP, "Deny", Principal="*")]],
    }
    decision = ask(actors(HOME)[name], Policies(**{**held, kind: denying[kind]}))
    assert decision.verdict == "explicit_deny"
    assert because(decision, PULL) == f"with an explicit deny in {tail}"
    assert decision.statement == "statement 1"


@pytest.mark.parametrize(
    ("policies", "tail"),
    [
        (Policies(), "identity-based policy"),
        (Policies(identity=[OTHERWISE]), "identity-based policy"),
        (Policies(identity=[ALLOWS], boundary=NARROW), "permissions boundary"),
        (Policies(identity=[ALLOWS], session=[TIGHT]), "session policy"),
        (Policies(identity=[ALLOWS], session=[]), "session policy"),
        (Policies(identity=[ALLOWS], scps=[[policy(PolicyKind.SCP)], []]), "service control policy"),
    ],
)
def test_the_sentence_names_what_does_not_allow(policies: Policies, tail: str) -> None:
    decision = ask(actors(HOME)["role session"], policies)
    assert decision.verdict == "implicit_deny"
    assert because(decision, PULL) == f"because no {tail} allows the {PULL} action"


def test_the_allow_that_decided_is_told() -> None:
    decision = ask(actors(HOME)["user"], Policies(identity=[OTHERWISE, ALLOWS]))
    assert (decision.by, decision.policy, decision.statement) == ("identity", "the identity", "statement 1")


def test_an_action_on_nothing_in_particular_is_matched_by_a_star_alone() -> None:
    token = "ecr:GetAuthorizationToken"
    everything = policy(PolicyKind.IDENTITY, Resource=f"arn:aws:ecr:us-east-1:{HOME}:*")
    assert not ask(actors(HOME)["user"], Policies(identity=[everything]), token, "*").allowed
    assert ask(actors(HOME)["user"], Policies(identity=[ALLOWS]), token, "*").allowed


def test_deny_with_not_principal_excuses_only_who_is_listed_whole() -> None:
    iam, sts = f"arn:aws:iam::{HOME}", f"arn:aws:sts::{HOME}"
    whole = [f"{iam}:root", f"{iam}:role/ci", f"{sts}:assumed-role/ci/run"]
    for listed in (whole, whole[:2], whole[1:], whole[:1]):
        deny = policy(PolicyKind.REPOSITORY, "Deny", NotPrincipal={"AWS": listed})
        policies = Policies(identity=[ALLOWS], resource=deny)
        assert ask(actors(HOME)["role session"], policies).allowed == (listed == whole)
        assert not ask(actors(HOME)["user"], policies).allowed
        bounded = Policies(identity=[ALLOWS], boundary=BOUNDARY, resource=deny)
        assert not ask(actors(HOME)["role session"], bounded).allowed


def test_a_service_is_allowed_by_the_resource_alone() -> None:
    service = Actor("service", "codebuild.amazonaws.com", "")
    assert ask(service, Policies(resource=granted({"Service": service.arn}, HOME))).allowed
    assert not ask(service, Policies(resource=granted({"AWS": HOME}, HOME))).allowed
    assert not ask(service, Policies(identity=[ALLOWS])).allowed


class TestAssumingARole:
    """A role's trust policy must speak for the caller, in its own account too (iam-behaviour 2.6)."""

    ROLE = f"arn:aws:iam::{HOME}:role/deploy"

    def assume(self, actor: Actor, trusted: Any, *, own: bool, action: str = "sts:AssumeRole") -> bool:
        trust = policy(PolicyKind.TRUST, Action=action, Principal=trusted)
        identity = [policy(PolicyKind.IDENTITY, Action="sts:AssumeRole")] if own else []
        return ask(actor, Policies(identity=identity, resource=trust), action, self.ROLE).allowed

    def test_identity_policies_alone_are_not_enough(self) -> None:
        assert not self.assume(actors(HOME)["user"], {"AWS": AWAY}, own=True)

    def test_the_account_form_leaves_it_to_the_identity_policies(self) -> None:
        assert self.assume(actors(HOME)["user"], {"AWS": HOME}, own=True)
        assert not self.assume(actors(HOME)["user"], {"AWS": HOME}, own=False)

    def test_naming_the_user_is_enough_in_one_account_and_half_across_two(self) -> None:
        for account, alone in ((HOME, True), (AWAY, False)):
            named = {"AWS": f"arn:aws:iam::{account}:user/ann"}
            assert self.assume(actors(account)["user"], named, own=True)
            assert self.assume(actors(account)["user"], named, own=False) == alone

    def test_a_web_identity_is_trusted_only_where_its_provider_is_named(self) -> None:
        provider = f"arn:aws:iam::{HOME}:oidc-provider/issuer.example"
        actor, action = Actor("web_identity", provider, ""), "sts:AssumeRoleWithWebIdentity"
        assert self.assume(actor, {"Federated": provider}, own=False, action=action)
        assert not self.assume(actor, {"Federated": f"{provider}/x"}, own=False, action=action)
        assert not self.assume(actor, "*", own=True, action=action)
        assert not self.assume(actor, {"AWS": HOME}, own=True, action=action)


def test_whatever_goes_wrong_inside_denies() -> None:
    class Broken(dict[str, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            raise RuntimeError(key, default)

    conditional = policy(PolicyKind.IDENTITY, Condition={"StringEquals": {"aws:userid": "x"}})
    question = Question(actors(HOME)["user"], PULL, APP, HOME, Broken())
    decision = evaluate(question, Policies(identity=[ALLOWS, conditional]))
    assert (decision.verdict, decision.by) == ("explicit_deny", "error")


def test_a_decision_says_which_keys_it_rests_on() -> None:
    conditional = policy(PolicyKind.IDENTITY, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    assert ask(actors(HOME)["user"], Policies(identity=[conditional])).keys == {"aws:sourceip"}
    assert ask(actors(HOME)["user"], Policies(identity=[ALLOWS])).keys == frozenset()
