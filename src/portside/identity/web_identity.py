"""Web identity tokens: JSON Web Tokens of an OpenID Connect issuer, verified (iam-behaviour 4.5; RFC 7519, RFC 7518).

Rule: the algorithm is one of a short list of signatures by a private key, the key is one of the issuer's, and nothing
of a token counts before its signature is verified but the issuer's name, by which the keys are found. A token that two
readers could read differently (a member twice, claims whose names differ in case alone) is none.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from portside.core.iam_errors import IdentityTokenExpired, IdentityTokenInvalid
from portside.core.json_text import must_be_text

LONGEST = 20_000
"""Characters of a token that are looked at; the service model takes no more."""
SKEW = 300
"""Seconds by which the issuer's clock may differ."""
_SMALLEST_RSA = 2048
_END_OF_TIME = 10**12
"""Seconds since 1970 that no clock will ever show: a token that lasts until then was not meant to end."""
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES: Mapping[str, tuple[str, type[ec.EllipticCurve], int]] = {
    "ES256": ("P-256", ec.SECP256R1, 32),
    "ES384": ("P-384", ec.SECP384R1, 48),
}
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", *_CURVES})
_NO_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True)
class Token:
    """A token, read and not yet believed."""

    algorithm: str
    key_id: str | None
    issuer: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def parse(text: str) -> Token:
    """Read a token; raises IdentityTokenInvalid."""
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3:  # noqa: PLR2004 - head, claims, signature
        raise IdentityTokenInvalid(_NO_TOKEN)
    try:
        head, claims = (_object(part) for part in parts[:2])
        signature = _decoded(parts[2])
    except (ValueError, RecursionError):
        raise IdentityTokenInvalid(_NO_TOKEN) from None
    # Condition keys have no case: `SUB`, which an issuer may let anybody set, must not stand for `sub`.
    if len({name.lower() for name in claims}) != len(claims):
        raise IdentityTokenInvalid(_NO_TOKEN)
    algorithm, issuer = head.get("alg"), claims.get("iss")
    if algorithm not in _ALGORITHMS or not isinstance(issuer, str) or "crit" in head:
        raise IdentityTokenInvalid(_NO_TOKEN)
    signed = f"{parts[0]}.{parts[1]}".encode()
    return Token(algorithm, _text(head.get("kid")), issuer, claims, signed, signature)


def key_for(token: Token, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The issuer's key that a token names, or the only one that can be meant where it names none."""
    fitting = [key for key in keys if _fits(token, key)]
    if token.key_id is not None:
        fitting = [key for key in fitting if key.get("kid") == token.key_id]
    return fitting[0] if len(fitting) == 1 else None


def verify(token: Token, key: Mapping[str, Any]) -> None:
    """Verify the signature; raises IdentityTokenInvalid."""
    try:
        if token.algorithm in _CURVES:
            _verify_by_curve(token, key)
        else:
            _verify_by_rsa(token, key)
    except (InvalidSignature, ValueError, TypeError, KeyError):
        raise IdentityTokenInvalid("The signature of the ID Token does not verify.") from None


def _verify_by_curve(token: Token, key: Mapping[str, Any]) -> None:
    _, curve, size = _CURVES[token.algorithm]
    if len(token.signature) != 2 * size:
        raise ValueError
    first, second = (int.from_bytes(half, "big") for half in (token.signature[:size], token.signature[size:]))
    point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve()).public_key()
    point.verify(encode_dss_signature(first, second), token.signed, ec.ECDSA(_HASHES[token.algorithm[2:]]))


def _verify_by_rsa(token: Token, key: Mapping[str, Any]) -> None:
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    if public.key_size < _SMALLEST_RSA:
        raise ValueError
    public.verify(token.signature, token.signed, padding.PKCS1v15(), _HASHES[token.algorithm[2:]])


def check(token: Token, clients: Sequence[str], now: float) -> str:
    """Check times, subject and audience of a verified token; the audience. Raises IdentityTokenExpired and …Invalid."""
    claims = token.claims
    expires, begins = claims.get("exp"), claims.get("nbf", claims.get("iat"))
    if not _is_number(expires) or (begins is not None and not _is_number(begins)):
        raise IdentityTokenInvalid("Missing a required claim: exp")
    if now >= cast("float", expires) + SKEW:
        raise IdentityTokenExpired("Token expired: current date/time must be before the expiration date/time")
    if begins is not None and now < begins - SKEW:
        raise IdentityTokenInvalid("The ID Token is not valid yet.")
    if not isinstance(claims.get("sub"), str):
        raise IdentityTokenInvalid("Missing a required claim: sub")
    given = claims.get("aud")
    audiences: list[Any] = cast("list[Any]", given) if isinstance(given, list) else [given]
    authorized = claims.get("azp")
    wanted = [authorized] if isinstance(authorized, str) and len(audiences) > 1 else audiences
    for audience in wanted:
        if isinstance(audience, str) and audience in clients:
            return audience
    raise IdentityTokenInvalid("Incorrect token audience")


def _fits(token: Token, key: Mapping[str, Any]) -> bool:
    if key.get("use", "sig") != "sig" or key.get("alg", token.algorithm) != token.algorithm:
        return False
    if token.algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[token.algorithm][0]
    return key.get("kty") == "RSA"


def _object(part: str) -> dict[str, Any]:
    found = json.loads(_decoded(part), object_pairs_hook=_once, parse_constant=_refused)
    must_be_text(found)
    if not isinstance(found, dict):
        raise ValueError  # noqa: TRY004 - malformed, as all else here is
    return cast("dict[str, Any]", found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refused(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity, which no time is ever past


def _decoded(part: str) -> bytes:
    if "=" in part or not part.isascii():
        raise ValueError
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _number(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError
    return int.from_bytes(_decoded(text), "big")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
