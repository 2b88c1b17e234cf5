"""What a policy does: the documented examples, what hangs together, and a second evaluator that is slow and plain."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.lifecycle.evaluation import DAY, Candidate, EvaluationStopped, Outcome, evaluate
from portside.core.lifecycle.grammar import read
from portside.core.lifecycle.policy import Policy, Rule
from tests.core.lifecycle.slow_evaluator import slowly

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "lifecycle" / "worked_examples.json").read_text())
NOW = 1_800_000_000_000_000
ANY_OLD = Rule(1, "any", "sinceImagePushed", 5)
ARCHIVE_OLD = replace(ANY_OLD, action="TRANSITION")


def image(digest: str, days: float = 10, **known: Any) -> Candidate:
    return Candidate(digest, NOW - int(days * DAY), **known)


def applied(rules: Sequence[Rule] | Rule, *images: Candidate) -> Outcome:
    return evaluate(Policy([rules] if isinstance(rules, Rule) else rules), images, NOW)


def gone(outcome: Outcome) -> list[str]:
    return [action.image.digest for action in outcome.actions]


def priorities(outcome: Outcome) -> dict[str, int]:
    return {action.image.digest: action.rule.priority if action.rule else 0 for action in outcome.actions}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_documented_example_comes_out_as_documented(vector: dict[str, Any]) -> None:
    rules = read(json.dumps({"rules": vector["rules"]}) + " " * 100)
    images = [image(name, known["days"], tags=known.get("tags", ())) for name, known in vector["images"].items()]
    outcome = evaluate(rules, images, NOW)
    assert priorities(outcome) == vector["expires"]
    assert gone(outcome) == sorted(vector["expires"])  # in these, the oldest come first


def test_an_image_is_old_only_after_the_whole_of_its_last_day() -> None:
    assert gone(applied(ANY_OLD, image("a", 5), replace(image("b", 5), pushed_at=NOW - 5 * DAY - 1))) == ["b"]


def test_coming_back_from_the_archive_counts_as_a_push() -> None:
    restored = image("a", 10, activated_at=NOW - 2 * DAY)
    assert gone(applied(ANY_OLD, restored)) == []
    newest = Rule(1, "any", "imageCountMoreThan", 1)
    assert gone(applied(newest, restored, image("b", 3))) == ["b"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, ["a"]),  # never pulled: the push counts
        ({"last_pull_at": NOW - 4 * DAY}, []),
        ({"last_pull_at": NOW - 6 * DAY}, ["a"]),
        ({"last_pull_at": NOW - 8 * DAY, "activated_at": NOW - 4 * DAY}, []),
        ({"last_pull_at": NOW - 6 * DAY, "activated_at": NOW - 7 * DAY}, ["a"]),
    ],
)
def test_an_image_is_unused_since_its_last_pull_push_or_return(known: dict[str, Any], expected: list[str]) -> None:
    rule = Rule(1, "any", "sinceImagePulled", 5, action="TRANSITION")
    assert gone(applied(rule, image("a", 10, **known))) == expected


def test_archived_images_are_counted_from_when_they_were_archived() -> None:
    rule = Rule(1, "any", "sinceImageTransitioned", 90, storage_class="ARCHIVE")
    archived = image("a", 300, status="ARCHIVED", archived_at=NOW - 91 * DAY)
    lately = replace(archived, digest="b", archived_at=NOW - 89 * DAY)
    untold = replace(archived, digest="c", archived_at=None)
    assert gone(applied(rule, archived, lately, untold, image("d", 300))) == ["a"]


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING"])
def test_a_rule_for_the_standard_class_leaves_other_images_alone(status: str) -> None:
    assert gone(applied(ANY_OLD, image("a", status=status))) == []


def test_an_image_that_an_index_lists_stays_with_it() -> None:
    outcome = applied(ANY_OLD, image("index", 2), image("a", parents=["index"]), image("b", parents=["elsewhere"]))
    assert gone(outcome) == ["b"]
    assert [action.image.digest for action in outcome.kept] == ["a"]


def test_an_index_goes_before_what_it_lists() -> None:
    outer, inner = image("outer", 6), image("inner", 7, parents=["outer"])
    assert gone(applied(ANY_OLD, image("a", 9, parents=["inner"]), inner, outer)) == ["outer", "inner", "a"]


def test_all_indexes_that_list_an_image_must_go() -> None:
    listed = image("a", parents=["old", "new"])
    assert gone(applied(ANY_OLD, listed, image("old"), image("new", 1))) == ["old"]


def test_what_stays_because_of_an_index_keeps_what_it_lists_itself() -> None:
    outcome = applied(
        ANY_OLD,
        image("top", 1),
        image("inner", parents=["top"]),
        image("a", parents=["inner"]),
        image("s", subject="a"),
    )
    assert gone(outcome) == []
    assert [action.image.digest for action in outcome.kept] == ["a", "inner", "s"]


def test_an_archived_index_lets_its_images_be_archived_and_not_deleted() -> None:
    index = image("index", status="ARCHIVED", archived_at=NOW)
    listed = image("a", parents=["index"])
    assert gone(applied(ARCHIVE_OLD, index, listed)) == ["a"]
    assert gone(applied(ANY_OLD, index, listed)) == []


def test_what_refers_to_an_image_goes_with_it_by_the_same_rule() -> None:
    rules = [Rule(1, "tagged", "sinceImagePushed", 5, prefixes=["v"]), Rule(2, "untagged", "sinceImagePushed", 5)]
    outcome = applied(rules, image("a", tags=["v1"]), image("s", 1, subject="a"), image("t", 1, subject="s"))
    assert priorities(outcome) == {"a": 1, "s": 1, "t": 1}


def test_what_refers_to_an_image_stays_with_it_and_is_not_counted() -> None:
    newest = Rule(1, "any", "imageCountMoreThan", 1)
    assert gone(applied(newest, image("a", 3), image("s", 2, subject="a"), image("t", 9, subject="a"))) == []


def test_what_refers_to_an_image_that_never_came_is_an_image_like_any() -> None:
    assert gone(applied(ANY_OLD, image("s", subject="unknown"), image("t", 1, subject="unknown"))) == ["s"]


def test_what_refers_to_a_deleted_image_goes_whatever_the_rules_say() -> None:
    rule = Rule(1, "tagged", "imageCountMoreThan", 100, prefixes=["v"])
    left = image("s", 0, subject="deleted", bereft=True, tags=["kept"])
    outcome = applied(rule, left, image("t", 0, subject="s"), image("a", 0), image("b", 0, subject="a"))
    assert [(action.image.digest, action.kind, action.rule) for action in outcome.actions] == [
        ("s", "EXPIRE", None),
        ("t", "EXPIRE", None),
    ]
    listed = applied(rule, replace(left, parents=["index"]), image("index", 0))
    assert (gone(listed), [action.image.digest for action in listed.kept]) == ([], ["s"])


def test_an_index_that_refers_to_a_deleted_image_lets_its_images_go_too() -> None:
    index = image("index", 0, subject="deleted", bereft=True)
    assert gone(applied(ANY_OLD, index, image("a", parents=["index"]))) == ["index", "a"]


def test_what_cannot_be_deleted_with_an_image_may_be_archived_with_it() -> None:
    left = image("a", subject="deleted", bereft=True, parents=["index"])
    archived = image("s", subject="a", status="ARCHIVED", archived_at=NOW - 91 * DAY)
    outcome = applied(ANY_OLD, image("index", 0), left, archived, image("t", subject="s"))
    assert [(action.image.digest, action.kind) for action in outcome.actions] == [("t", "TRANSITION")]


def test_what_refers_to_a_deleted_image_is_not_counted() -> None:
    newest = Rule(1, "any", "imageCountMoreThan", 1)
    left = image("s", 0, subject="deleted", bereft=True)
    assert gone(applied(newest, left, image("a", 3))) == ["s"]


def test_what_refers_to_an_image_that_was_pushed_again_stays() -> None:
    assert gone(applied(ANY_OLD, image("s", subject="a", bereft=True), image("a", 1))) == []


def test_what_refers_to_an_archived_image_is_archived() -> None:
    archived = image("a", status="ARCHIVED", archived_at=NOW - DAY)
    outcome = applied(ANY_OLD, archived, image("s", 0, subject="a"), image("t", 0, subject="s"))
    assert [(action.image.digest, action.kind, action.rule) for action in outcome.actions] == [
        ("s", "TRANSITION", None),
        ("t", "TRANSITION", None),
    ]


@pytest.mark.parametrize(("days", "goes"), [(90, False), (90.1, True), (None, False)])
def test_nothing_archived_is_deleted_before_ninety_days(days: float | None, *, goes: bool) -> None:
    archived_at = None if days is None else NOW - int(days * DAY)
    signature = image("s", subject="a", status="ARCHIVED", archived_at=archived_at)
    assert gone(applied(ANY_OLD, image("a"), signature)) == (["a", "s"] if goes else ["a"])
    left = replace(signature, bereft=True)
    assert gone(applied(ANY_OLD, left)) == (["s"] if goes else [])


def test_an_archived_signature_is_not_archived_again_and_is_deleted_with_its_image() -> None:
    signature = image("s", subject="a", status="ARCHIVED", archived_at=NOW - 91 * DAY)
    assert gone(applied(ARCHIVE_OLD, image("a"), signature)) == ["a"]
    assert gone(applied(ANY_OLD, image("a"), signature)) == ["a", "s"]


def test_what_refers_to_an_image_goes_after_it_however_old_it_is() -> None:
    assert gone(applied(ANY_OLD, image("s", 30, subject="a"), image("a", 9))) == ["a", "s"]


def test_an_index_that_lists_its_own_subject_goes_before_it() -> None:
    outcome = applied(ANY_OLD, image("index", 9, subject="a"), image("a", 30, parents=["index"]))
    assert [(action.image.digest, action.leads) for action in outcome.actions] == [("index", True), ("a", False)]


def test_lists_and_subjects_that_lead_back_to_each_other_hold_nobody_up() -> None:
    # r refers to s and lists x, which lists s: r before x before s, and s before r.
    r, x, s = image("r", 9, subject="s"), image("x", 8, parents=["r"]), image("s", 30, parents=["x"])
    later = [image("t", 40, subject="s"), image("u", 7)]
    outcome = applied(ANY_OLD, r, x, s, *later)
    assert [(action.image.digest, action.leads) for action in outcome.actions] == [
        ("u", False),
        ("r", True),
        ("x", False),
        ("s", False),
        ("t", False),
    ]


def test_an_evaluation_can_be_stopped() -> None:
    turns = iter([True] * 5)
    with pytest.raises(EvaluationStopped):
        evaluate(Policy([ANY_OLD]), [image(str(n)) for n in range(9)], NOW, lambda: next(turns, False))


class Tags(list[str]):
    """Counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return super().__iter__()


