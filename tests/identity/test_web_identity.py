"""Web identity tokens: only what the issuer signed, for us and for now, is believed."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.iam_errors import IdentityError, IdentityTokenExpired, IdentityTokenInvalid
from portside.identity import web_identity
from tests.wire.issuer import AUDIENCE, Issuer, encoded

ISSUER, STRANGER = Issuer(), Issuer()
KEYS = ISSUER.key_set["keys"]
NOW = time.time()


def believed(text: str, clients: tuple[str, ...] = (AUDIENCE,), now: float | None = None) -> str:
    token = web_identity.parse(text)
    key = web_identity.key_for(token, KEYS)
    if key is None:
        raise IdentityTokenInvalid("no key")
    web_identity.verify(token, key)
    return web_identity.check(token, clients, time.time() if now is None else now)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_the_issuer_is_believed(algorithm: str) -> None:
    assert believed(ISSUER.token(algorithm)) == AUDIENCE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c",
        "é.é.é",
        ISSUER.token("none"),
        ISSUER.token("HS256", {"kid": "secret"}),
        ISSUER.token(head={"alg": "none"}),
        ISSUER.token(head={"kid": "rsa-two"}),
        ISSUER.token(head={"kid": "ec-one"}),
        ISSUER.token(head={"crit": ["x"]}),
        ISSUER.token(iss=None),
        ISSUER.token(iss=7),
        STRANGER.token(),
        STRANGER.token("ES256"),
        ISSUER.token()[:-4],
        ISSUER.token("ES256") + "AA",
        ISSUER.token(aud="another"),
        ISSUER.token(aud=None),
        ISSUER.token(aud=["another", 7]),
        ISSUER.token(aud=[AUDIENCE, "another"], azp="another"),
        ISSUER.token(sub=None),
        ISSUER.token(exp=None),
        ISSUER.token(exp="soon"),
        ISSUER.token(exp=True),
        ISSUER.token(exp=float("inf")),
        ISSUER.token(exp=float("nan")),
        ISSUER.token(exp=10**400),
        ISSUER.token(nbf=NOW + 43_200),
        ISSUER.token(SUB="repo:other"),
        ISSUER.token(sub="repo:\ud800"),
        ISSUER.token(Aud="another"),
        "x" * 30_000,
    ],
)
def test_what_is_not_the_issuers_word_for_us_is_invalid(text: str) -> None:
    with pytest.raises(IdentityTokenInvalid):
        believed(text)


def test_a_token_ends_on_time_and_clocks_may_differ_a_little() -> None:
    now = int(time.time())
    text = ISSUER.token(exp=now)
    assert believed(text, now=now + web_identity.SKEW - 1)
    with pytest.raises(IdentityTokenExpired):
        believed(text, now=now + web_identity.SKEW)


def test_of_several_audiences_the_authorized_party_counts() -> None:
    assert believed(ISSUER.token(aud=["a", "b"]), clients=("b",)) == "b"
    assert believed(ISSUER.token(aud=["a", "b"], azp="c"), clients=("c",)) == "c"


def test_a_claim_that_is_there_twice_is_none() -> None:
    content = json.dumps({"iss": ISSUER.url, "sub": "repo:team/app", "aud": AUDIENCE, "exp": NOW + 86_400})
    assert believed(ISSUER.signed("RS256", content)) == AUDIENCE
    with pytest.raises(IdentityTokenInvalid):
        believed(ISSUER.signed("RS256", content[:-1] + ', "sub": "repo:other"}'))


def test_claims_cannot_be_changed() -> None:
    head, _, signature = ISSUER.token().split(".")
    with pytest.raises(IdentityTokenInvalid):
        believed(f"{head}.{ISSUER.token(sub='repo:other').split('.')[1]}.{signature}")


@given(st.text(max_size=60), st.binary(max_size=60))
def test_no_text_does_worse_than_being_refused(text: str, content: bytes) -> None:
    for candidate in (text, f"{encoded(content)}.{encoded(content)}.{encoded(content)}"):
        with contextlib.suppress(IdentityError):
            believed(candidate)


@pytest.mark.parametrize("broken", [{"n": 7}, {"e": "!!"}, {"n": ""}, {"n": "AQAB"}])
def test_a_broken_or_small_key_verifies_nothing(broken: dict[str, Any]) -> None:
    token = web_identity.parse(ISSUER.token())
    with pytest.raises(IdentityTokenInvalid):
        web_identity.verify(token, {**KEYS[0], **broken})
