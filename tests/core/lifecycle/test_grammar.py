"""Reading lifecycle policies: what is taken, and the sentence for each that is not (ecr-behaviour 4.1, 14.3)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.errors import InvalidParameter
from portside.core.lifecycle.grammar import check_length, minified, read
from portside.core.lifecycle.policy import Rule

PAD = " " * 100
TAGGED: dict[str, Any] = {
    "rulePriority": 1,
    "description": "old ones",
    "selection": {
        "tagStatus": "tagged",
        "tagPrefixList": ["v"],
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    },
    "action": {"type": "expire"},
}
UNTAGGED: dict[str, Any] = {
    "rulePriority": 2,
    "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
    "action": {"type": "expire"},
}
ANY: dict[str, Any] = {
    "rulePriority": 3,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
    "action": {"type": "expire"},
}
MATCHED_NONE = "instance failed to match exactly one schema (matched 0 out of 2)"


def policy(*rules: object) -> str:
    return json.dumps({"rules": rules}) + PAD


def changed(rule: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A rule with other members, by their path; None takes one away."""
    found = copy.deepcopy(rule)
    for path, value in members.items():
        *outer, name = path.split("__")
        inside = found
        for part in outer:
            inside = inside[part]
        if value is None:
            del inside[name]
        else:
            inside[name] = value
    return found


def refusal(text: str) -> str:
    with pytest.raises(InvalidParameter) as caught:
        read(text)
    assert caught.value.field == "LifecyclePolicyText"
    return caught.value.reason.removeprefix("Lifecycle policy validation failure: ")


def test_rules_are_read_in_order_of_priority() -> None:
    found = read(policy(UNTAGGED, TAGGED, ANY))
    assert found.rules == (
        Rule(1, "tagged", "sinceImagePushed", 14, prefixes=("v",), description="old ones"),
        Rule(2, "untagged", "imageCountMoreThan", 3),
        Rule(3, "any", "imageCountMoreThan", 3),
    )


def since(count_type: str, storage: str, days: int, action: dict[str, str]) -> dict[str, Any]:
    rule = changed(TAGGED, selection__countType=count_type, selection__countNumber=days)
    rule["selection"]["storageClass"] = storage
    rule["action"] = action
    return rule


EXPIRE, TRANSITION = {"type": "expire"}, {"type": "transition", "targetStorageClass": "archive"}


@pytest.mark.parametrize(
    "rule",
    [
        since("sinceImagePushed", "standard", 1, EXPIRE),
        since("sinceImagePushed", "standard", 1, TRANSITION),
        since("sinceImagePulled", "standard", 1, TRANSITION),
        since("sinceImageTransitioned", "archive", 90, EXPIRE),
        changed(ANY, action=TRANSITION),
    ],
    ids=str,
)
def test_each_way_of_counting_goes_with_these_actions(rule: dict[str, Any]) -> None:
    [found] = read(policy(rule)).rules
    assert found.action == rule["action"]["type"].upper()


@pytest.mark.parametrize(
    "rule",
    [
        since("sinceImagePushed", "archive", 90, EXPIRE),
        since("sinceImagePulled", "standard", 1, EXPIRE),
        since("sinceImagePulled", "archive", 1, TRANSITION),
        since("sinceImageTransitioned", "standard", 90, EXPIRE),
        since("sinceImageTransitioned", "archive", 90, TRANSITION),
        changed(ANY, selection__storageClass="archive"),
        changed(ANY, selection__countUnit="days"),
        changed(TAGGED, selection__countUnit=None),
        changed(ANY, action={"type": "transition"}),
        changed(ANY, action={"type": "expire", "targetStorageClass": "archive"}),
    ],
    ids=str,
)
def test_what_does_not_go_together_matches_no_schema(rule: dict[str, Any]) -> None:
    assert refusal(policy(rule)) == MATCHED_NONE