def test_an_images_tags_are_gone_through_once_whatever_the_patterns() -> None:
    rules = [Rule(n, "tagged", "sinceImagePushed", 5, patterns=[f"v*{n}", f"*-{n}*"]) for n in range(1, 40)]
    many = Tags(f"v{n}-{n}" for n in range(1000))
    assert priorities(applied(rules, image("a", tags=many))) == {"a": 1}
    assert many.times == 1


def test_a_policy_of_hundreds_of_patterns_over_thousands_of_tags_takes_a_moment() -> None:
    rules = [
        Rule(rule, "tagged", "imageCountMoreThan", 1, patterns=[f"build-*.{20 * rule - n}-*" for n in range(11)])
        for rule in range(1, 51)
    ]
    images = [image(f"{n:02}", n, tags=[f"build-{n}.{m}-ok" for m in range(1001)]) for n in range(40)]
    begun = time.thread_time()
    assert len(applied(rules, *images).actions) == 39
    assert time.thread_time() - begun < 5  # seconds; looking at each tag for each pattern takes more than ten


def test_deep_nesting_is_no_trouble() -> None:
    images = [image(f"{n:06}", parents=[f"{n - 1:06}"] if n else []) for n in range(20_000)]
    assert len(applied(ANY_OLD, *images).actions) == 20_000
    images[0] = replace(images[0], pushed_at=NOW)
    assert applied(ANY_OLD, *images).actions == []


