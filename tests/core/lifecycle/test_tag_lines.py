"""Patterns over all tags at once say what wildcards.py says of each tag."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.lifecycle.tag_lines import TagLines, TagPattern
from portside.core.wildcards import matches

TAGS = st.lists(st.text("ab-", min_size=1, max_size=9), max_size=9)


def have(tags: list[str], text: str, *, prefix: bool = False) -> bool:
    return TagLines(tags).have(TagPattern(text, prefix=prefix))


@settings(max_examples=2000, deadline=None)
@given(TAGS, st.text("ab-*", min_size=1, max_size=9))
def test_a_pattern_fits_the_tags_when_it_fits_one(tags: list[str], pattern: str) -> None:
    assert have(tags, pattern) is any(matches(pattern, tag) for tag in tags)


@settings(deadline=None)
@given(TAGS, st.text("ab-*", min_size=1, max_size=3), st.integers(0, 60))
def test_a_pattern_fits_however_many_tags_come_before(tags: list[str], pattern: str, before: int) -> None:
    # After so many that have its parts in another order, the search goes on by an expression.
    last = f"*b*{pattern}*ab*"
    assert have(["ab-ba-ab-ba"[before % 3 :]] * before * 3 + tags, last) is any(
        matches(last, tag) for tag in ["ab-ba-ab-ba"[before % 3 :]] * min(before, 1) + tags
    )


@settings(max_examples=500, deadline=None)
@given(TAGS, st.text("ab-", min_size=1, max_size=4))
def test_a_prefix_fits_the_tags_when_one_begins_so(tags: list[str], prefix: str) -> None:
    assert have(tags, prefix, prefix=True) is any(tag.startswith(prefix) for tag in tags)


@pytest.mark.parametrize(
    ("tags", "pattern", "expected"),
    [
        ([], "*", False),
        (["a"], "*", True),
        (["a", "b"], "a*b", False),
        (["a", "b"], "a\nb", False),
        (["a", "b"], "*a\nb*", False),
        (["aba"], "ab*ba", False),
        (["a+b"], "a+b", True),
        (["aab"], "a+b", False),
        (["a.b"] * 100 + ["axb"], "*a*.*a*", False),
        (["ba"] * 100 + ["ab"], "*a*b*", True),
        (["ba"] * 100 + ["ab"], "*a*b", True),
        (["bba"] * 100 + ["abab"], "*a*b*a", False),
        (["bba"] * 100 + ["ababa"], "*a*b*a", True),
    ],
)
def test_nothing_reaches_over_the_end_of_a_tag(tags: list[str], pattern: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert have(tags, pattern) is expected


def test_a_star_in_a_prefix_is_a_star() -> None:
    assert not have(["ab"], "a*", prefix=True)


@pytest.mark.parametrize("tag", ["a" * 128, "a" * 40, "ab" * 64, "ab" * 20])
@pytest.mark.parametrize("pattern", ["*a*a*a*c", "a*aa*aaa*aac", "*aab*", "*aa*aa*aa*b-", "*ba*ba*ba*bb"])
def test_no_tags_make_a_pattern_take_long(tag: str, pattern: str) -> None:
    tags = [*([tag] * 998), "c-aac", "-b-bb-aab"]
    lines, found = TagLines(tags), TagPattern(pattern)
    begun = time.thread_time()
    assert lines.have(found) is any(matches(pattern, one) for one in tags)
    assert time.thread_time() - begun < 0.5  # one that goes back and forth takes minutes
