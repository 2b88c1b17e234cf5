"""What the engine is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from portside.identity.policy.variables import Value

ActorKind = Literal["user", "role_session", "federated_user", "root", "service", "web_identity"]
Verdict = Literal["allow", "explicit_deny", "implicit_deny"]


class PolicyKind(StrEnum):
    """What a policy hangs on, and so what it may hold and how it counts."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    REPOSITORY = "repository"
    REGISTRY = "registry"
    TRUST = "trust"
    SCP = "scp"
    RCP = "rcp"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as policies can name it."""

    kind: ActorKind
    arn: str
    """Its own ARN: of a user, of a session, of the account's root; of a service its name, of a web identity its
    provider's ARN."""
    account: str
    """Empty for a service and a web identity."""
    role_arn: str | None = None
    """Of a role's session."""
    user_arn: str | None = None
    """Of the user behind a federated user."""
    unique_id: str | None = None
    """`AIDA…` of the user, the one behind a federated user too; `AROA…` of a session's role."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this actor carry out this action on this resource?"""

    actor: Actor
    action: str
    resource: str
    """An ARN, or `*` for an action that is not on anything in particular."""
    resource_account: str
    context: Mapping[str, Value]
    """Condition keys, in lower case."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and what it rests on."""

    verdict: Verdict
    by: str
    """The kind of policy that decided: a PolicyKind's value; `root` for what only an account's root user may do
    without any policy; `error` where the engine failed, which denies."""
    policy: str
    """The label of the policy that decided; empty where none did."""
    statement: str
    """Its statement's Sid, or its place; empty where none decided."""
    keys: frozenset[str]
    """The context keys that were looked at, present or not: with the same values of these, the answer is the same."""
    crossing: bool = False
    """Whether actor and resource belong to different accounts."""

    @property
    def allowed(self) -> bool:
        """Whether the actor may."""
        return self.verdict == "allow"


_TAILS: dict[str, tuple[str, str]] = {
    PolicyKind.IDENTITY: ("identity-based policy", "an identity-based policy"),
    PolicyKind.BOUNDARY: ("permissions boundary", "a permissions boundary"),
    PolicyKind.SESSION: ("session policy", "a session policy"),
    PolicyKind.REPOSITORY: ("resource-based policy", "a resource-based policy"),
    PolicyKind.REGISTRY: ("resource-based policy", "a resource-based policy"),
    PolicyKind.TRUST: ("resource-based policy", "a resource-based policy"),
    PolicyKind.SCP: ("service control policy", "a service control policy"),
    PolicyKind.RCP: ("resource control policy", "a resource control policy"),
}


def because(decision: Decision, action: str) -> str:
    """End the sentence that who is denied is told (iam-behaviour 1.7)."""
    silent, denying = _TAILS.get(decision.by, _TAILS[PolicyKind.IDENTITY])
    if decision.verdict == "explicit_deny":
        return f"with an explicit deny in {denying}"
    return f"because no {silent} allows the {action} action"
