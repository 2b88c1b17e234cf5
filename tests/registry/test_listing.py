from __future__ import annotations

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


def test_a_very_long_token_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        PAGES.open("", "A" * 50_000_000)


def test_a_position_cannot_be_read() -> None:
    assert "secret" not in PAGES.seal("", ["secret"])
