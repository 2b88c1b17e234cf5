"""Who asks, and in what circumstances: what every decision is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity of one account (iam-behaviour 2.6, context keys)."""

    account: str
    arn: str
    user_id: str
    kind: str
    """`aws:PrincipalType`: Account for the root user."""
    access_key: str
    """The access key that vouches for it; when that is gone, so is every token issued to it."""

    @classmethod
    def root(cls, account: str, access_key: str) -> Principal:
        """The account's root user."""
        return cls(account, f"arn:aws:iam::{account}:root", account, "Account", access_key)


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
