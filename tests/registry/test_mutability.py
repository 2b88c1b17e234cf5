from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.records import RepositorySettings, TagExclusion
from portside.registry.mutability import MODES, is_immutable


def settings_of(mode: str, *filters: str) -> RepositorySettings:
    return RepositorySettings(tag_mutability=mode, tag_exclusions=[TagExclusion(one) for one in filters])


@pytest.mark.parametrize(
    ("mode", "excluded", "other"),
    [
        ("MUTABLE", False, False),
        ("IMMUTABLE", True, True),
        ("MUTABLE_WITH_EXCLUSION", True, False),
        ("IMMUTABLE_WITH_EXCLUSION", False, True),
    ],
)
def test_the_four_modes(mode: str, *, excluded: bool, other: bool) -> None:
    settings = settings_of(mode, "dev-*", "latest")
    assert is_immutable(settings, "dev-1") is excluded
    assert is_immutable(settings, "latest") is excluded
    assert is_immutable(settings, "latest2") is other
    assert mode in MODES


def test_without_filters_nothing_is_excluded() -> None:
    assert is_immutable(settings_of("IMMUTABLE_WITH_EXCLUSION"), "v1")
    assert not is_immutable(settings_of("MUTABLE_WITH_EXCLUSION"), "v1")


def matches(pattern: str, tag: str) -> bool:
    return is_immutable(settings_of("MUTABLE_WITH_EXCLUSION", pattern), tag)


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        ("*", "v1", True),
        ("**", "v1", True),
        ("v*", "v", True),
        ("*v", "v", True),
        ("v*v", "v", False),
        ("v*v", "vv", True),
        ("v1.2", "v1x2", False),
        ("v1", "V1", False),
        ("a*b*c", "abbc", True),
        ("a*b*c", "acb", False),
        ("*a*a*", "a", False),
        ("*ab*ba*", "aba", False),
        ("*ab*ba*", "abba", True),
    ],
)
def test_a_star_stands_for_any_run(pattern: str, tag: str, *, expected: bool) -> None:
    assert matches(pattern, tag) is expected


@given(st.text("ab*.", min_size=1, max_size=8), st.text("ab.", min_size=1, max_size=8))
def test_filters_match_as_the_same_regular_expression_does(pattern: str, tag: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert matches(pattern, tag) == bool(re.fullmatch(expression, tag))


@pytest.mark.parametrize("pattern", ["*a" * 64, "a*" * 64, "*" * 128, "*ab" * 42, "a*" * 63 + "b"])
def test_no_filter_takes_long(pattern: str) -> None:
    began = time.perf_counter()
    for tag in ("a" * 128, "a" * 127 + "c", "ab" * 64):
        matches(pattern, tag)
    assert time.perf_counter() - began < 0.1
