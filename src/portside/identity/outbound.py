"""Tokens for others: JSON Web Tokens that say who one of our principals is (STS API Reference, GetWebIdentityToken).

An account has two private keys, one for each algorithm that STS offers. They are kept sealed, as PEM in one small JSON
document; the public halves are a JSON Web Key Set that anybody may read.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

Algorithm = Literal["RS256", "ES384"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
_HALF = 48


def new_keys() -> str:
    """Make an account's keys; the document that holds them."""
    made: dict[str, Any] = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
    }
    texts = {
        name: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for name, key in made.items()
    }
    return json.dumps(texts)


def key_set(keys: str) -> dict[str, Any]:
    """The public halves as a JSON Web Key Set (RFC 7517)."""
    pair, point = _rsa(keys).public_key().public_numbers(), _curve(keys).public_key().public_numbers()
    found = [
        {"kty": "RSA", "alg": "RS256", "n": _number(pair.n, 256), "e": _number(pair.e, 3)},
        {"kty": "EC", "alg": "ES384", "crv": "P-384", "x": _number(point.x, _HALF), "y": _number(point.y, _HALF)},
    ]
    return {"keys": [{**key, "use": "sig", "kid": _name(key)} for key in found]}


def sign(keys: str, algorithm: Algorithm, claims: Mapping[str, Any]) -> str:
    """A token with these claims."""
    kid = next(key["kid"] for key in key_set(keys)["keys"] if key["alg"] == algorithm)
    head = {"alg": algorithm, "kid": kid, "typ": "JWT"}
    signed = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    if algorithm == "RS256":
        signature = _rsa(keys).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        halves = decode_dss_signature(_curve(keys).sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
        signature = b"".join(half.to_bytes(_HALF, "big") for half in halves)
    return f"{signed}.{_encoded(signature)}"


def _rsa(keys: str) -> rsa.RSAPrivateKey:
    # Made here and out of a sealed row: to prove its primes again at each use would cost more than signing.
    text = json.loads(keys)["RS256"].encode()
    return cast("rsa.RSAPrivateKey", load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True))


def _curve(keys: str) -> ec.EllipticCurvePrivateKey:
    return cast("ec.EllipticCurvePrivateKey", load_pem_private_key(json.loads(keys)["ES384"].encode(), None))


def _name(key: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]


def _number(value: int, size: int) -> str:
    return _encoded(value.to_bytes(size, "big"))


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode("ascii").rstrip("=")
