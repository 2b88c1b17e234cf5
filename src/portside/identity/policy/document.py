"""Reading policy documents: strict JSON, the grammar of iam-behaviour 2.1, and the rules of each kind of policy.

A document is read and compiled once and remembered by its content. Size limits in characters are those of whoever
stores it; the bounds here keep hostile texts from costing anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NoReturn

from portside.core.json_text import must_be_text
from portside.identity.policy.conditions import conditions
from portside.identity.policy.errors import PolicyError
from portside.identity.policy.json_values import listed, members
from portside.identity.policy.principals import AllBut, Named, Principal, principals
from portside.identity.policy.question import PolicyKind
from portside.identity.policy.statements import ActionPattern, ResourcePattern, Statement
from portside.identity.policy.variables import Language, variables_in

LONGEST = 131_072
"""Characters that any document may have."""
_DEEPEST = 16
_REMEMBERED = 2048
_ACTIONS = 128
_NEWEST = "2012-10-17"
_VERSIONS = frozenset({_NEWEST, "2008-10-17"})
_OF_RESOURCES = frozenset({PolicyKind.REPOSITORY, PolicyKind.REGISTRY, PolicyKind.TRUST, PolicyKind.RCP})
_WITHOUT_RESOURCE = frozenset({PolicyKind.REPOSITORY, PolicyKind.TRUST})
_FOREIGN = re.compile("[^\t\n\r\x20-\xff]")
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled document."""

    document: str
    kind: PolicyKind
    statements: Sequence[Statement]
    name: str = ""
    """What it is called where it decides."""
    _about: dict[str, Sequence[Statement]] = field(
        default_factory=dict[str, Sequence[Statement]], compare=False, repr=False
    )
    """The statements about the actions that were asked for, which no request changes."""

    def about(self, action: str) -> Sequence[Statement]:
        """The statements about an action, given in lower case."""
        found = self._about.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.fits_action(action))
            if len(self._about) >= _ACTIONS:
                self._about.clear()
            self._about[action] = found
        return found

    def named(self, name: str) -> Policy:
        """The same policy under a name."""
        return replace(self, name=name)

    def asked_keys(self) -> frozenset[str]:
        """Every context key that it can ask for: in conditions, as they are written, and in variables."""
        found: set[str] = set()
        for statement in self.statements:
            found.update(condition.key for condition in statement.conditions)
        return frozenset(found | set(variables_in(self.document)))

    def principals(self) -> Sequence[Principal]:
        """Every principal that it names, in order."""
        found: list[Principal] = []
        for statement in self.statements:
            if isinstance(statement.principal, Named | AllBut):
                found.extend(statement.principal.principals)
        return found


@lru_cache(maxsize=_REMEMBERED)
def compile_policy(document: str, kind: PolicyKind, *, lenient: bool = False) -> Policy:
    """Read a document; raises PolicyError.

    `lenient` is for documents that are only judged, not kept: it lets through what AWS would refuse to save and what
    evaluation has an answer for, such as a wildcard in a principal, which then speaks of nobody.
    """
    found = members(read(document, lenient=lenient), "a policy")
    if not lenient:
        _only(found, _MEMBERS, "a policy")
    version = found.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicyError("Version must be 2012-10-17 or 2008-10-17")
    statements = listed(found.get("Statement"))
    if statements == [None] or (not statements and not lenient):
        raise PolicyError("a policy has statements")
    reader = _Reader(kind, Language(version == _NEWEST), lenient=lenient)
    policy = Policy(document, kind, tuple(reader.statement(item, at) for at, item in enumerate(statements, start=1)))
    if kind not in _OF_RESOURCES and not lenient:
        _check_sids(statements)
    return policy


def read(document: str, *, lenient: bool = False) -> Any:
    """Read strict JSON: no member twice, no NaN, not too long, not too deep; raises PolicyError."""
    if len(document) > LONGEST:
        raise PolicyError("the document is too long")
    if not lenient and _FOREIGN.search(document):
        raise PolicyError("a character is not allowed")
    try:
        found = json.loads(document, object_pairs_hook=_object, parse_constant=_constant)
        must_be_text(found)
    except (ValueError, RecursionError):
        raise PolicyError("the document is not JSON") from None
    if _depth(found) > _DEEPEST:
        raise PolicyError("the document is too deep")
    return found