NO_TYPE = 'instance type (%s) does not match any allowed primitive type (allowed: ["%s"])'
REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ("{" + PAD, "Could not map policyString into LifecyclePolicy."),
    "nested without end": ("[" * 30_000, "Could not map policyString into LifecyclePolicy."),
    "half a character": ('{"rules": "\\ud800"}' + PAD, "Could not map policyString into LifecyclePolicy."),
    "not a number": ('{"rules": NaN}' + PAD, "Could not map policyString into LifecyclePolicy."),
    "a string": ('"x"' + PAD, NO_TYPE % ("string", "object")),
    "nothing": ("null" + PAD, NO_TYPE % ("null", "object")),
    "no rules": ("{}" + PAD, 'object has missing required properties (["rules"])'),
    "strange": (
        '{"rules": [], "x": 1}' + PAD,
        'object instance has properties which are not allowed by the schema: (["x"])',
    ),
    "rules of another type": ('{"rules": {}}' + PAD, NO_TYPE % ("object", "array")),
    "an empty list": (
        policy(),
        "array is too short: must have at least 1 elements but instance has 0 elements",
    ),
    "too many": (
        policy(*[changed(TAGGED, rulePriority=n, selection__tagPrefixList=[str(n)]) for n in range(1, 52)]),
        "array is too long: must have at most 50 elements but instance has 51 elements",
    ),
    "an empty rule": (
        policy({}),
        'object has missing required properties (["action","rulePriority","selection"])',
    ),
    "a member of the selection": (
        policy(changed(ANY, selection__unit="days")),
        'object instance has properties which are not allowed by the schema: (["unit"])',
    ),
    "no tag status": (
        policy(changed(ANY, selection__tagStatus=None)),
        'object has missing required properties (["tagStatus"])',
    ),
    "a tag status": (
        policy(changed(ANY, selection__tagStatus="x")),
        'instance value (x) not found in enum :(possible values: ["any","tagged","untagged"])',
    ),
    "a unit": (
        policy(changed(TAGGED, selection__countUnit="hours")),
        'instance value (hours) not found in enum :(possible values: ["days"])',
    ),
    "an action": (
        policy(changed(ANY, action__type="keep")),
        'instance value (keep) not found in enum :(possible values: ["expire","transition"])',
    ),
    "an enum of another type": (
        policy(changed(ANY, action__type=1)),
        'instance value (1) not found in enum :(possible values: ["expire","transition"])',
    ),
    "a count of nothing": (
        policy(changed(ANY, selection__countNumber=0)),
        "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
    ),
    "a count in words": (policy(changed(ANY, selection__countNumber="3")), NO_TYPE % ("string", "integer")),
    "a count in parts": (policy(changed(ANY, selection__countNumber=1.5)), NO_TYPE % ("number", "integer")),
    "a count that is true": (policy(changed(ANY, selection__countNumber=True)), NO_TYPE % ("boolean", "integer")),
    "a priority": (
        policy(changed(ANY, rulePriority=2**31)),
        "numeric instance is greater than the required maximum (maximum: 2147483647, found: 2147483648)",
    ),
    "archived for less than ninety days": (
        policy(since("sinceImageTransitioned", "archive", 89, EXPIRE)),
        "numeric instance is lower than the required minimum (minimum: 90, found: 89)",
    ),
    "a prefix that is a number": (
        policy(changed(TAGGED, selection__tagPrefixList=[1])),
        NO_TYPE % ("integer", "string"),
    ),
    "no prefix": (
        policy(changed(TAGGED, selection__tagPrefixList=None)),
        "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
    ),
    "both lists": (
        policy(changed(TAGGED, selection__tagPatternList=["*"])),
        "Only one of tagPrefixList and tagPatternList can be specified in a rule.",
    ),
    "a prefix of what has no tag": (
        policy(changed(UNTAGGED, selection__tagPrefixList=["v"])),
        "tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.",
    ),
    "an empty prefix": (
        policy(changed(TAGGED, selection__tagPrefixList=[""])),
        "tagPrefixList and tagPatternList cannot hold an empty string.",
    ),
    "too many patterns": (
        policy(changed(TAGGED, selection__tagPrefixList=[str(number) for number in range(101)])),
        "tagPrefixList and tagPatternList can have at most 100 entries.",
    ),
    "five stars": (
        policy(changed(TAGGED, selection__tagPrefixList=None, selection__tagPatternList=["*" * 5])),
        "A tag pattern can have at most 4 wildcards.",
    ),
    "two rules for untagged images": (
        policy(UNTAGGED, changed(UNTAGGED, rulePriority=5)),
        "Only one rule can select Untagged images per storage class",
    ),
    "any before another": (
        policy(changed(ANY, rulePriority=1), UNTAGGED),
        "Rule for tagStatus=ANY must have the lowest priority per storage class",
    ),
    "one priority twice": (policy(TAGGED, changed(UNTAGGED, rulePriority=1)), "Rule priorities must be unique"),
    "one list twice": (
        policy(TAGGED, changed(TAGGED, rulePriority=2)),
        "The tagPrefixList of each rule must be unique per storage class",
    ),
}


