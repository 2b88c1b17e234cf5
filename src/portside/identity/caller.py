"""Who asks, and in what circumstances: what every decision is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entity:
    """The user or the role that a principal is, or acts as."""

    id: str
    """Its unique id: `AIDA…` of a user, `AROA…` of a role; never given to another one, unlike the name."""
    arn: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    boundary: str | None = None
    """ARN of the policy that is its permissions boundary."""


@dataclass(frozen=True, slots=True)
class Session:
    """What temporary credentials say of themselves (iam-behaviour 1.8). Times are microseconds since 1970, UTC."""

    id: str
    """Unlike the id of its access key, no two sessions share it."""
    name: str
    """Of a role's session or a federated user; empty for a user's own temporary credentials."""
    issued_at: int
    expires_at: int
    policies: Sequence[str] | None = None
    """The documents that narrow it; None where it was given none, which is not the same as an empty list."""
    policy_arns: Sequence[str] = ()
    """Managed policies that narrow it too."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    transitive_tags: Sequence[str] = ()
    """Keys of the tags that sessions assumed from this one keep."""
    source_identity: str | None = None
    mfa: bool = False
    provider: str | None = None
    """ARN of the identity provider that vouched for it."""
    claims: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, str | Sequence[str]])
    """Context keys that the provider's token gave, in lower case, such as `issuer.example.com:sub`."""
    origin: str | None = None
    """The long-term access key that it goes back to; when that is gone, so is the session."""
    lineage: Mapping[str, int] = field(default_factory=dict[str, int])
    """What else it goes back to, and since when: ids of the roles whose sessions it was assumed from, of the provider
    that vouched for the first. With any of them, or with their sessions of that time, it ends."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity of one account (iam-behaviour 2.6, context keys)."""

    account: str
    arn: str
    user_id: str
    kind: str
    """`aws:PrincipalType`: Account for the root user, User, AssumedRole, FederatedUser."""
    access_key: str
    """The access key that vouches for it; when that is gone, so is every token issued to it."""
    entity: Entity | None = None
    """None for the root user."""
    session: Session | None = None
    """None with long-term keys."""

    @classmethod
    def root(cls, account: str, access_key: str) -> Principal:
        """The account's root user."""
        return cls(account, f"arn:aws:iam::{account}:root", account, "Account", access_key)

    @property
    def policy_arn(self) -> str:
        """`aws:PrincipalArn`: the role's ARN for its sessions, otherwise the caller's own."""
        return self.entity.arn if self.entity is not None and self.kind == "AssumedRole" else self.arn

    @property
    def holder(self) -> str:
        """Whom something that is scarce is counted for; sessions, of which one can have any number, count together."""
        return self.arn if self.entity is None else self.entity.id


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of the request itself."""

    at: int
    """Microseconds since 1970, UTC."""
    source_ip: str
    secure: bool
    """Whether it came over TLS."""
    user_agent: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal making one request."""

    principal: Principal
    circumstances: Circumstances
