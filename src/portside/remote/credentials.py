"""The ports through which credentials come in. Rule: a secret is shown to the host it was asked for, and nowhere else.

An adapter stands in `client/`, for a person's shell; replication will have one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from portside.identity import sigv4


@dataclass(frozen=True, slots=True)
class Login:
    """What a registry takes: a user name with a password, or a token of Docker's OAuth flow in place of both."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """`identitytoken` of Docker's configuration; exchanged at the registry's token service."""


class Logins(Protocol):
    """Logins of registries, by host as it stands in an image's name (`localhost:4510`)."""

    def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
        """Find the login for this host; None when there is none, and the registry is asked without.

        `renew`: the one given before was refused as expired or unknown, so a remembered one will not do.
        `ecr_at`: the registry's address, when it said that it is ECR or behaves so, and has the API beside it.
        May be called from several threads. Raises Unauthenticated when credentials exist and make no login.
        """
        ...


class SigningKeys(Protocol):
    """The keys that sign requests to the ECR API."""

    def keys(self, *, renew: bool = False) -> sigv4.Credentials:
        """Give the keys, fresh for some minutes at least. Raises Unauthenticated when there are none."""
        ...


class Anonymous:
    """No login for anybody."""

    def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
        """None, always."""
        del host, renew, ecr_at
        return None
