"""May they? The order in which policies of every kind are heard (iam-behaviour 2.6).

Pure: no clock, no storage. Any Deny ends it. What is left needs an Allow from whoever has a say: in the resource's own
account its policy or the caller's, across accounts both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portside.identity.policy.arns import SEGMENTS
from portside.identity.policy.document import Policy
from portside.identity.policy.principals import Strength
from portside.identity.policy.question import Decision, PolicyKind, Question, Verdict
from portside.identity.policy.variables import Facts

_ASSUMES = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")
"""Actions that begin so are on a role, whose trust policy is the resource's policy."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that has a say about one request; absent kinds have none."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    """Together they are the session policy; None where the session was given none."""
    resource: Policy | None = None
    """The repository's policy, or the trust policy of the role that is to be assumed."""
    registry: Policy | None = None
    scps: Sequence[Sequence[Policy]] = ()
    """By level, from the organisation's root down."""
    rcps: Sequence[Sequence[Policy]] = ()


class _Found(NamedTuple):
    """A statement that applies."""

    kind: PolicyKind
    policy: str
    statement: str
    strength: Strength = Strength.DIRECT


_NOBODY = ""


def evaluate(question: Question, policies: Policies) -> Decision:
    """Answer a question. Whatever goes wrong inside is a deny by `error`, which the caller reports as an alarm."""
    facts = Facts(question.context)
    try:
        return _Hearing(question, policies, facts).decision()
    except Exception:  # noqa: BLE001 - fail closed, as AWS does
        return Decision("explicit_deny", "error", _NOBODY, _NOBODY, frozenset(facts.read))


