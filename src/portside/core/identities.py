"""Identities: users, groups, roles, managed policies and identity providers, as the registry remembers them.

Times are microseconds since 1970, UTC. What only one kind has stands in `attributes`, a JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an identity is; the value is the word in its ARN."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    POLICY = "policy"
    PROVIDER = "oidc-provider"


@dataclass(frozen=True, slots=True)
class Identity:
    """One of them."""

    id: str
    """Its unique id, never given again: `AIDA…`, `AGPA…`, `AROA…`, `ANPA…`; of a provider its ARN."""
    account: str
    kind: Kind
    name: str
    """As it was given; no other one of its kind in the account has the same without regard to case."""
    path: str
    created_at: int
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    boundary: str | None = None
    """ARN of the policy that is the permissions boundary of a user or role."""

    @property
    def arn(self) -> str:
        """`arn:aws:iam::ACCOUNT:user/PATH/NAME`."""
        return arn_of(self.account, self.kind, self.name, self.path)

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        return self.attributes.get("tags", {})


@dataclass(frozen=True, slots=True)
class Document:
    """A policy that an identity holds, of itself or by a group."""

    name: str
    """Of an inline policy its name, of an attached one its ARN."""
    text: str


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy."""

    number: int
    text: str
    is_default: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term access key; its secret is another matter."""

    id: str
    account: str
    principal: str
    """`root`, or the unique id of a user."""
    active: bool
    created_at: int
    last_used_at: int | None = None
    last_used_region: str = ""
    last_used_service: str = ""


def arn_of(account: str, kind: Kind, name: str, path: str = "/") -> str:
    """The ARN that an identity of this name has, whether it exists or not."""
    return f"arn:aws:iam::{account}:{kind}{path if kind is not Kind.PROVIDER else '/'}{name}"