NULLS = {
    "description": (TAGGED, "description", "string"),
    "unit": (ANY, "selection__countUnit", "string"),
    "unit of days": (TAGGED, "selection__countUnit", "string"),
    "storage class": (ANY, "selection__storageClass", "string"),
    "prefixes": (ANY, "selection__tagPrefixList", "array"),
    "patterns": (TAGGED, "selection__tagPatternList", "array"),
    "tag status": (ANY, "selection__tagStatus", "string"),
    "target": (ANY, "action__targetStorageClass", "string"),
}


@pytest.mark.parametrize("case", NULLS)
def test_null_is_of_no_members_type(case: str) -> None:
    rule, path, expected = NULLS[case]
    text = policy(changed(rule, **{path: "NULL"})).replace('"NULL"', "null")
    assert refusal(text) == NO_TYPE % ("null", expected)


@pytest.mark.parametrize("rule", [UNTAGGED, ANY])
@pytest.mark.parametrize("name", ["tagPrefixList", "tagPatternList"])
def test_an_empty_list_is_a_list_where_none_may_be(rule: dict[str, Any], name: str) -> None:
    text = policy(TAGGED, changed(rule, **{f"selection__{name}": []}))
    assert refusal(text) == "tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED."


@pytest.mark.parametrize("case", REFUSED)
def test_a_policy_is_refused_in_the_words_of_ecr(case: str) -> None:
    text, expected = REFUSED[case]
    assert refusal(text) == expected


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (99, "Member must have length greater than or equal to 100"),
        (30_721, "Member must have length less than or equal to 30720"),
    ],
)
def test_a_policy_has_a_shortest_and_a_longest_length(length: int, reason: str) -> None:
    check_length(" " * 100)
    check_length(" " * 30_720)
    with pytest.raises(InvalidParameter, match=reason):
        check_length(" " * length)


def test_rules_of_different_storage_classes_do_not_meet() -> None:
    archived = since("sinceImageTransitioned", "archive", 90, EXPIRE)
    everything = changed(archived, rulePriority=9, selection__tagStatus="any", selection__tagPrefixList=None)
    assert (
        len(read(policy(TAGGED, changed(archived, rulePriority=2), everything, changed(ANY, rulePriority=10))).rules)
        == 4
    )


def test_what_is_listed_twice_counts_once() -> None:
    [rule] = read(policy(changed(TAGGED, selection__tagPrefixList=["v"] * 5000))).rules
    assert rule.prefixes == ("v",)


def test_a_policy_is_given_back_without_spaces_and_in_its_own_order() -> None:
    assert minified('{ "b" : [1,  2],\n "a": "ü" }') == '{"b":[1,2],"a":"ü"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES: list[Callable[[dict[str, Any], Any], None]] = [
    lambda rule, value: rule.update(rulePriority=value),
    lambda rule, value: rule.update(selection=value),
    lambda rule, value: rule.update(action=value),
    lambda rule, value: rule["selection"].update(tagStatus=value),
    lambda rule, value: rule["selection"].update(countNumber=value),
    lambda rule, value: rule["selection"].update(tagPrefixList=value),
    lambda rule, value: rule["action"].update(type=value),
]


@given(st.sampled_from(PLACES), JSON)
def test_nothing_in_any_place_is_more_than_refused(put: Callable[[dict[str, Any], Any], None], value: Any) -> None:
    rule = copy.deepcopy(TAGGED)
    put(rule, value)
    try:
        read(policy(rule))
    except InvalidParameter as error:
        error.message.encode()
