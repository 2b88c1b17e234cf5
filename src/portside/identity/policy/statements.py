"""One statement of a policy, compiled: does it speak of this request?

Where a policy says something that the language gives no meaning to (a wildcard in the name of a service, a variable
that must not stand there), the statement is in doubt, and doubt never allows: it fits a Deny and does not fit an Allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portside.identity.policy.arns import SEGMENTS, segments
from portside.identity.policy.conditions import Condition
from portside.identity.policy.patterns import Pattern
from portside.identity.policy.principals import AllBut, Named, Strength
from portside.identity.policy.question import Actor
from portside.identity.policy.variables import Facts, Language

Fit = bool | None
"""Whether something fits; None for doubt."""


class ActionPattern:
    """`ecr:Get*`: compared without regard to case; no wildcard stands for a service."""

    __slots__ = ("_doubtful", "_pattern")

    def __init__(self, text: str) -> None:
        self._pattern = Pattern.of(text.lower())
        service = text.partition(":")[0]
        self._doubtful = text != "*" and ("*" in service or "?" in service)

    def fits(self, action: str) -> Fit:
        """Whether an action in lower case fits."""
        fits = self._pattern.matches(action)
        return None if fits and self._doubtful else fits


class ResourcePattern:
    """An ARN segment by segment, or `*`; a star crosses slashes, and colons in the last segment only."""

    __slots__ = ("_changing", "_doubtful", "_everything", "_exact", "_loose")

    def __init__(self, text: str, *, language: Language) -> None:
        self._everything = text == "*"
        parts = segments(text)
        # `arn:aws:ecr:*` stands for what it begins; without a star at its end a short ARN means nothing.
        short = len(parts) < SEGMENTS
        if short and text.endswith("*"):
            parts += ["*"] * (SEGMENTS - len(parts))
        self._doubtful = not self._everything and (len(parts) != SEGMENTS or _is_doubtful(parts, padded=short))
        templates = [(at, language.pattern(part)) for at, part in enumerate(parts) if part != "*"]
        fixed = [(at, template.pattern) for at, template in templates if template.pattern is not None]
        # What is cheap to compare and most likely to differ comes first: the name, then the account.
        self._exact = [(at, pattern.exact) for at, pattern in reversed(fixed) if pattern.exact is not None]
        self._loose = [(at, pattern) for at, pattern in reversed(fixed) if pattern.exact is None]
        self._changing = [(at, template) for at, template in templates if template.pattern is None]

    def fits(self, parts: Sequence[str], facts: Facts) -> Fit:
        """Whether a resource's segments fit; `*`, an action on nothing in particular, is matched by `*` alone."""
        if self._everything:
            return True
        if self._doubtful:
            return None
        return len(parts) == SEGMENTS and self._fits(parts, facts)

    def _fits(self, parts: Sequence[str], facts: Facts) -> bool:
        for at, text in self._exact:
            if parts[at] != text:
                return False
        for at, pattern in self._loose:
            if not pattern.matches(parts[at]):
                return False
        for at, template in self._changing:
            filled = template.filled(facts)
            if filled is None or not filled.matches(parts[at]):
                return False
        return True

    def has_value(self, facts: Facts) -> bool:
        """Whether every variable in it has a value."""
        return all(template.filled(facts) is not None for _, template in self._changing)


def _is_doubtful(parts: Sequence[str], *, padded: bool) -> bool:
    *front, last = parts
    service = front[2]
    kind = last.partition("/")[0]
    if any("${" in part for part in front) or "?" in service or ("*" in service and not padded):
        return True
    # The word of the resource's type is not a pattern, unless the whole segment is a star.
    return last != "*" and "${" not in kind and ("*" in kind or "?" in kind)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement. Sid or place are its label."""

    label: str
    denies: bool
    exact_actions: frozenset[str]
    """Actions without wildcards, in lower case."""
    action_patterns: Sequence[ActionPattern]
    all_but_actions: bool
    """Whether it is about every action but these."""
    resources: Sequence[ResourcePattern] | None
    """None where the policy speaks of the one resource that it hangs on."""
    all_but_resources: bool
    principal: Named | AllBut | None
    """None in policies of identities."""
    conditions: Sequence[Condition]

    def fits_action(self, action: str) -> bool:
        """Whether it is about an action, given in lower case."""
        fits: Fit = action in self.exact_actions
        if not fits:
            fits = _any(pattern.fits(action) for pattern in self.action_patterns)
        return self._settled(fits, negated=self.all_but_actions)

    def applies(self, resource: Sequence[str], facts: Facts) -> bool:
        """Whether the resource's segments and the conditions fit; the action is another matter."""
        if not self._fits_resource(resource, facts):
            return False
        return not self.conditions or all(condition.holds(facts, denies=self.denies) for condition in self.conditions)

    def strength(self, actor: Actor, *, bounded: bool) -> Strength:
        """How strongly it speaks of an actor; `bounded` says that the actor has a permissions boundary."""
        if isinstance(self.principal, Named):
            return self.principal.strength(actor, denies=self.denies)
        if self.principal is None or not self.denies:
            return Strength.NONE  # an Allow for everybody but some is not granted to anybody
        return Strength.NONE if self.principal.excuses(actor, bounded=bounded) else Strength.DIRECT

    def _fits_resource(self, resource: Sequence[str], facts: Facts) -> bool:
        if self.resources is None:
            return True
        fits: Fit = False
        for pattern in self.resources:  # a loop: this is the innermost one of all
            found = pattern.fits(resource, facts)
            if found:
                fits = True
                break
            if found is None:
                fits = None
        if self.all_but_resources and fits is False and not self._has_values(facts):
            fits = None
        return self._settled(fits, negated=self.all_but_resources)

    def _has_values(self, facts: Facts) -> bool:
        return all(pattern.has_value(facts) for pattern in self.resources or ())

    def _settled(self, fits: Fit, *, negated: bool) -> bool:
        return self.denies if fits is None else fits != negated


def _any(fits: Iterable[Fit]) -> Fit:
    found: Fit = False
    for fit in fits:
        if fit:
            return True
        if fit is None:
            found = None
    return found
