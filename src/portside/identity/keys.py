"""Ids of access keys: 20 characters that name the account, as AWS's do, and secrets of 40 characters.

After the prefix stand sixteen characters of base32, which are 80 bits: one that is always set, forty for the account,
and 39 of chance (iam-behaviour 4.4). STS GetAccessKeyInfo reads the account back without looking anything up.
"""

from __future__ import annotations

import base64
import re
import secrets

LONG_TERM, TEMPORARY = "AKIA", "ASIA"
_FORM = re.compile(r"A[KS]IA([A-Z2-7]{16})")
_CHANCE = 39
_ACCOUNT_BITS = 40
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_LENGTH = 17


def new_access_key_id(prefix: str, account: str) -> str:
    """An id of a new access key of an account; `prefix` is LONG_TERM or TEMPORARY."""
    bits = 1 << _ACCOUNT_BITS + _CHANCE | int(account) << _CHANCE | secrets.randbits(_CHANCE)
    return prefix + base64.b32encode(bits.to_bytes(10, "big")).decode("ascii")


def account_of(access_key: str) -> str | None:
    """The account that an access key's id names; None for one that is of another form."""
    found = _FORM.fullmatch(access_key)
    if found is None:
        return None
    bits = int.from_bytes(base64.b32decode(found.group(1)), "big")
    account = bits >> _CHANCE & (1 << _ACCOUNT_BITS) - 1
    if not bits >> _ACCOUNT_BITS + _CHANCE or account >= 10**12:
        return None
    return f"{account:012d}"


def new_secret() -> str:
    """A new secret: 40 characters, 240 bits."""
    return secrets.token_urlsafe(30)


def new_unique_id(prefix: str) -> str:
    """An id of 21 characters that nothing else ever has; `prefix` says of what kind (AIDA, AROA, AGPA, ANPA)."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
