"""Condition operators: every one, with the key present, absent and empty, plain and with its prefixes and suffix."""

from __future__ import annotations

from typing import Any

import pytest

from portside.identity.policy.conditions import conditions
from portside.identity.policy.operators import OPERATORS
from portside.identity.policy.variables import Facts, Language

LANGUAGE = Language(variables=True)
ARN = "arn:aws:iam::111122223333:role/team/ci"
# operator, a policy's value, a request's value that matches it, and one that does not
MATCHES: list[tuple[str, str, str, str]] = [
    ("StringEquals", "a*", "a*", "ab"),
    ("StringEqualsIgnoreCase", "Team", "tEAM", "teams"),
    ("StringLike", "a?c*", "abcde", "ABC"),
    ("StringLike", "${*}b", "*b", "ab"),
    ("StringEquals", "${aws:PrincipalTag/team}", "blue", "red"),
    ("StringLike", "${aws:PrincipalTag/none, 'pink'}*", "pinkish", "blue"),
    ("NumericEquals", "10", "10.0", "11"),
    ("NumericLessThan", "10", "9.99", "10"),
    ("NumericLessThanEquals", "10", "10", "10.01"),
    ("NumericGreaterThan", "10", "11", "10"),
    ("NumericGreaterThanEquals", "-1.5", "-1.5", "-2"),
    ("DateEquals", "2026-01-15T12:00:00Z", "1768478400", "1768478401"),
    ("DateEquals", "2026-01-15T14:00:00+02:00", "2026-01-15T12:00:00Z", "2026-01-15T14:00:00Z"),
    ("DateEquals", "2026-01-15", "2026-01-15T00:00:00Z", "2026-01-15T00:00:01Z"),
    ("DateLessThan", "2026-01-15", "2026-01-14T23:59:59Z", "2026-01-15"),
    ("DateLessThanEquals", "2026-01-15", "2026-01-15", "2026-01-16"),
    ("DateGreaterThan", "2026", "2026-02-01", "2025-12-31T23:59:59.5Z"),
    ("DateGreaterThanEquals", "2026-03", "2026-03-01", "2026-02-28"),
    ("Bool", "true", "True", "false"),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "qmluYXJ5"),
    ("IpAddress", "10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
    ("IpAddress", "192.0.2.7", "192.0.2.7", "192.0.2.8"),
    ("IpAddress", "0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
    ("IpAddress", "2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
    ("ArnEquals", "arn:aws:iam::*:role/*", ARN, "arn:aws:iam::111122223333:user/ci"),
    ("ArnLike", "arn:aws:iam::111122223333:role/t*/c?", ARN, "arn:aws:iam::1111222233334:role/team/ci"),
    ("ArnLike", "*", ARN, "no-arn"),
]
INVERSE = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}
UNREADABLE = {"Numeric": "many", "Date": "soon", "NotIp": "nowhere", "Ip": "nowhere", "Arn": "no-arn"}


def holds(name: str, values: Any, context: dict[str, Any], *, denies: bool = False, key: str = "X:Key") -> bool:
    [condition] = conditions({name: {key: values}}, language=LANGUAGE)
    facts = Facts({"aws:principaltag/team": "blue", **context})
    return condition.holds(facts, denies=denies)


@pytest.mark.parametrize(("operator", "wanted", "right", "wrong"), MATCHES)
def test_an_operator_holds_for_what_matches_and_its_opposite_for_the_rest(
    operator: str, wanted: str, right: str, wrong: str
) -> None:
    assert holds(operator, wanted, {"x:key": right})
    assert not holds(operator, wanted, {"x:key": wrong})
    assert holds(operator, ["never", wanted], {"x:key": right})
    inverse = INVERSE.get(operator)
    if inverse is not None:
        assert not holds(inverse, wanted, {"x:key": right})
        assert not holds(inverse, ["never", wanted], {"x:key": right})
        assert holds(inverse, wanted, {"x:key": wrong}, denies=True)


def test_every_operator_is_in_the_table_of_this_test() -> None:
    assert {row[0] for row in MATCHES} | set(INVERSE.values()) == set(OPERATORS)


def test_a_short_arn_matches_no_arn() -> None:
    assert not holds("ArnLike", "arn:aws:*", {"x:key": ARN})


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_an_absent_key_fails_a_positive_operator_and_satisfies_the_others(operator: str) -> None:
    assert holds(operator, "1", {}) == OPERATORS[operator].inverted
    assert holds(f"{operator}IfExists", "1", {})
    for absent in ({}, {"x:key": []}):
        assert holds(f"ForAllValues:{operator}", "1", absent)
        assert not holds(f"ForAnyValue:{operator}", "1", absent)
        assert holds(f"ForAllValues:{operator}IfExists", "1", absent)
        assert not holds(f"ForAnyValue:{operator}IfExists", "1", absent)
        assert holds(f"ForAnyValue:{operator}IfExists", "1", absent, denies=True)


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_several_values_of_a_key_that_is_compared_as_one_never_hold(operator: str) -> None:
    for denies in (False, True):
        assert not holds(operator, ["1"], {"x:key": ["1", "2"]}, denies=denies)
        assert holds(operator, ["1"], {"x:key": ["1"]}, denies=denies) == holds(
            operator, ["1"], {"x:key": "1"}, denies=denies
        )


@pytest.mark.parametrize("operator", [name for name in sorted(OPERATORS) if name.startswith(tuple(UNREADABLE))])
def test_what_an_operator_cannot_read_matches_nothing_and_allows_nothing(operator: str) -> None:
    [rubbish] = [UNREADABLE[start] for start in UNREADABLE if operator.startswith(start)]
    assert not holds(operator, "1", {"x:key": rubbish})
    assert holds(operator, "1", {"x:key": rubbish}, denies=True) == OPERATORS[operator].inverted


def test_quantifiers_look_at_every_value_of_the_request() -> None:
    tags = {"x:key": ["team", "stage"]}
    assert holds("ForAllValues:StringEquals", ["team", "stage", "more"], tags)
    assert not holds("ForAllValues:StringEquals", ["team"], tags)
    assert holds("ForAnyValue:StringEquals", ["team"], tags)
    assert not holds("ForAnyValue:StringEquals", ["other"], tags)
    assert holds("ForAnyValue:StringNotEquals", ["team"], tags)
    assert not holds("ForAnyValue:StringNotEquals", ["team", "stage"], tags)
    assert holds("ForAllValues:StringNotEquals", ["other"], tags)


def test_null_asks_whether_a_key_is_there() -> None:
    assert holds("Null", "true", {})
    assert holds("Null", True, {"x:key": []})
    assert holds("Null", "false", {"x:key": ""})
    assert not holds("Null", "true", {"x:key": "a"})
    assert holds("Null", ["true", "false"], {"x:key": "a"})


def test_keys_have_no_case_and_values_do() -> None:
    assert holds("StringEquals", "Blue", {"x:key/team": "Blue"}, key="x:KEY/Team")
    assert not holds("StringEquals", "Blue", {"x:key/team": "blue"}, key="x:KEY/Team")


def test_numbers_and_booleans_of_json_are_values_too() -> None:
    assert holds("NumericEquals", 10, {"x:key": "10"})
    assert holds("Bool", True, {"x:key": "true"})


def test_a_variable_without_a_value_matches_nothing() -> None:
    assert not holds("StringEquals", "${aws:PrincipalTag/none}", {"x:key": ""})
    assert holds("StringNotEquals", "${aws:PrincipalTag/none}", {"x:key": ""})
    assert not holds("StringLike", "*${aws:TagKeys}", {"x:key": "a", "aws:tagkeys": ["a", "b"]})


def test_a_star_in_a_tag_is_no_wildcard() -> None:
    assert not holds("StringLike", "${aws:PrincipalTag/team}", {"x:key": "blue", "aws:principaltag/team": "*"})


def test_the_older_version_has_no_variables() -> None:
    [condition] = conditions({"StringEquals": {"k": "${aws:userid}"}}, language=Language(variables=False))
    assert condition.holds(Facts({"k": "${aws:userid}", "aws:userid": "x"}), denies=False)
    assert not condition.holds(Facts({"k": "x", "aws:userid": "x"}), denies=False)
