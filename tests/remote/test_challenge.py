from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.remote.challenge import Challenge

READ: dict[str, Challenge | None] = {
    'Basic realm="https://a.example/",service="ecr.amazonaws.com"': Challenge(
        "basic", "https://a.example/", "ecr.amazonaws.com"
    ),
    'Bearer realm="https://a/token",service="s",scope="repository:x:pull,push"': Challenge(
        "bearer", "https://a/token", "s", "repository:x:pull,push"
    ),
    'bearer realm="https://a/token" , service=s': Challenge("bearer", "https://a/token", "s"),
    'Basic realm="a", Bearer realm="https://b/"': Challenge("bearer", "https://b/"),
    'Negotiate, Basic realm="a"': None,
    'Basic realm="with \\"quotes\\", and, commas"': Challenge("basic", 'with "quotes", and, commas'),
    "": None,
    "Basic": None,
    "Digest realm=x": None,
}


@pytest.mark.parametrize(("header", "expected"), READ.items(), ids=READ)
def test_a_challenge_is_read(header: str, expected: Challenge | None) -> None:
    assert Challenge.parse(header) == expected


@given(st.text())
def test_any_header_is_read_or_is_none(header: str) -> None:
    found = Challenge.parse(header)
    assert found is None or found.scheme in {"basic", "bearer"}


def test_only_ecr_s_own_challenge_is_ecr_s() -> None:
    assert Challenge("basic", service="ecr.amazonaws.com").speaks_ecr
    assert not Challenge("bearer", service="ecr.amazonaws.com").speaks_ecr
    assert not Challenge("basic", service="registry").speaks_ecr
