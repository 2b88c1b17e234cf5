"""Session tokens: what was sealed comes back, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.errors import SecurityTokenInvalid
from portside.identity import sessions
from portside.identity.box import Box
from portside.identity.caller import Session
from portside.identity.sessions import Temporary

BOX, KEY = Box(b"k" * 32), b"k" * 32
SESSION = Session(
    "id",
    "run",
    1,
    2,
    policies=('{"Version": "2012-10-17"}',),
    tags={"team": "blue"},
    transitive_tags=("team",),
    claims={"issuer.example:amr": ["a", "b"]},
    origin="AKIA",
)
HELD = Temporary("ASIAEXAMPLE", "111122223333", "role", "AROAEXAMPLE", SESSION)
TOKEN = sessions.seal(BOX, HELD)


def test_a_token_gives_back_what_was_sealed() -> None:
    assert sessions.unseal(BOX, TOKEN) == HELD


@given(
    st.lists(st.text(max_size=50), max_size=3) | st.none(),
    st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5),
    st.text(max_size=40) | st.none(),
)
def test_every_session_comes_back(policies: list[str] | None, tags: dict[str, str], source: str | None) -> None:
    session = Session(
        "id", "run", 1, 2, policies=None if policies is None else tuple(policies), tags=tags, source_identity=source
    )
    held = Temporary("ASIA", "111122223333", "user", None, session)
    assert sessions.unseal(BOX, sessions.seal(BOX, held)) == held


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_a_changed_token_is_none(at: int, sign: str) -> None:
    changed = f"{TOKEN[:at]}{sign}{TOKEN[at + 1 :]}"
    try:
        # The last characters carry bits that mean nothing.
        assert sessions.unseal(BOX, changed) == HELD
        assert at == len(TOKEN) - 1 or sign == TOKEN[at]
    except SecurityTokenInvalid:
        pass


@pytest.mark.parametrize("sign", "+/=!\n ")
def test_a_token_has_one_spelling(sign: str) -> None:
    other = {"+": "-", "/": "_"}.get(sign, "A")
    token = next(token for token in iter(lambda: sessions.seal(BOX, HELD), "") if other in token)
    changed = token.replace(other, sign if sign in "+/" else f"A{sign}")
    with pytest.raises(SecurityTokenInvalid):
        sessions.unseal(BOX, changed)


@pytest.mark.parametrize("token", ["", "x", "é", TOKEN[:-4], TOKEN + "AAAA", "A" * 9000, TOKEN[4:]])
def test_what_was_never_sealed_is_invalid(token: str) -> None:
    with pytest.raises(SecurityTokenInvalid):
        sessions.unseal(BOX, token)


def test_a_token_of_another_deployment_is_invalid() -> None:
    with pytest.raises(SecurityTokenInvalid):
        sessions.unseal(Box(b"o" * 32), TOKEN)


def test_the_secret_follows_from_the_token_and_the_key_alone() -> None:
    secret = sessions.secret_of(KEY, TOKEN)
    assert len(secret) == 40
    assert secret == sessions.secret_of(KEY, TOKEN)
    assert secret not in {sessions.secret_of(KEY, TOKEN + "A"), sessions.secret_of(b"o" * 32, TOKEN)}


def test_a_token_shows_nothing_of_what_it_holds() -> None:
    assert all(word not in TOKEN for word in ("ASIAEXAMPLE", "AROAEXAMPLE", "team", "blue"))
