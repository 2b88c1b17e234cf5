"""Registry tokens: the password of `docker login`, and download tickets.

A token is sealed, so its content cannot be read or changed by who holds it, and it names the principal it was given to:
what it may do is decided when it is used (ecr-behaviour 1.1). The outer form is ECR's: base64 of a small JSON object
with the ciphertext inside. Pure: the box and the time are handed in.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from portside.core.digest import Digest
from portside.core.errors import RegistryTokenExpired, RegistryTokenInvalid
from portside.core.names import RepositoryId
from portside.identity.box import Box, BoxError

LIFETIME = 12 * 3600 * 1_000_000
"""Microseconds that a registry token is good for."""
TICKET_LIFETIME = 3600 * 1_000_000
"""Microseconds that a download address is good for."""

TICKET_PARAMETER = "X-Portside-Ticket"
"""The query parameter that carries a download ticket."""

_TOKEN = b"portside registry token 1"
_TICKET = b"portside download ticket 1"
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """What a token says: who it was given to, and for which region."""

    access_key: str
    region: str
    expires_at: int


def issue(box: Box, bearer: TokenBearer) -> str:
    """The password for a bearer."""
    content = json.dumps([bearer.access_key, bearer.region, bearer.expires_at]).encode()
    return _envelope(box.seal(content, _TOKEN), bearer.expires_at)


def redeem(box: Box, password: str, now: int) -> TokenBearer:
    """Read a password; raises RegistryTokenInvalid, and RegistryTokenExpired for one of ours that is too old."""
    if len(password) > _LONGEST:
        raise RegistryTokenInvalid
    try:
        envelope: Any = json.loads(b64decode(password, validate=True))
        sealed = b64decode(envelope["payload"], validate=True)
        access_key, region, expires_at = json.loads(box.open(sealed, _TOKEN))
    except (ValueError, TypeError, KeyError, BoxError, RecursionError):
        raise RegistryTokenInvalid from None
    if password != _envelope(sealed, expires_at):
        raise RegistryTokenInvalid  # changed around what is sealed
    if now >= expires_at:
        raise RegistryTokenExpired
    return TokenBearer(access_key, region, expires_at)


def _envelope(sealed: bytes, expires_at: int) -> str:
    envelope = {
        "payload": b64encode(sealed).decode("ascii"),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": expires_at // 1_000_000,
    }
    return b64encode(json.dumps(envelope, separators=(",", ":")).encode()).decode("ascii")


def basic_password(authorization: str) -> str:
    """The password in an `Authorization: Basic` header whose user is AWS; raises RegistryTokenInvalid."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 2 * _LONGEST:
        raise RegistryTokenInvalid
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        raise RegistryTokenInvalid from None
    if user != "AWS" or not colon:
        raise RegistryTokenInvalid
    return password


def issue_ticket(box: Box, access_key: str, repository: RepositoryId, digest: Digest, expires_at: int) -> str:
    """A ticket that lets whoever holds the address download one layer as the caller it was made for."""
    content = json.dumps([access_key, repository.account, repository.region, repository.name, str(digest), expires_at])
    return urlsafe_b64encode(box.seal(content.encode(), _TICKET)).decode("ascii").rstrip("=")


def redeem_ticket(box: Box, ticket: str, name: str, digest: str, now: int) -> tuple[str, RepositoryId]:
    """Read a ticket for this repository name and digest: the access key and the repository.

    Raises RegistryTokenInvalid, and RegistryTokenExpired.
    """
    if len(ticket) > _LONGEST:
        raise RegistryTokenInvalid
    try:
        sealed = urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        access_key, account, region, its_name, its_digest, expires_at = json.loads(box.open(sealed, _TICKET))
    except (ValueError, TypeError, BoxError):
        raise RegistryTokenInvalid from None
    if (its_name, its_digest) != (name, digest):
        raise RegistryTokenInvalid
    if now >= expires_at:
        raise RegistryTokenExpired
    return access_key, RepositoryId(account, region, its_name)
