"""The Condition block: every operator and every key of it must hold, and of a key's values one (iam-behaviour 2.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from portside.identity.policy.errors import PolicyError
from portside.identity.policy.json_values import listed, members
from portside.identity.policy.operators import OPERATORS, Operator, Test
from portside.identity.policy.variables import Facts, Language

_NAME = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")


class Condition(Protocol):
    """One operator on one key."""

    key: str
    """In lower case."""

    def holds(self, facts: Facts, *, denies: bool) -> bool:
        """Whether it holds; `denies` says that a Deny asks, for which doubt is a yes."""
        ...


def conditions(block: Any, *, language: Language) -> Sequence[Condition]:
    """Compile a Condition block; raises PolicyError."""
    found: list[Condition] = []
    for name, keys in members(block, "Condition").items():
        found.extend(
            _condition(name, key.lower(), _values(value), language=language)
            for key, value in members(keys, name[:64]).items()
        )
    return tuple(found)


def _condition(name: str, key: str, values: Sequence[str], *, language: Language) -> Condition:
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise PolicyError(f"there is no condition operator {name[:64]}")
    quantifier, operator, suffix = parts.groups()
    if operator == "Null" and quantifier is None and suffix is None:
        return _Null(key, values)
    found = OPERATORS.get(operator)
    if found is None:
        raise PolicyError(f"there is no condition operator {name[:64]}")
    tests = [found.compile(value, language) for value in values]
    return _Comparison(key, found, tests, quantifier, if_exists=suffix is not None)


def _values(value: Any) -> Sequence[str]:
    return tuple(_scalar(item) for item in listed(value))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise PolicyError("the value of a condition must be a string, a number or a boolean")


class _Null:
    """Is the key absent?"""

    def __init__(self, key: str, values: Sequence[str]) -> None:
        self.key = key
        self._wanted = {value.lower() for value in values}

    def holds(self, facts: Facts, *, denies: bool) -> bool:
        del denies
        found = facts.get(self.key)
        absent = found is None or (not isinstance(found, str) and not found)
        return ("true" if absent else "false") in self._wanted


class _Comparison:
    """A key's value against those of the policy."""

    def __init__(
        self, key: str, operator: Operator, tests: Sequence[Test], quantifier: str | None, *, if_exists: bool
    ) -> None:
        self.key = key
        self._inverted = operator.inverted
        self._tests = tests
        self._quantifier = quantifier
        self._if_exists = if_exists

    def holds(self, facts: Facts, *, denies: bool) -> bool:
        found = facts.get(self.key)
        if found is None or (self._quantifier is not None and not isinstance(found, str) and not found):
            return self._without(denies=denies)
        if self._quantifier is None:
            if not isinstance(found, str):
                if len(found) != 1:
                    return False  # several values of a key that is compared as one: undefined
                found = found[0]
            return self._value(found, facts, denies=denies)
        values = (found,) if isinstance(found, str) else found
        held = (self._value(value, facts, denies=denies) for value in values)
        return all(held) if self._quantifier == "ForAllValues" else any(held)

    def _without(self, *, denies: bool) -> bool:
        """Answer for an absent key, and for an empty one where there may be several values."""
        if self._quantifier == "ForAllValues":
            return True
        if self._quantifier == "ForAnyValue":
            # With IfExists the documentation says both; doubt never allows.
            return self._if_exists and denies
        return self._if_exists or self._inverted

    def _value(self, value: str, facts: Facts, *, denies: bool) -> bool:
        answers = [test(value, facts) for test in self._tests]
        if True in answers:
            return not self._inverted
        if not self._inverted:
            return False
        # What the operator cannot read differs from nothing: not enough for an Allow, enough for a Deny.
        return denies if None in answers else True
