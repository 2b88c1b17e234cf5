from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.errors import InvalidParameter
from portside.identity.box import Box
from portside.registry.listing import PageTokens

PAGES = PageTokens(Box(b"p" * 32))


@given(st.text(), st.lists(st.integers(-(2**63), 2**63) | st.text()))
def test_a_token_gives_back_its_position(query: str, position: list[object]) -> None:
    assert PAGES.open(query, PAGES.seal(query, position)) == position


@given(st.text(), st.text())
def test_a_token_continues_only_its_own_query(one: str, other: str) -> None:
    token = PAGES.seal(one, ["x"])
    if one != other:
        with pytest.raises(InvalidParameter, match="Invalid next token"):
            PAGES.open(other, token)


@given(st.text())
def test_any_text_is_no_token(token: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid next token"):
        PAGES.open("", token)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: "!" + token,
        lambda token: token[:8] + " " + token[8:],
        lambda token: token + "A" * 5000,
        lambda token: token.replace("-", "+").replace("_", "/"),
        lambda token: token.rstrip("=")[:-1] + chr(ord(token.rstrip("=")[-1]) + 1) + "=" * token.count("="),
    ],
    ids=["padding", "newline", "foreign", "space", "appended", "alphabet", "idle bits"],
)
def test_a_token_has_one_form(change: Callable[[str], str]) -> None:
    tokens = [PAGES.seal("", ["x" * length]) for length in range(60)]
    changed = [(token, change(token)) for token in tokens]
    for token, other in changed:
        assert PAGES.open("", token)
        if other != token:
            with pytest.raises(InvalidParameter, match="Invalid next token"):
                PAGES.open("", other)
    assert any(token != other for token, other in changed)


def test_a_very_long_token_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        PAGES.open("", "A" * 50_000_000)


def test_a_position_cannot_be_read() -> None:
    assert "secret" not in PAGES.seal("", ["secret"])
