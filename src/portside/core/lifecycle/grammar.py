"""Reading a lifecycle policy (ecr-behaviour 4.1), and saying what is wrong with one (14.3).

ECR checks in three steps, and so does this: is it JSON, does it keep to the closed schema, do the rules go together.
The sentences of the schema are those of the validator that ECR uses; what of the third step is not known word for word
is in our own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn, cast

from portside.core.errors import InvalidParameter
from portside.core.json_text import must_be_text
from portside.core.lifecycle import policy
from portside.core.lifecycle.policy import Policy, Rule

MOST_RULES = 50
SHORTEST, LONGEST = 100, 30_720
"""Characters of a policy, as the service model has them."""
_FIELD = "LifecyclePolicyText"
_HIGHEST_PRIORITY = 2**31 - 1
_MOST_WILDCARDS = 4
_MOST_WORDS = 100
"""Ours: every prefix or pattern of a rule must fit a tag, and an image has a thousand of those at the most."""
_LISTS = frozenset({"tagPatternList", "tagPrefixList"})
_SINCE = (policy.SINCE_PULLED, policy.SINCE_PUSHED, policy.SINCE_TRANSITIONED)
_ALLOWED = {
    (policy.IMAGE_COUNT, policy.STANDARD): (policy.EXPIRE, policy.TRANSITION),
    (policy.SINCE_PUSHED, policy.STANDARD): (policy.EXPIRE, policy.TRANSITION),
    (policy.SINCE_PULLED, policy.STANDARD): (policy.TRANSITION,),
    (policy.SINCE_TRANSITIONED, policy.ARCHIVE): (policy.EXPIRE,),
}
"""What may be done by each way of counting in each storage class (ecr-behaviour 4.1)."""
_TYPES = ((dict, "object"), (list, "array"), (str, "string"), (bool, "boolean"), (int, "integer"), (float, "number"))


def read(text: str) -> Policy:
    """Read a policy of whatever length; raises InvalidParameter."""
    document = _object(_parsed(text), required=("rules",))
    found = _typed(document["rules"], list, "array")
    if not found:
        _fail("array is too short: must have at least 1 elements but instance has 0 elements")
    if len(found) > MOST_RULES:
        _fail(f"array is too long: must have at most {MOST_RULES} elements but instance has {len(found)} elements")
    rules = sorted((_rule(one) for one in found), key=lambda rule: rule.priority)
    # An empty list is none to go by, and yet given.
    listing = {rule["rulePriority"] for rule in found if not _LISTS.isdisjoint(rule["selection"])}
    _go_together(rules, listing)
    return Policy(tuple(rules))


def check_length(text: str) -> None:
    """Refuse a policy that the API would not take for its length; raises InvalidParameter."""
    if not SHORTEST <= len(text) <= LONGEST:
        least = len(text) < SHORTEST
        bound = f"greater than or equal to {SHORTEST}" if least else f"less than or equal to {LONGEST}"
        raise InvalidParameter(_FIELD, f"Member must have length {bound}")


def minified(text: str) -> str:
    """Write a policy as ECR gives it back: the same members in the same order, without spaces."""
    return json.dumps(_parsed(text), separators=(",", ":"), ensure_ascii=False)


def _fail(reason: str) -> NoReturn:
    raise InvalidParameter(_FIELD, f"Lifecycle policy validation failure: {reason}")


def _parsed(text: str) -> object:
    try:
        found = json.loads(text, parse_constant=_refuse)
        must_be_text(found)
    except (ValueError, RecursionError):
        _fail("Could not map policyString into LifecyclePolicy.")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are not JSON


# --- the schema -----------------------------------------------------------------------------------------------------


def _rule(found: object) -> Rule:
    rule = _object(found, required=("action", "rulePriority", "selection"), optional=("description",))
    priority = _number(rule["rulePriority"])
    if priority > _HIGHEST_PRIORITY:
        _fail(
            f"numeric instance is greater than the required maximum (maximum: {_HIGHEST_PRIORITY}, found: {priority})"
        )
    description = cast("str", _typed(rule.get("description", ""), str, "string"))
    selection = _object(
        rule["selection"],
        required=("countNumber", "countType", "tagStatus"),
        optional=("countUnit", "storageClass", *_LISTS),
    )
    action = _object(rule["action"], required=("type",), optional=("targetStorageClass",))
    kind = _one_of(action["type"], ("expire", "transition")).upper()
    if "targetStorageClass" in action:
        _one_of(action["targetStorageClass"], ("archive",))
    if (kind == policy.TRANSITION) != ("targetStorageClass" in action):
        _fail("instance failed to match exactly one schema (matched 0 out of 2)")
    read_rule = Rule(
        priority=priority,
        tag_status=_one_of(selection["tagStatus"], ("any", "tagged", "untagged")),
        count_type=_one_of(selection["countType"], (policy.IMAGE_COUNT, *_SINCE)),
        count=_number(selection["countNumber"]),
        action=kind,
        prefixes=_words(selection.get("tagPrefixList", [])),
        patterns=_words(selection.get("tagPatternList", [])),
        storage_class=_one_of(selection.get("storageClass", "standard"), ("archive", "standard")).upper(),
        description=description,
    )
    _counts_right(read_rule, selection)
    return read_rule


def _counts_right(rule: Rule, selection: Mapping[str, Any]) -> None:
    counts_days = "countUnit" in selection
    if counts_days:
        _one_of(selection["countUnit"], ("days",))
    dated = rule.count_type in _SINCE
    allowed = _ALLOWED.get((rule.count_type, rule.storage_class), ())
    if dated != counts_days or rule.action not in allowed:
        _fail("instance failed to match exactly one schema (matched 0 out of 2)")
    if rule.count_type == policy.SINCE_TRANSITIONED and rule.count < policy.LEAST_DAYS_ARCHIVED:
        _fail(
            f"numeric instance is lower than the required minimum (minimum: {policy.LEAST_DAYS_ARCHIVED}, "
            f"found: {rule.count})"
        )


def _object(found: object, *, required: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, Any]:
    known = cast("Mapping[str, Any]", _typed(found, dict, "object"))
    if missing := sorted(set(required) - known.keys()):
        _fail(f"object has missing required properties ({_listed(missing)})")
    if strange := sorted(known.keys() - {*required, *optional}):
        _fail(f"object instance has properties which are not allowed by the schema: ({_listed(strange)})")
    return known


def _typed(found: Any, kind: type, name: str) -> Any:
    if type(found) is not kind:
        is_ = next((word for known, word in _TYPES if type(found) is known), "null")
        _fail(f'instance type ({is_}) does not match any allowed primitive type (allowed: ["{name}"])')
    return found


def _one_of(found: object, values: Sequence[str]) -> str:
    if found is None:
        _typed(found, str, "string")
    if found not in values:
        shown = found if isinstance(found, str) else json.dumps(found)
        _fail(f"instance value ({shown}) not found in enum :(possible values: {_listed(sorted(values))})")
    return cast("str", found)


def _number(found: object) -> int:
    number = cast("int", _typed(found, int, "integer"))
    if number < 1:
        _fail(f"numeric instance is lower than the required minimum (minimum: 1, found: {number})")
    return number


def _words(found: object) -> tuple[str, ...]:
    words = cast("list[object]", _typed(found, list, "array"))
    return tuple(dict.fromkeys(cast("str", _typed(one, str, "string")) for one in words))


def _listed(values: Sequence[str]) -> str:
    return json.dumps(list(values), separators=(",", ":"), ensure_ascii=False)


# --- how the rules go together --------------------------------------------------------------------------------------


def _go_together(rules: Sequence[Rule], listing: AbstractSet[int]) -> None:
    """`listing`: priorities of the rules that have a list of prefixes or patterns."""
    if len({rule.priority for rule in rules}) < len(rules):
        _fail("Rule priorities must be unique")
    for rule in rules:
        _selects_right(rule, lists=rule.priority in listing)
    for storage_class in (policy.STANDARD, policy.ARCHIVE):
        among = [rule for rule in rules if rule.storage_class == storage_class]
        if sum(rule.tag_status == "untagged" for rule in among) > 1:
            _fail("Only one rule can select Untagged images per storage class")
        if any(rule.tag_status == "any" for rule in among[:-1]):
            _fail("Rule for tagStatus=ANY must have the lowest priority per storage class")
        lists = [frozenset(rule.prefixes) for rule in among if rule.prefixes]
        if len(set(lists)) < len(lists):
            _fail("The tagPrefixList of each rule must be unique per storage class")


def _selects_right(rule: Rule, *, lists: bool) -> None:
    if rule.tag_status != "tagged":
        if lists:
            _fail("tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.")
        return
    if not rule.prefixes and not rule.patterns:
        _fail("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
    if rule.prefixes and rule.patterns:
        _fail("Only one of tagPrefixList and tagPatternList can be specified in a rule.")
    if len(rule.prefixes) > _MOST_WORDS or len(rule.patterns) > _MOST_WORDS:
        _fail(f"tagPrefixList and tagPatternList can have at most {_MOST_WORDS} entries.")
    if not all((*rule.prefixes, *rule.patterns)):
        _fail("tagPrefixList and tagPatternList cannot hold an empty string.")
    if any(pattern.count("*") > _MOST_WILDCARDS for pattern in rule.patterns):
        _fail(f"A tag pattern can have at most {_MOST_WILDCARDS} wildcards.")
