"""Roles for tokens of issuers: whom is asked for keys, what of a token is believed, and when its sessions end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import pytest

from portside.core.errors import SecurityTokenInvalid
from portside.core.iam_errors import (
    IdentityTokenInvalid,
    InvalidSessionParameter,
    NotAuthorizedToAssume,
    PackedPolicyTooLarge,
    ValidationFailed,
)
from portside.core.identities import Identity
from portside.registry.access import Access
from portside.registry.sessions import Granted, Sessions, Wish
from portside.registry.web_identity import WebIdentities
from tests.registry.house import ACCOUNT, House
from tests.registry.iam_house import document
from tests.registry.test_callers import now, signed
from tests.registry.test_sessions import acting, assume, role
from tests.wire.issuer import AUDIENCE, Issuer

ISSUER, STRANGER = Issuer(), Issuer()
NAME = ISSUER.url.removeprefix("https://")
SUBJECT = {f"{NAME}:sub": "repo:team/app"}
TAGS, SOURCE = "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"
ACTIONS = ("sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity")


class Known:
    """An issuer whose keys are at hand; `old` are those that are remembered until they are asked for anew."""

    def __init__(self) -> None:
        self.old: Sequence[dict[str, Any]] = ISSUER.key_set["keys"]
        self.asked: list[tuple[str, bool]] = []

    async def keys(self, issuer: str, *, anew: bool = False) -> Sequence[dict[str, Any]]:
        self.asked.append((issuer, anew))
        return ISSUER.key_set["keys"] if anew else self.old


class Desk:
    """A registry that takes tokens of ISSUER for sessions of a role."""

    def __init__(self, house: House, provider: Identity, target: Identity) -> None:
        self.house, self.provider, self.role, self.issuers = house, provider, target, Known()
        access = Access(house.stores)
        self._web = WebIdentities(house.stores, access, Sessions(house.stores, access), self.issuers)

    async def take(self, token: str, **wish: Any) -> Granted:
        found = await self._web.assume_role(now(self.house), self.role.arn, "run", token, Wish(**wish))
        return found[0]


@pytest.fixture
async def desk(house: House) -> Desk:
    house.clock.now = int(time.time()) * 1_000_000
    return Desk(house, await provided(house), await role(house, "deploy", trust()))


async def provided(house: House) -> Identity:
    return await house.registry.iam.providers.create(
        house.caller, ISSUER.url, clients=[AUDIENCE], thumbprints=[], tags={}
    )


def trust(*actions: str, **condition: Any) -> str:
    principal = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{NAME}"}
    return document(list(actions or ACTIONS), Principal=principal, Condition=condition or {"StringEquals": SUBJECT})


async def test_a_token_gives_a_session_that_says_who_vouched_for_it(desk: Desk) -> None:
    granted = await desk.take(ISSUER.token())
    assert granted.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run"
    assert granted.session.provider == desk.provider.arn
    assert granted.session.claims == {f"{NAME}:sub": "repo:team/app", f"{NAME}:aud": AUDIENCE}
    assert granted.session.origin is None


async def test_keys_are_asked_for_anew_only_for_a_key_that_is_not_known(desk: Desk) -> None:
    await desk.take(ISSUER.token())
    assert desk.issuers.asked == [(ISSUER.url, False)]
    desk.issuers.old = ()
    await desk.take(ISSUER.token())
    assert desk.issuers.asked[1:] == [(ISSUER.url, False), (ISSUER.url, True)]


@pytest.mark.parametrize(
    "issuer",
    [
        "https://other.example",
        f"https://{NAME}//",
        f"https://{NAME}/path",
        f"http://{NAME}",
        NAME,
        f"HTTPS://{NAME}",
        f"https://{NAME.upper()}",
        f"https://user@{NAME}",
        f"https://https://{NAME}",
    ],
)
async def test_only_a_provider_of_the_account_is_asked_for_keys(desk: Desk, issuer: str) -> None:
    with pytest.raises(IdentityTokenInvalid, match="No OpenIDConnect provider found in your account for"):
        await desk.take(ISSUER.token(iss=issuer))
    assert not desk.issuers.asked


async def test_a_slash_at_the_end_of_an_issuer_is_of_no_account(desk: Desk) -> None:
    assert await desk.take(ISSUER.token(iss=f"https://{NAME}/"))


async def test_a_strangers_signature_is_refused_before_any_claim_is_looked_at(desk: Desk) -> None:
    with pytest.raises(IdentityTokenInvalid, match="signature"):
        await desk.take(STRANGER.token(exp=1, aud="other", sub="other"))


@pytest.mark.parametrize(
    "claims", [{"sub": "repo:other/app"}, {"sub": "REPO:team/app"}, {"sub": "repo:team/app/"}, {"ref": "evil"}]
)
async def test_the_trust_policy_speaks_of_claims(desk: Desk, claims: Any) -> None:
    condition = {"StringEquals": SUBJECT, "StringNotEqualsIfExists": {f"{NAME}:ref": "evil"}}
    desk.role = await role(desk.house, "strict", trust(**condition))
    assert await desk.take(ISSUER.token())
    with pytest.raises(NotAuthorizedToAssume):
        await desk.take(ISSUER.token(**claims))


async def test_another_accounts_provider_is_nobody(desk: Desk) -> None:
    other = trust().replace(ACCOUNT, "999999999999")
    desk.role = await role(desk.house, "other", other)
    with pytest.raises(NotAuthorizedToAssume):
        await desk.take(ISSUER.token())


async def test_tags_and_the_source_identity_come_from_the_token_alone(desk: Desk) -> None:
    carried: Any = {"principal_tags": {"team": ["blue"], "cost": "7"}, "transitive_tag_keys": ["team"]}
    claims: Any = {TAGS: carried, SOURCE: "ann"}
    granted = await desk.take(ISSUER.token(**claims), tags=[("team", "red")], source_identity="bob")
    assert granted.session.tags == {"team": "blue", "cost": "7"}
    assert granted.session.transitive_tags == ("team",)
    assert granted.session.source_identity == "ann"


@pytest.mark.parametrize(
    ("claims", "action"),
    [({TAGS: {"principal_tags": {"a": ["1"]}}}, "sts:TagSession"), ({SOURCE: "ann"}, "sts:SetSourceIdentity")],
)
async def test_what_a_token_carries_must_be_trusted_too(desk: Desk, claims: Any, action: str) -> None:
    desk.role = await role(desk.house, "plain", trust(*[one for one in ACTIONS if one != action]))
    assert await desk.take(ISSUER.token())
    with pytest.raises(NotAuthorizedToAssume):
        await desk.take(ISSUER.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {SOURCE: 7},
        {SOURCE: "a"},
        {SOURCE: "a" * 65},
        {SOURCE: "a b"},
        {TAGS: {"principal_tags": {"a": [7]}}},
        {TAGS: {"principal_tags": {"a": []}}},
        {TAGS: {"principal_tags": {"": ["1"]}}},
        {TAGS: {"principal_tags": {"a": ["x" * 257]}}},
        {TAGS: {"principal_tags": {"a" * 129: ["x"]}}},
        {TAGS: {"principal_tags": {"a": ["<script>"]}}},
    ],
)
async def test_what_could_not_be_asked_for_cannot_be_carried_in(desk: Desk, claims: Any) -> None:
    with pytest.raises(IdentityTokenInvalid, match=r"(is|are) malformed"):
        await desk.take(ISSUER.token(**claims))


@pytest.mark.parametrize(
    ("carried", "failure"),
    [
        ({"principal_tags": {"a": ["1"], "A": ["2"]}}, InvalidSessionParameter),
        ({"transitive_tag_keys": ["a"]}, InvalidSessionParameter),
        ({"principal_tags": {f"k{at}": ["1"] for at in range(51)}}, InvalidSessionParameter),
        ({"principal_tags": {f"k{at}": [secrets.token_hex(100)] for at in range(50)}}, PackedPolicyTooLarge),
    ],
)
async def test_carried_tags_keep_the_rules_of_tags(desk: Desk, carried: Any, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        await desk.take(ISSUER.token(**{TAGS: carried}))


async def test_claims_that_no_session_token_can_carry_are_refused(desk: Desk) -> None:
    desk.role = await role(desk.house, "wide", trust(StringEquals={f"{NAME}:aud": AUDIENCE}))
    with pytest.raises(PackedPolicyTooLarge):
        await desk.take(ISSUER.token(sub=secrets.token_hex(5000)))


async def test_a_role_says_how_long_its_sessions_last(desk: Desk) -> None:
    with pytest.raises(ValidationFailed, match="MaxSessionDuration"):
        await desk.take(ISSUER.token(), seconds=3601)


async def test_sessions_end_with_their_provider_even_when_its_name_returns(desk: Desk) -> None:
    house = desk.house
    last = await role(house, "last")
    first = await desk.take(ISSUER.token())
    chained = await assume(house, acting(house, first), last)
    assert [await acts(house, granted) for granted in (first, chained)] == [True, True]
    await house.registry.iam.providers.delete(house.caller, desk.provider.arn)
    assert [await acts(house, granted) for granted in (first, chained)] == [False, False]
    house.clock.forward(1)
    await provided(house)
    assert [await acts(house, granted) for granted in (first, chained)] == [False, False]
    assert await acts(house, await desk.take(ISSUER.token()))


async def acts(house: House, granted: Granted) -> bool:
    held = granted.credentials
    try:
        await signed(house, held.access_key, held.secret, held.token)
    except SecurityTokenInvalid:
        return False
    return True
