"""Wildcards: what fits, against a plain recursion, and that no pattern costs more than its length."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from portside.identity.policy.patterns import ANY, ONE, Pattern
from tests.identity.policy.slow_evaluator import glob


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_a_pattern_fits_what_a_plain_recursion_says(pattern: str, text: str) -> None:
    assert Pattern.of(pattern).matches(text) == glob(pattern, text)


def test_a_star_in_a_filled_in_text_is_a_star() -> None:
    assert Pattern(["a*", ANY]).matches("a*b")
    assert not Pattern(["a*", ANY]).matches("abb")
    assert not Pattern(["?", ONE]).matches("ab")


def test_a_hostile_pattern_takes_time_in_proportion_to_the_text() -> None:
    pattern = Pattern.of("*a?" * 2000 + "b")
    text = "a" * 100_000
    began = time.process_time()
    assert not pattern.matches(text)
    assert Pattern.of("*" + "?a" * 2000 + "b*").matches(text) is False
    assert time.process_time() - began < 5  # a backtracking matcher would not end in a lifetime
