"""May they? A pure function from a question to a decision with its reason.

Today the only principals are account roots: a root may do everything in its own account, and nothing in another one,
since no resource policy can speak for it yet (iam-behaviour 2.6, same account 5 and cross account). The policy language
takes this module's place without a change for those who ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from portside.identity.caller import Caller


@dataclass(frozen=True, slots=True)
class Question:
    """May this caller carry out this action on this resource?"""

    caller: Caller
    action: str
    """`ecr:PutImage`."""
    resource: str
    """An ARN, or `*` for what belongs to the registry as a whole."""
    owner: str
    """The account that owns the resource."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer; `because` ends the sentence that a denied caller is told (iam-behaviour 1.7)."""

    allowed: bool
    because: str


def decide(question: Question) -> Decision:
    """Answer a question."""
    if question.caller.principal.account != question.owner:
        return Decision(allowed=False, because=f"because no resource-based policy allows the {question.action} action")
    if question.caller.principal.kind == "Account":
        return Decision(allowed=True, because="the account's root user may do everything in it")
    return Decision(allowed=False, because=f"because no identity-based policy allows the {question.action} action")
