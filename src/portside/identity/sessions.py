"""Session tokens: temporary credentials that need no row (iam-behaviour 1.8).

The token is everything that the session is, sealed, so that nobody can read or change it, and every node can open it.
The secret that goes with it is a keyed hash of the token, so no node has to remember it either. Whether the identity
behind a session still stands, and whether its sessions were revoked, is asked whenever it is used.
"""

from __future__ import annotations

import hmac
import json
import re
import zlib
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from portside.core.errors import SecurityTokenInvalid
from portside.identity.box import Box, BoxError
from portside.identity.caller import Principal, Session

Standing = Literal["root", "user", "role", "federated"]
LONGEST = 8192
"""Characters of a token that are looked at."""
MOST_PACKED = 3072
"""Bytes that the policies, tags and claims of a session may come to, packed."""
_SPELLING = re.compile("[A-Za-z0-9_-]*")
_CONTEXT = b"portside session 1"
_MOST_UNPACKED = 131_072
_MOST_WRITTEN = 65_536
"""Bytes that they may come to before that, so that a token always opens again."""
_SECRET = 30
_STANDINGS: Mapping[str, Standing] = {
    "Account": "root",
    "User": "user",
    "AssumedRole": "role",
    "FederatedUser": "federated",
}


@dataclass(frozen=True, slots=True)
class Temporary:
    """Temporary credentials."""

    access_key: str
    account: str
    standing: Standing
    """As what they act."""
    entity: str | None
    """The unique id of the role, or of the user that they were given to; None for an account's root."""
    session: Session

    def members(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return asdict(self)

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Temporary:
        """Read what `members` gave."""
        found = dict(members)
        session: dict[str, Any] = found.pop("session")
        for name in ("policies", "policy_arns", "transitive_tags"):
            session[name] = None if session[name] is None else tuple(session[name])
        return cls(session=Session(**session), **found)


def of_principal(principal: Principal, session: Session) -> Temporary:
    """The credentials that a principal with a session came with."""
    entity = None if principal.entity is None else principal.entity.id
    return Temporary(principal.access_key, principal.account, _STANDINGS[principal.kind], entity, session)


def packed_size(session: Session) -> int:
    """Bytes that policies, tags and claims come to: all of a session that has no small bound of its own."""
    content = [session.policies, session.policy_arns, session.tags, session.transitive_tags, session.claims]
    written = json.dumps(content).encode()
    return max(len(zlib.compress(written)), len(written) * MOST_PACKED // _MOST_WRITTEN)


def seal(box: Box, temporary: Temporary) -> str:
    """The token of temporary credentials."""
    content = zlib.compress(json.dumps(temporary.members(), separators=(",", ":")).encode())
    return urlsafe_b64encode(box.seal(content, _CONTEXT)).decode("ascii").rstrip("=")


def unseal(box: Box, token: str) -> Temporary:
    """Read a token; raises SecurityTokenInvalid for one that was not sealed here, or was changed."""
    # Python reads `+` and `/` for `-` and `_`, too; one token has one spelling.
    if len(token) > LONGEST or not _SPELLING.fullmatch(token):
        raise SecurityTokenInvalid
    try:
        content = box.open(urlsafe_b64decode(token + "=" * (-len(token) % 4)), _CONTEXT)
        return Temporary.of(json.loads(zlib.decompressobj().decompress(content, _MOST_UNPACKED)))
    except (ValueError, TypeError, KeyError, BoxError, zlib.error):
        raise SecurityTokenInvalid from None


def secret_of(key: bytes, token: str) -> str:
    """The secret that goes with a token: 40 characters."""
    return b64encode(hmac.digest(key, b"portside session secret 1\n" + token.encode(), "sha256")[:_SECRET]).decode()
