"""Registry tokens: the password of `docker login`, and download tickets.

A token is sealed, so its content cannot be read or changed by who holds it, and it names the principal it was given to:
what it may do is decided when it is used (ecr-behaviour 1.1). The outer form is ECR's: base64 of a small JSON object
with the ciphertext inside. Pure: the box and the time are handed in.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from portside.core.digest import Digest
from portside.core.errors import RegistryTokenExpired, RegistryTokenInvalid
from portside.core.names import RepositoryId
from portside.identity import sessions
from portside.identity.box import Box, BoxError
from portside.identity.caller import Principal
from portside.identity.sessions import Temporary

LIFETIME = 12 * 3600 * 1_000_000
"""Microseconds that a registry token is good for."""
TICKET_LIFETIME = 3600 * 1_000_000
"""Microseconds that a download address is good for."""

TICKET_PARAMETER = "X-Portside-Ticket"
"""The query parameter that carries a download ticket."""

_TOKEN = b"portside registry token 2"
_TICKET = b"portside download ticket 2"
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """What a token says: who it was given to, and for which region."""

    access_key: str
    region: str
    expires_at: int
    temporary: Temporary | None = None
    """The session that it was given to, which it goes on speaking for."""


def bearer_of(principal: Principal, region: str, expires_at: int) -> TokenBearer:
    """What a token for a principal says."""
    temporary = None if principal.session is None else sessions.of_principal(principal, principal.session)
    return TokenBearer(principal.access_key, region, expires_at, temporary)


def issue(box: Box, bearer: TokenBearer) -> str:
    """The password for a bearer."""
    return _envelope(box.seal(_packed(bearer), _TOKEN), bearer.expires_at)


def redeem(box: Box, password: str, now: int) -> TokenBearer:
    """Read a password; raises RegistryTokenInvalid, and RegistryTokenExpired for one of ours that is too old."""
    if len(password) > _LONGEST:
        raise RegistryTokenInvalid
    try:
        envelope: Any = json.loads(b64decode(password, validate=True))
        sealed = b64decode(envelope["payload"], validate=True)
        bearer = _unpacked(box.open(sealed, _TOKEN))
    except (ValueError, TypeError, KeyError, BoxError, RecursionError, zlib.error):
        raise RegistryTokenInvalid from None
    if password != _envelope(sealed, bearer.expires_at):
        raise RegistryTokenInvalid  # changed around what is sealed
    if now >= bearer.expires_at:
        raise RegistryTokenExpired
    return bearer


def _packed(bearer: TokenBearer) -> bytes:
    temporary = None if bearer.temporary is None else bearer.temporary.members()
    content = json.dumps([bearer.access_key, bearer.region, bearer.expires_at, temporary], separators=(",", ":"))
    return zlib.compress(content.encode())


def _unpacked(content: bytes) -> TokenBearer:
    access_key, region, expires_at, temporary = json.loads(zlib.decompress(content))
    return TokenBearer(access_key, region, expires_at, None if temporary is None else Temporary.of(temporary))


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


def issue_ticket(box: Box, bearer: TokenBearer, repository: RepositoryId, digest: Digest) -> str:
    """A ticket that lets whoever holds the address download one layer as the caller it was made for."""
    named = json.dumps([repository.account, repository.region, repository.name, str(digest)]).encode()
    sealed = box.seal(len(named).to_bytes(2, "big") + named + _packed(bearer), _TICKET)
    return urlsafe_b64encode(sealed).decode("ascii").rstrip("=")


def redeem_ticket(box: Box, ticket: str, name: str, digest: str, now: int) -> tuple[TokenBearer, RepositoryId]:
    """Read a ticket for this repository name and digest: whom it speaks for, and the repository.

    Raises RegistryTokenInvalid, and RegistryTokenExpired.
    """
    if len(ticket) > _LONGEST:
        raise RegistryTokenInvalid
    try:
        content = box.open(urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4)), _TICKET)
        end = 2 + int.from_bytes(content[:2], "big")
        account, region, its_name, its_digest = json.loads(content[2:end])
        bearer = _unpacked(content[end:])
    except (ValueError, TypeError, KeyError, BoxError, zlib.error):
        raise RegistryTokenInvalid from None
    if (its_name, its_digest) != (name, digest):
        raise RegistryTokenInvalid
    if now >= bearer.expires_at:
        raise RegistryTokenExpired
    return bearer, RepositoryId(account, region, its_name)
