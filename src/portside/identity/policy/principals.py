"""The Principal element: whom a resource's policy speaks of, and how strongly (iam-behaviour 2.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from portside.identity.policy.errors import PolicyError
from portside.identity.policy.json_values import listed, members
from portside.identity.policy.question import Actor

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):(.+)")
_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")
_TYPES = frozenset({"AWS", "Service", "Federated"})
_OUTSIDE = {"service": "Service", "web_identity": "Federated"}
"""The type of principal that names actors who belong to no account."""


class Strength(IntEnum):
    """How far an Allow for a principal carries in the resource's own account."""

    NONE = 0
    ACCOUNT = 1
    """The account is trusted: it decides for itself, by its identity policies."""
    ENTITY = 2
    """The role of a session or the user behind a federated user is named: boundary and session policy still narrow."""
    DIRECT = 3
    """The caller itself is named: the silence of its other policies takes nothing away."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a statement."""

    type: str
    """AWS, Service, Federated; `*` for everyone."""
    value: str

    @property
    def account(self) -> str | None:
        """The account, where the principal is one as a whole."""
        if self.type != "AWS":
            return None
        if _ACCOUNT.fullmatch(self.value):
            return self.value
        found = _ARN.fullmatch(self.value)
        return found.group(3) if found is not None and found.group(4) == "root" else None

    def strength(self, actor: Actor, *, denies: bool) -> Strength:
        """How strongly this speaks of an actor; `denies` says that a Deny asks."""
        if self.type == "*" or (self.type == "AWS" and self.value == "*"):
            # A token of some provider is trusted only where that provider is named.
            return _direct(denies or actor.kind != "web_identity")
        outside = _OUTSIDE.get(actor.kind)
        if self.type != "AWS" or outside is not None:
            return _direct(self.type == outside and actor.arn == self.value)
        if self.account is not None:
            return Strength.ACCOUNT if self.account == actor.account else Strength.NONE
        if self.value == actor.arn or (actor.kind == "user" and self.value == actor.unique_id):
            return Strength.DIRECT
        behind = actor.role_arn if actor.kind == "role_session" else actor.user_arn
        named = self.value in {behind, actor.unique_id} and actor.kind in {"role_session", "federated_user"}
        return Strength.ENTITY if named else Strength.NONE


@dataclass(frozen=True, slots=True)
class Named:
    """A Principal element."""

    principals: Sequence[Principal]

    def strength(self, actor: Actor, *, denies: bool) -> Strength:
        """The strongest way in which it speaks of an actor."""
        return max(principal.strength(actor, denies=denies) for principal in self.principals)


@dataclass(frozen=True, slots=True)
class AllBut:
    """A NotPrincipal element (iam-behaviour 2.3).

    It excuses only who is listed with all that it is: a session with its role and its account, a user with its account.
    Whoever has a permissions boundary is never excused.
    """

    principals: Sequence[Principal]

    def excuses(self, actor: Actor, *, bounded: bool) -> bool:
        """Whether the statement leaves this actor alone."""
        if bounded:
            return False
        found = {principal.strength(actor, denies=False) for principal in self.principals}
        if actor.kind in {"service", "web_identity"}:
            return Strength.DIRECT in found
        if any(principal.value == "*" for principal in self.principals):
            return True
        needed = {Strength.ACCOUNT}
        if actor.kind != "root":
            needed.add(Strength.DIRECT)
        if actor.kind in {"role_session", "federated_user"}:
            needed.add(Strength.ENTITY)
        return needed <= found


def principals(element: Any, *, lenient: bool) -> Sequence[Principal]:
    """Read a Principal or NotPrincipal element; raises PolicyError."""
    if element == "*":
        return (Principal("*", "*"),)
    found: list[Principal] = []
    for kind, values in members(element, "Principal").items():
        if kind not in _TYPES:
            raise PolicyError(f"there is no type of principal {kind[:64]} here")
        for value in listed(values):
            if not isinstance(value, str):
                raise PolicyError("a principal must be a string")
            if not lenient:
                _check(kind, value)
            found.append(Principal(kind, value))
    if not found:
        raise PolicyError("no principal is named")
    return tuple(found)


def _check(kind: str, value: str) -> None:
    if not value:
        raise PolicyError("a principal is empty")
    if value == "*" and kind == "AWS":
        return
    if "*" in value or "?" in value:
        raise PolicyError("a wildcard is allowed only as the whole principal")
    if kind == "AWS" and not any(form.fullmatch(value) for form in (_ACCOUNT, _ARN, _ID)):
        raise PolicyError("a principal is no account, ARN or unique id")


def _direct(holds: object) -> Strength:
    return Strength.DIRECT if holds else Strength.NONE
