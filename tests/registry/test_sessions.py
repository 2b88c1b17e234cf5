"""Temporary credentials: who may have them, for how long, what they hand down, and with what they end."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

import pytest

from portside.core.errors import (
    AccessDenied,
    RegistryTokenInvalid,
    SecurityTokenExpired,
    SecurityTokenInvalid,
)
from portside.core.iam_errors import (
    InvalidSessionParameter,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationFailed,
)
from portside.core.identities import Identity, Kind
from portside.identity import sessions
from portside.identity.box import Box
from portside.identity.caller import Caller
from portside.identity.sessions import Temporary
from portside.registry.iam.operators import Operators
from portside.registry.sessions import Granted, Wish
from tests.registry.house import ACCOUNT, KEY, REGION, STRANGER, House
from tests.registry.iam_house import document, user
from tests.registry.test_callers import bearer, now, set_key, signed

ASSUME = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def trust(*actions: str, **more: Any) -> str:
    return document(list(actions or ASSUME), Principal={"AWS": ACCOUNT}, **more)


async def role(house: House, name: str, text: str | None = None, *actions: str, **attributes: Any) -> Identity:
    """A role that its own account trusts, and that may assume others."""
    attributes = {"trust": text or trust(), "max_session": 3600, **attributes}
    made = await house.registry.iam.directory.create(house.caller, Kind.ROLE, name, attributes=attributes)
    allowed = document([*ASSUME, *actions])
    await house.registry.iam.holding.put(house.caller, Kind.ROLE, name, "own", allowed)
    return made


@pytest.fixture
async def ann(house: House) -> Caller:
    """A user whose key is the one that the root user has in other tests."""
    found = await user(house, "ann", *ASSUME, "sts:GetFederationToken", "ecr:*")
    return dataclasses.replace(found, principal=dataclasses.replace(found.principal, access_key=KEY))


async def assume(house: House, caller: Caller, role: Identity, **wish: Any) -> Granted:
    return await house.registry.sessions.assume_role(caller, role.arn, "run", Wish(**wish))


def acting(house: House, granted: Granted) -> Caller:
    return Caller(granted.principal, now(house))


async def use(house: House, granted: Granted) -> Caller:
    held = granted.credentials
    return await signed(house, held.access_key, held.secret, held.token)


async def test_a_session_acts_as_the_role_until_it_ends(house: House, ann: Caller) -> None:
    granted = await assume(house, ann, await role(house, "deploy"), seconds=900)
    found = (await use(house, granted)).principal
    assert found == granted.principal
    assert found.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run"
    assert found.user_id.startswith("AROA")
    assert found.user_id.endswith(":run")
    house.clock.forward(899)
    assert await use(house, granted)
    house.clock.forward(1)
    with pytest.raises(SecurityTokenExpired):
        await use(house, granted)


@pytest.mark.parametrize(
    ("seconds", "limit", "allowed"), [(None, 3600, 3600), (None, 43200, 3600), (43200, 43200, 43200), (3601, 3600, 0)]
)
async def test_a_role_says_how_long_its_sessions_last(
    house: House, ann: Caller, seconds: int | None, limit: int, allowed: int
) -> None:
    target = await role(house, "deploy", max_session=limit)
    if not allowed:
        with pytest.raises(ValidationFailed, match="exceeds the MaxSessionDuration set for this role"):
            await assume(house, ann, target, seconds=seconds)
        return
    granted = await assume(house, ann, target, seconds=seconds)
    assert granted.credentials.expires_at == house.clock() // 1_000_000 * 1_000_000 + allowed * 1_000_000


async def test_a_root_user_assumes_no_role(house: House) -> None:
    with pytest.raises(AccessDenied, match="roles may not be assumed by root accounts"):
        await assume(house, house.caller, await role(house, "deploy"))


async def test_a_missing_role_is_refused_as_one_that_does_not_trust(house: House, ann: Caller) -> None:
    closed = await role(house, "closed", document("sts:AssumeRole", Principal={"AWS": STRANGER}))
    told: list[str] = []
    for arn in (closed.arn, closed.arn.replace("closed", "absent")):
        with pytest.raises(AccessDenied) as caught:
            await house.registry.sessions.assume_role(ann, arn, "run", Wish())
        told.append(caught.value.message.split(" because ")[0].replace("absent", "closed"))
    assert told[0] == told[1]


@pytest.mark.parametrize("given", [None, "other-id", "SECRET-ID"])
async def test_the_external_id_is_asked_for(house: House, ann: Caller, given: str | None) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "secret-id"}}
    target = await role(house, "vendor", trust("sts:AssumeRole", Condition=condition))
    with pytest.raises(AccessDenied):
        await assume(house, ann, target, external_id=given)
    assert await assume(house, ann, target, external_id="secret-id")


# --- what goes down a chain -------------------------------------------------------------------------------------------


async def test_chained_sessions_last_an_hour_at_most(house: House, ann: Caller) -> None:
    target = await role(house, "deploy", max_session=7200)
    first = acting(house, await assume(house, ann, target))
    with pytest.raises(ValidationFailed, match="1 hour session limit for roles assumed by role chaining"):
        await assume(house, first, target, seconds=3601)
    assert await assume(house, first, target, seconds=3600)


async def test_transitive_tags_go_on_and_others_do_not(house: House, ann: Caller) -> None:
    target = await role(house, "deploy")
    tags = [("kept", "1"), ("lost", "2")]
    first = acting(house, await assume(house, ann, target, tags=tags, transitive=["kept"]))
    second = acting(house, await assume(house, first, target, tags=[("own", "3")]))
    third = await assume(house, second, target)
    assert second.principal.session is not None
    assert second.principal.session.tags == {"kept": "1", "own": "3"}
    assert third.session.tags == {"kept": "1"}
    with pytest.raises(InvalidSessionParameter, match="conflicts with a transitive tag key"):
        await assume(house, first, target, tags=[("KEPT", "9")])


@pytest.mark.parametrize(
    ("wish", "action"),
    [
        ({"tags": [("team", "blue")], "transitive": ["team"]}, "sts:TagSession"),
        ({"source_identity": "ann"}, "sts:SetSourceIdentity"),
    ],
)
async def test_what_is_handed_down_must_be_trusted_all_the_way(
    house: House, ann: Caller, wish: dict[str, Any], action: str
) -> None:
    first = acting(house, await assume(house, ann, await role(house, "first"), **wish))
    others = [one for one in ASSUME if one != action]
    last = await role(house, "last", trust(*others))
    with pytest.raises(AccessDenied, match=action):
        await assume(house, first, last)
    assert await assume(house, acting(house, await assume(house, ann, last)), last)


async def test_a_source_identity_stays_the_same_down_the_chain(house: House, ann: Caller) -> None:
    target = await role(house, "deploy")
    first = acting(house, await assume(house, ann, target, source_identity="ann"))
    assert (await assume(house, first, target)).session.source_identity == "ann"
    assert (await assume(house, first, target, source_identity="ann")).session.source_identity == "ann"
    with pytest.raises(AccessDenied, match="stays as it was set first"):
        await assume(house, first, target, source_identity="bob")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"tags": [("a", "1"), ("A", "2")]}, "Duplicate tag keys found"),
        ({"transitive": ["a"]}, "must be included in the requested tags"),
        ({"tags": [(f"k{at}", "") for at in range(51)]}, "More than 50 tags"),
    ],
)
async def test_tags_that_contradict_each_other_are_refused(
    house: House, ann: Caller, wish: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidSessionParameter, match=told):
        await assume(house, ann, await role(house, "deploy"), **wish)


# --- narrowing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["", "{", "[]", '{"Version": "2012-10-17"}', document(Principal="*")])
async def test_a_session_policy_is_a_policy(house: House, ann: Caller, policy: str) -> None:
    with pytest.raises(MalformedPolicyDocument):
        await assume(house, ann, await role(house, "deploy"), policy=policy)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/None",
        f"arn:aws:iam::{ACCOUNT}:policy/none",
        f"arn:aws:iam::{STRANGER}:policy/none",
        f"arn:aws:iam::{ACCOUNT}:role/deploy",
        "rubbish, not an ARN at all",
    ],
)
async def test_a_managed_session_policy_that_is_not_there_is_refused(house: House, ann: Caller, arn: str) -> None:
    with pytest.raises(MalformedPolicyDocument, match="does not exist"):
        await assume(house, ann, await role(house, "deploy"), policy_arns=[arn])


async def test_ten_managed_session_policies_are_the_most(house: House, ann: Caller) -> None:
    arns = ["arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"] * 11
    target = await role(house, "deploy")
    assert await assume(house, ann, target, policy_arns=arns[1:])
    with pytest.raises(ValidationFailed, match="More than 10 session policies"):
        await assume(house, ann, target, policy_arns=arns)


NOISE = [(f"k{at}", secrets.token_hex(120)) for at in range(40)]
AIR = [(f"k{at}", "a" * 2000) for at in range(50)]
"""It packs well, and is too long to be unpacked again."""


@pytest.mark.parametrize("tags", [NOISE, AIR], ids=["noise", "air"])
async def test_what_no_token_can_carry_is_refused(house: House, ann: Caller, tags: list[tuple[str, str]]) -> None:
    target = await role(house, "deploy")
    with pytest.raises(PackedPolicyTooLarge):
        await assume(house, ann, target, tags=tags)
    for account in (ann, house.caller):
        with pytest.raises(PackedPolicyTooLarge):
            await house.registry.sessions.get_federation_token(account, "guest", Wish(tags=tags))


async def test_the_largest_session_that_is_given_still_logs_in(house: House, ann: Caller) -> None:
    target = await role(house, "deploy", None, "ecr:*")
    tags = [(f"key-{at}", secrets.token_hex(50)) for at in range(46)]
    granted = await assume(house, ann, target, tags=tags, source_identity="a" * 64)
    assert 80 < granted.packed_percent <= 100
    assert await use(house, granted)
    token = await house.registry.callers.issue_token(acting(house, granted), REGION)
    assert len(token.password) <= 8192
    assert (await bearer(house, token.password)).caller.principal == granted.principal


# --- users' and federated users' sessions -----------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "lasts"), [(None, 43_200), (900, 900), (129_600, 129_600)])
async def test_a_user_gets_credentials_of_its_own(house: House, ann: Caller, seconds: int | None, lasts: int) -> None:
    granted = await house.registry.sessions.get_session_token(ann, seconds)
    assert granted.principal.arn == ann.principal.arn
    assert granted.credentials.expires_at - house.clock() == lasts * 1_000_000
    with pytest.raises(AccessDenied):
        await house.registry.sessions.get_session_token(acting(house, granted), None)


async def test_credentials_of_a_root_user_last_an_hour(house: House) -> None:
    for granted in (
        await house.registry.sessions.get_session_token(house.caller, 129_600),
        await house.registry.sessions.get_federation_token(house.caller, "guest", Wish(seconds=129_600)),
    ):
        assert granted.credentials.expires_at - house.clock() == 3_600_000_000


async def test_sessions_of_users_and_federated_users_may_not_ask_iam(house: House, ann: Caller) -> None:
    give = house.registry.sessions
    for granted in (
        await give.get_session_token(ann, None),
        await give.get_session_token(house.caller, None),
        await give.get_federation_token(ann, "guest", Wish(policy=document("*"))),
        await give.get_federation_token(house.caller, "guest", Wish(policy=document("*"))),
    ):
        who = acting(house, granted)
        with pytest.raises(SecurityTokenInvalid):
            await house.registry.iam.directory.get(who, Kind.USER, "ann")
        with pytest.raises(SecurityTokenInvalid):
            await house.registry.iam.directory.may_look(who, "sts:GetAccessKeyInfo", "*")
        with pytest.raises(AccessDenied):
            await give.get_federation_token(who, "more", Wish())


async def test_a_federated_user_assumes_no_role(house: House, ann: Caller) -> None:
    granted = await house.registry.sessions.get_federation_token(ann, "guest", Wish(policy=document("*")))
    with pytest.raises(AccessDenied):
        await assume(house, acting(house, granted), await role(house, "deploy"))


# --- the end ----------------------------------------------------------------------------------------------------------


async def over(house: House, granted: Granted, password: str) -> bool:
    """Whether a session and the registry token that it was given are over."""
    ends: list[bool] = []
    for attempt, failure in (
        (use(house, granted), SecurityTokenInvalid),
        (bearer(house, password), RegistryTokenInvalid),
    ):
        try:
            await attempt
        except failure:
            ends.append(True)
        else:
            ends.append(False)
    assert ends[0] == ends[1]
    return ends[0]


async def chained(house: House, ann: Caller) -> tuple[Granted, str]:
    """A session of `last` by way of a session of `first`, and its registry token."""
    first = acting(house, await assume(house, ann, await role(house, "first")))
    house.clock.forward(1)
    granted = await assume(house, first, await role(house, "last", None, "ecr:*"))
    password = (await house.registry.callers.issue_token(acting(house, granted), REGION)).password
    assert not await over(house, granted, password)
    return granted, password


@pytest.mark.parametrize("name", ["first", "last"])
async def test_sessions_end_with_the_revocation_of_any_role_on_their_way(house: House, ann: Caller, name: str) -> None:
    granted, password = await chained(house, ann)
    await Operators(house.stores).revoke_sessions(ACCOUNT, name)
    assert await over(house, granted, password)


@pytest.mark.parametrize("name", ["first", "last"])
async def test_sessions_end_with_any_role_on_their_way_even_when_its_name_returns(
    house: House, ann: Caller, name: str
) -> None:
    granted, password = await chained(house, ann)
    iam = house.registry.iam
    await iam.holding.drop(house.caller, Kind.ROLE, name, "own")
    await iam.directory.delete(house.caller, Kind.ROLE, name)
    await role(house, name)
    assert await over(house, granted, password)


async def test_sessions_end_with_the_key_that_they_go_back_to(house: House, ann: Caller) -> None:
    granted, password = await chained(house, ann)
    await set_key(house, KEY, active=False)
    assert await over(house, granted, password)


async def test_a_chain_that_returns_to_a_role_keeps_its_oldest_session(house: House, ann: Caller) -> None:
    target = await role(house, "deploy")
    granted = first = await assume(house, ann, target)
    who = acting(house, first)
    for _ in range(30):
        house.clock.forward(1)
        granted = await assume(house, who, target)
        who = acting(house, granted)
    assert granted.session.lineage == {target.id: first.session.issued_at}


async def test_a_chain_has_an_end(house: House, ann: Caller) -> None:
    who = ann
    for at in range(21):
        who = acting(house, await assume(house, who, await role(house, f"role-{at}")))
    last = await role(house, "last")
    with pytest.raises(ValidationFailed, match="More than 20 roles cannot be chained"):
        await assume(house, who, last)


async def test_credentials_of_another_deployment_and_forged_ones_are_invalid(house: House, ann: Caller) -> None:
    granted = await assume(house, ann, await role(house, "deploy"))
    held = granted.credentials
    foreign = sessions.seal(Box(b"f" * 32), Temporary(held.access_key, ACCOUNT, "role", None, granted.session))
    for key, token in ((held.access_key, foreign), (held.access_key, held.token[:-4]), ("ASIAOTHER", held.token)):
        with pytest.raises(SecurityTokenInvalid):
            await signed(house, key, held.secret, token)