# --- against the slow one -------------------------------------------------------------------------------------------

TAGS = ["v1", "v2", "prod-1", "prod-2", "x"]
DAYS = st.integers(0, 6).map(lambda days: NOW - days * DAY - 1)
SELECTS = st.sampled_from(
    [
        {"tag_status": "any"},
        {"tag_status": "untagged"},
        {"tag_status": "tagged", "prefixes": ("v",)},
        {"tag_status": "tagged", "patterns": ("prod-*", "*1")},
        {"tag_status": "tagged", "patterns": ("v*", "x")},
        {"tag_status": "tagged", "patterns": ("*r*d*-*", "prod-*")},
        {"tag_status": "tagged", "patterns": ("*2", "*o*")},
    ]
)
DOES = st.sampled_from(
    [
        {"count_type": "imageCountMoreThan"},
        {"count_type": "imageCountMoreThan", "action": "TRANSITION"},
        {"count_type": "sinceImagePushed"},
        {"count_type": "sinceImagePulled", "action": "TRANSITION"},
        {"count_type": "sinceImageTransitioned", "storage_class": "ARCHIVE", "more": 90},
    ]
)


@st.composite
def rules_of(draw: st.DrawFn) -> list[Rule]:
    return [
        Rule(priority=number, count=draw(st.integers(1, 4)) + does.pop("more", 0), **draw(SELECTS), **does)
        for number in range(1, draw(st.integers(1, 4)) + 1)
        if (does := dict(draw(DOES)))
    ]


