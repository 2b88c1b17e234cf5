"""Policy variables: `${key}` and `${key, 'default'}` in texts that a request fills in (iam-behaviour 2.5).

What a variable puts into a text is literal: a star in somebody's tag is a star and never a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portside.identity.policy.errors import PolicyError
from portside.identity.policy.patterns import Pattern, Token, tokens

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_NAMED = re.compile(r"([^\s{},'][^{},']*?)(?:, '([^']*)')?")
_ESCAPES = frozenset("*?$")

Value = str | Sequence[str]


class Facts:
    """The context of one request, and which of its keys were looked at."""

    __slots__ = ("_values", "read")

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values
        self.read: set[str] = set()

    def get(self, key: str) -> Value | None:
        """The value of a key in lower case; None when there is none."""
        self.read.add(key)
        return self._values.get(key)


@dataclass(frozen=True, slots=True)
class Variable:
    """A place that the request fills."""

    key: str
    """In lower case."""
    default: str | None

    def value(self, facts: Facts) -> str | None:
        """What stands here in this request; None for nothing. Keys of several values give nothing."""
        found = facts.get(self.key)
        if isinstance(found, str):
            return found
        if found is not None and len(found) == 1:
            return found[0]
        return self.default if found is None or not found else None


class Template:
    """A text of a policy, with wildcards if it is a pattern and variables if the policy's version has them."""

    __slots__ = ("_parts", "_text", "pattern")

    def __init__(self, text: str, *, wildcards: bool, variables: bool) -> None:
        """Raises PolicyError for a variable that is none."""
        self._parts: list[Token | Variable] = []
        if not variables or "${" not in text:
            self._parts.extend(tokens(text) if wildcards else [text])
        else:
            self._split(text, wildcards=wildcards)
        fixed = self._fixed()
        self.pattern = Pattern(fixed) if fixed is not None and wildcards else None
        """The compiled pattern, where no request changes it."""
        self._text = "".join(str(part) for part in fixed) if fixed is not None and not wildcards else None

    @property
    def is_fixed(self) -> bool:
        """Whether no request changes it."""
        return self.pattern is not None or self._text is not None

    def text(self, facts: Facts) -> str | None:
        """The text in this request, of a template without wildcards; None when a variable has no value."""
        if self._text is not None:
            return self._text
        parts = self._filled(facts)
        return None if parts is None else "".join(str(part) for part in parts)

    def filled(self, facts: Facts) -> Pattern | None:
        """The pattern in this request; None when a variable has no value."""
        if self.pattern is not None:
            return self.pattern
        parts = self._filled(facts)
        return None if parts is None else Pattern(parts)

    def _split(self, text: str, *, wildcards: bool) -> None:
        start = 0
        for found in _VARIABLE.finditer(text):
            self._literal(text[start : found.start()], wildcards=wildcards)
            self._parts.append(_variable(found.group(1)))
            start = found.end()
        self._literal(text[start:], wildcards=wildcards)

    def _literal(self, text: str, *, wildcards: bool) -> None:
        if "${" in text:
            raise PolicyError("a policy variable is not closed")
        if text:
            self._parts.extend(tokens(text) if wildcards else [text])

    def _fixed(self) -> list[Token] | None:
        parts = [part for part in self._parts if not isinstance(part, Variable)]
        return parts if len(parts) == len(self._parts) else None

    def _filled(self, facts: Facts) -> list[Token] | None:
        filled: list[Token] = []
        for part in self._parts:
            if isinstance(part, Variable):
                value = part.value(facts)
                if value is None:
                    return None
                filled.append(value)
            else:
                filled.append(part)
        return filled


def variables_in(document: str) -> list[str]:
    """The keys of all variables in a document, in lower case."""
    named = [_NAMED.fullmatch(found) for found in _VARIABLE.findall(document) if found not in _ESCAPES]
    return [found.group(1).lower() for found in named if found is not None]


def _variable(text: str) -> str | Variable:
    if text in _ESCAPES:
        return text
    named = _NAMED.fullmatch(text)
    if named is None:
        raise PolicyError("a policy variable is not written as ${key} or ${key, 'default'}")
    return Variable(named.group(1).lower(), named.group(2))


@dataclass(frozen=True, slots=True)
class Language:
    """A version of the policy language."""

    variables: bool
    """Whether `${…}` is a variable; in the older version it is plain text."""

    def template(self, text: str) -> Template:
        """A text in which stars are stars; raises PolicyError."""
        return Template(text, wildcards=False, variables=self.variables)

    def pattern(self, text: str) -> Template:
        """A text in which stars and question marks are wildcards; raises PolicyError."""
        return Template(text, wildcards=True, variables=self.variables)