class _Reader:
    """Compiles the statements of one policy."""

    def __init__(self, kind: PolicyKind, language: Language, *, lenient: bool) -> None:
        self._kind = kind
        self._language = language
        self._lenient = lenient

    def statement(self, found: Any, place: int) -> Statement:
        """One statement; raises PolicyError."""
        element = members(found, "a statement")
        if not self._lenient:
            _only(element, _ELEMENTS, "a statement")
        if element.get("Effect") not in {"Allow", "Deny"}:
            raise PolicyError("Effect must be Allow or Deny")
        action_element, actions = _one_of(element, "Action", "NotAction")
        sid = element.get("Sid", "")
        if not isinstance(sid, str):
            raise PolicyError("Sid must be a string")
        for action in actions:
            if not self._lenient and _ACTION.fullmatch(action) is None:
                raise PolicyError("an action is written as service:Name")
        is_pattern = [("*" in action or "?" in action) for action in actions]
        resources, all_but = self._resources(element)
        return Statement(
            label=sid or f"statement {place}",
            denies=element["Effect"] == "Deny",
            exact_actions=frozenset(text.lower() for text, loose in zip(actions, is_pattern, strict=True) if not loose),
            action_patterns=tuple(
                ActionPattern(text) for text, loose in zip(actions, is_pattern, strict=True) if loose
            ),
            all_but_actions=action_element == "NotAction",
            resources=resources,
            all_but_resources=all_but,
            principal=self._principal(element),
            conditions=conditions(element.get("Condition", {}), language=self._language),
        )

    def _resources(self, element: Mapping[str, Any]) -> tuple[Sequence[ResourcePattern] | None, bool]:
        given = "Resource" in element or "NotResource" in element
        if self._kind in _WITHOUT_RESOURCE:
            if given and not self._lenient:
                raise PolicyError("the policy's resource is what it hangs on")
            if not given or self._kind is PolicyKind.TRUST:
                return None, False
        name, values = _one_of(element, "Resource", "NotResource")
        if not self._lenient and any(value != "*" and not value.startswith("arn:") for value in values):
            raise PolicyError("a resource is an ARN or *")
        return tuple(ResourcePattern(value, language=self._language) for value in values), name == "NotResource"

    def _principal(self, element: Mapping[str, Any]) -> Named | AllBut | None:
        given = [name for name in ("Principal", "NotPrincipal") if name in element]
        if self._kind not in _OF_RESOURCES:
            if given:
                raise PolicyError("a policy of an identity names no principal")
            return None
        if len(given) != 1:
            raise PolicyError("a statement has either Principal or NotPrincipal")
        found = principals(element[given[0]], lenient=self._lenient)
        if given[0] == "Principal":
            return Named(found)
        if element["Effect"] == "Allow" and not self._lenient:
            raise PolicyError("NotPrincipal goes with Deny only")
        return AllBut(found)


def _one_of(element: Mapping[str, Any], name: str, negated: str) -> tuple[str, Sequence[str]]:
    given = [found for found in (name, negated) if found in element]
    if len(given) != 1:
        raise PolicyError(f"a statement has either {name} or {negated}")
    values = listed(element[given[0]])
    if not values or not all(isinstance(item, str) and item for item in values):
        raise PolicyError(f"{given[0]} must be a string or a list of strings")
    return given[0], tuple(values)


def _check_sids(statements: Sequence[Mapping[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise PolicyError("two statements have the same Sid")
    if not all(_SID.fullmatch(sid) for sid in sids):
        raise PolicyError("a Sid has letters and digits only")


def _only(found: Mapping[str, Any], allowed: frozenset[str], what: str) -> None:
    unknown = found.keys() - allowed
    if unknown:
        raise PolicyError(f"{what} has no element {min(unknown)[:64]}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PolicyError("a member stands twice in an object")
    return found


def _constant(text: str) -> NoReturn:
    raise PolicyError(f"{text} is no value")


def _depth(found: Any) -> int:
    deepest = 0
    waiting: list[tuple[Any, int]] = [(found, 1)]
    while waiting:
        value, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(value, dict):
            waiting.extend((item, depth + 1) for item in members(value, "").values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in listed(value))
    return deepest