@st.composite
def images_of(draw: st.DrawFn) -> list[Candidate]:
    """A digest is of content, so whatever names it came later: an index after its images, a referrer after its subject.

    An index is pushed before its images too, where sparse ones are taken.
    """
    found: list[Candidate] = []
    parents: dict[str, list[str]] = {}
    for number in range(draw(st.integers(0, 9))):
        names = [one.digest for one in found]
        earlier = st.sampled_from(names) if names else st.nothing()
        for child in draw(st.lists(earlier, max_size=2, unique=True)) if names else []:
            parents.setdefault(child, []).append(f"d{number}")
        found.append(
            Candidate(
                f"d{number}",
                draw(DAYS),
                tags=draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True)),
                status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "ARCHIVED", "ACTIVATING"])),
                last_pull_at=draw(st.none() | DAYS),
                archived_at=draw(st.none() | DAYS | DAYS.map(lambda at: at - 90 * DAY)),
                activated_at=draw(st.none() | DAYS),
                subject=draw(st.none() | st.none() | earlier | st.just("elsewhere")) if names else None,
            )
        )
        found[-1] = replace(found[-1], bereft=found[-1].subject is not None and draw(st.booleans()))
    return draw(st.permutations([replace(one, parents=parents.get(one.digest, ())) for one in found]))


@settings(max_examples=400, deadline=None)
@given(rules_of(), images_of())
def test_both_evaluators_agree(rules: list[Rule], images: list[Candidate]) -> None:
    outcome = evaluate(Policy(rules), images, NOW)
    assert priorities(outcome) == slowly(rules, images, NOW)
    done: set[str] = set()
    for action in outcome.actions:
        # Whatever acts and lists it has acted before.
        assert {parent for parent in action.image.parents if parent in gone(outcome)} <= done
        assert action.leads == (action.image.subject in set(gone(outcome)) - done)
        assert not action.leads or leads_to(action.image.digest, action.image.subject, outcome)
        done.add(action.image.digest)


def leads_to(index: str, wanted: str | None, outcome: Outcome) -> bool:
    """Whether an order that puts subjects first would come from an index back to itself."""
    acting = {action.image.digest: action.image for action in outcome.actions}
    reached, ahead = set[str](), [index]
    while ahead:
        one = ahead.pop()
        after = [image.digest for image in acting.values() if one in image.parents or image.subject == one]
        ahead += set(after) - reached
        reached.update(after)
    return wanted in reached