class _Hearing:
    """One question before all policies."""

    def __init__(self, question: Question, policies: Policies, facts: Facts) -> None:
        self._actor = question.actor
        self._action = question.action.lower()
        self._resource = question.resource.split(":", SEGMENTS - 1)
        self._policies = policies
        self._facts = facts
        self._assumes = self._action.startswith(_ASSUMES)
        self._has_account = question.actor.kind not in {"service", "web_identity"}
        self._crossing = self._has_account and question.actor.account != question.resource_account

    def decision(self) -> Decision:
        """Hear every kind of policy in order."""
        policies = self._policies
        granted: list[_Found] = []
        allowed: dict[PolicyKind, _Found] = {}
        for kind, held in self._in_order():
            for policy in held:
                found = self._heard(policy, kind)
                if found is None:
                    continue
                if found.strength is Strength.NONE:
                    return self._denied("explicit_deny", kind, found)
                if kind in {PolicyKind.REPOSITORY, PolicyKind.REGISTRY, PolicyKind.TRUST}:
                    granted.append(found)
                else:
                    allowed.setdefault(kind, found)
        for level in policies.scps if self._actor.kind != "service" else ():
            if not any(self._allows(policy) for policy in level):
                return self._denied("implicit_deny", PolicyKind.SCP)
        grant = max(granted, key=lambda found: found.strength) if granted else None
        if self._crossing:
            return self._across(grant, allowed)
        return self._within(grant, allowed)

    def _in_order(self) -> Iterable[tuple[PolicyKind, Iterable[Policy]]]:
        policies = self._policies
        if policies.scps:
            yield PolicyKind.SCP, [policy for level in policies.scps for policy in level]
        if policies.rcps:
            yield PolicyKind.RCP, [policy for level in policies.rcps for policy in level]
        if policies.resource is not None:
            yield self._kind_of_resource, (policies.resource,)
        if policies.registry is not None:
            yield PolicyKind.REGISTRY, (policies.registry,)
        if policies.boundary is not None:
            yield PolicyKind.BOUNDARY, (policies.boundary,)
        if policies.session:
            yield PolicyKind.SESSION, policies.session
        yield PolicyKind.IDENTITY, policies.identity

    @property
    def _kind_of_resource(self) -> PolicyKind:
        return PolicyKind.TRUST if self._assumes else PolicyKind.REPOSITORY

    def _heard(self, policy: Policy, kind: PolicyKind) -> _Found | None:
        """What a policy says of the request: the first Deny, marked by no strength, else its strongest Allow."""
        strongest: _Found | None = None
        for statement in policy.about(self._action):
            strength = Strength.DIRECT
            if statement.principal is not None:
                bounded = self._policies.boundary is not None
                strength = statement.strength(self._actor, bounded=bounded)
                if strength is Strength.NONE:
                    continue
            if not statement.denies and strongest is not None and strongest.strength >= strength:
                continue
            if statement.applies(self._resource, self._facts):
                if statement.denies:
                    return _Found(kind, policy.name, statement.label, Strength.NONE)
                strongest = _Found(kind, policy.name, statement.label, strength)
        return strongest

    def _allows(self, policy: Policy) -> bool:
        # No Deny of it applies: those were heard before.
        return self._heard(policy, PolicyKind.SCP) is not None

    def _within(self, grant: _Found | None, allowed: dict[PolicyKind, _Found]) -> Decision:
        """Decide in the resource's own account, where one side is enough."""
        lacking = self._limit(allowed)
        strength = Strength.NONE if grant is None else grant.strength
        # A federated user without a session policy has nothing of what its user was given.
        leaves = lacking is None and not self._is_bare
        if grant is not None and (strength is Strength.DIRECT or (strength is Strength.ENTITY and leaves)):
            return self._allowed(grant.kind, grant)
        if not self._has_account or (self._assumes and strength is Strength.NONE):
            return self._denied("implicit_deny", self._kind_of_resource)
        return self._by_identity(allowed, lacking)

    def _across(self, grant: _Found | None, allowed: dict[PolicyKind, _Found]) -> Decision:
        """Decide between two accounts, which both must agree."""
        if grant is None:
            return self._denied("implicit_deny", self._kind_of_resource)
        found = self._by_identity(allowed, self._limit(allowed))
        return self._allowed(grant.kind, grant) if found.allowed else found

    def _by_identity(self, allowed: dict[PolicyKind, _Found], lacking: PolicyKind | None) -> Decision:
        """Hear the caller's own side: identity policies within the boundary and the session policy."""
        own = allowed.get(PolicyKind.IDENTITY)
        if (own is None and self._actor.kind != "root") or self._is_bare:
            return self._denied("implicit_deny", PolicyKind.IDENTITY)
        if lacking is not None:
            return self._denied("implicit_deny", lacking)
        if own is None:
            return self._answer("allow", "root", None)
        return self._allowed(PolicyKind.IDENTITY, own)

    @property
    def _is_bare(self) -> bool:
        return self._actor.kind == "federated_user" and self._policies.session is None

    def _limit(self, allowed: dict[PolicyKind, _Found]) -> PolicyKind | None:
        """Give what narrows the caller and does not allow this."""
        if self._policies.boundary is not None and PolicyKind.BOUNDARY not in allowed:
            return PolicyKind.BOUNDARY
        if self._policies.session is not None and PolicyKind.SESSION not in allowed:
            return PolicyKind.SESSION
        return None

    def _allowed(self, kind: PolicyKind, found: _Found) -> Decision:
        return self._answer("allow", kind.value, found)

    def _denied(self, verdict: Verdict, kind: PolicyKind, found: _Found | None = None) -> Decision:
        return self._answer(verdict, kind.value, found)

    def _answer(self, verdict: Verdict, by: str, found: _Found | None) -> Decision:
        policy, statement = (found.policy, found.statement) if found is not None else (_NOBODY, _NOBODY)
        return Decision(verdict, by, policy, statement, frozenset(self._facts.read), self._crossing)


def is_on_role(action: str) -> bool:
    """Whether an action is on a role, whose trust policy must speak for the caller."""
    return action.lower().startswith(_ASSUMES)
