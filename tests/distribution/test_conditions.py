from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.distribution.conditions import entity_tag, is_known, range_of

DIGEST = Digest.of(b"content")
TAG = entity_tag(DIGEST)


@pytest.mark.parametrize(
    "header", ["*", TAG, f"W/{TAG}", f'"a",{TAG}', f'W/"a" , W/{TAG},"b"', str(DIGEST), f" {TAG} "]
)
def test_bytes_that_are_listed_are_known(header: str) -> None:
    assert is_known({"if-none-match": header}, DIGEST)


@pytest.mark.parametrize("header", ["", '"*"', '"a"', TAG[:-1], f'"{TAG}"', f'"{DIGEST}x"', "**", "W/*"])
def test_bytes_that_are_not_listed_are_not(header: str) -> None:
    assert not is_known({"if-none-match": header}, DIGEST)


def test_who_says_nothing_knows_nothing() -> None:
    assert not is_known({}, DIGEST)


@pytest.mark.parametrize(("condition", "kept"), [(TAG, True), (f"W/{TAG}", False), ('"a"', False), ("*", False)])
def test_a_range_is_kept_for_the_same_bytes_only(condition: str, kept: bool) -> None:  # noqa: FBT001 - from the table
    assert range_of({"range": "bytes=0-1", "if-range": condition}, DIGEST) == ("bytes=0-1" if kept else None)
    assert range_of({"range": "bytes=0-1"}, DIGEST) == "bytes=0-1"
    assert range_of({"if-range": condition}, DIGEST) is None


@given(st.text())
def test_any_condition_is_read(header: str) -> None:
    is_known({"if-none-match": header}, DIGEST)
    range_of({"if-range": header}, DIGEST)
