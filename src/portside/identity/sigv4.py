"""AWS Signature Version 4, both ends: is this request signed by the holder of that key, and how to sign one.

Rule: nothing of a request counts unless the signature covers it. `host` and every `x-amz-*` header must be signed (the
session token alone may stay outside, as in AWS's own vectors), the payload hash is the hash of the bytes that arrived
and never a word such as UNSIGNED-PAYLOAD, and whatever cannot be read is refused (iam-behaviour 1.2 to 1.6).

A verifier calls `parse`, then `check`, looks the key up, then `verify`. Secrets and the clock are arguments.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from urllib.parse import quote, unquote_to_bytes

from portside.core.errors import IncompleteSignature, InvalidSignature, MissingAuthentication, SecurityTokenInvalid

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SKEW = timedelta(minutes=15)
LONGEST_EXPIRY = 604_800  # seconds that a presigned request may be good for: a week

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_HTTP_TIME_FORM = "%a, %d %b %Y %H:%M:%S GMT"
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_CREDENTIAL = re.compile(r"([A-Za-z0-9_]{1,128})/([^/]*)/([^/]*)/([^/]*)/([^/]*)")
_TOKEN_HEADER = "x-amz-security-token"  # noqa: S105 - a header's name
_UNSIGNED_PARAMETERS = (b"X-Amz-Signature", b"X-Amz-Security-Token")
_QUERY_NAMES = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date")


@dataclass(frozen=True)
class Request:
    """An HTTP request as it stood on the wire. Text is UTF-8; other bytes come as surrogate escapes."""

    method: str
    path: str
    query: str
    """Raw, as the path is: percent-encoded as they were sent."""
    headers: Sequence[tuple[str, str]]
    payload_sha256: str
    """The hash of the body that really arrived, in lower-case hexadecimal."""

    @cached_property
    def fields(self) -> dict[str, str]:
        """The headers by lower-case name, repetitions joined in their order; HTTP/2's `:authority` is the host."""
        found: dict[str, str] = {}
        for name, value in self.headers:
            key = name.lower()
            found[key] = f"{found[key]},{value}" if key in found else value
        host = found.get("host", found.get(":authority"))
        return found if host is None else {**found, "host": host, ":authority": host}

    def header(self, name: str) -> str | None:
        """The value of a header; `name` is in lower case."""
        return self.fields.get(name)


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request says of its own signature, read and well-formed, not yet believed."""

    access_key: str
    date: str
    """Of the scope, as are region, service and terminator."""
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: datetime
    token: str | None
    """The session token that goes with temporary credentials."""
    expires: int | None
    """Seconds that a presigned request is good for; None when the signature is in a header."""

    @property
    def presigned(self) -> bool:
        """Whether the signature came in the query."""
        return self.expires is not None

    @property
    def scope(self) -> str:
        """The credential scope as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs with."""

    access_key: str
    secret: str
    token: str | None = None


def parse(request: Request) -> Authorization:
    """Find and read the signature; raises MissingAuthentication or IncompleteSignature."""
    header = request.header("authorization")
    query = _amz_parameters(request.query)
    presigned = bool(query.keys() & {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"})
    if header is not None and presigned:
        raise IncompleteSignature("Only one authentication mechanism is allowed: a header or query-string parameters.")
    if header is not None:
        return _from_header(request, header)
    if presigned:
        return _from_query(query)
    raise MissingAuthentication


def _from_header(request: Request, header: str) -> Authorization:
    algorithm, _, rest = header.strip().partition(" ")
    _require_algorithm(algorithm if rest else "")
    parts: dict[str, str] = {}
    for piece in rest.split(","):
        name, equals, value = piece.strip().partition("=")
        if not equals or name in parts:
            shown = f"(hashed with SHA-256 and encoded with Base64): '{_hidden(header)}'."
            raise IncompleteSignature(f"Invalid key=value pair (missing equal-sign) in Authorization header {shown}")
        parts[name] = value
    stamp = request.header("x-amz-date") or request.header("date")
    missing = [
        f"Authorization header requires '{name}' parameter. "
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if stamp is None:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
    if missing or stamp is None:
        shown = f"(Hashed with SHA-256 and encoded with Base64) Authorization={_hidden(header)}"
        raise IncompleteSignature(f"{''.join(missing)}{shown}")
    return _authorization({**parts, "Date": stamp}, request.header(_TOKEN_HEADER), None)


def _from_query(query: dict[str, str]) -> Authorization:
    missing = [name for name in _QUERY_NAMES if not query.get(f"X-Amz-{name}")]
    if missing:
        told = " ".join(f"AWS query-string parameters must include 'X-Amz-{name}'." for name in missing)
        raise IncompleteSignature(f"{told} Re-examine the query-string parameters.")
    _require_algorithm(query["X-Amz-Algorithm"])
    # Presigners that name no lifetime mean the one that AWS gives a request anyway.
    expires = query.get("X-Amz-Expires", str(int(SKEW.total_seconds())))
    if re.fullmatch(r"[0-9]{1,6}", expires) is None or not 1 <= int(expires) <= LONGEST_EXPIRY:
        raise IncompleteSignature(f"X-Amz-Expires must be between 1 and {LONGEST_EXPIRY} seconds")
    parts = {name: query[f"X-Amz-{name}"] for name in _QUERY_NAMES}
    return _authorization(parts, query.get("X-Amz-Security-Token"), int(expires))


def _authorization(parts: dict[str, str], token: str | None, expires: int | None) -> Authorization:
    scope = _CREDENTIAL.fullmatch(parts["Credential"])
    if scope is None:
        form = "exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise IncompleteSignature(f"Credential must have {form}, got '{parts['Credential'][:256]}'")
    if token is not None and not (token.isascii() and token.isprintable()):
        raise SecurityTokenInvalid
    return Authorization(
        access_key=scope[1],
        date=scope[2],
        region=scope[3],
        service=scope[4],
        terminator=scope[5],
        signed_headers=tuple(parts["SignedHeaders"].split(";")),
        signature=parts["Signature"],
        timestamp=_timestamp(parts["Date"]),
        token=token,
        expires=expires,
    )


def _require_algorithm(algorithm: str) -> None:
    if algorithm == ALGORITHM:
        return
    if algorithm.startswith("AWS4-"):
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm[:64]}'. ")
    raise IncompleteSignature(f"Algorithm must start with 'AWS4-'; got '{algorithm[:64]}'")


def _timestamp(text: str) -> datetime:
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
        return datetime.strptime(text, _HTTP_TIME_FORM).replace(tzinfo=UTC)
    except ValueError:
        raise IncompleteSignature(
            f"Date must be in ISO-8601 'basic format'. Got '{text[:64]}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None


def _amz_parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _pairs(query):
        key = name.decode("utf-8", "replace")
        if key.startswith("X-Amz-"):
            if key in found:
                raise IncompleteSignature(f"AWS query-string parameters must include '{key[:64]}' once.")
            found[key] = value.decode("utf-8", "replace")
    return found


def check(
    request: Request, authorization: Authorization, *, now: datetime, services: frozenset[str], regions: frozenset[str]
) -> None:
    """Everything that needs no secret: the scope, the time, and what the signature covers; raises InvalidSignature."""
    _check_scope(authorization, services, regions)
    _check_time(authorization, now)
    _check_coverage(request, authorization)


def verify(
    request: Request,
    authorization: Authorization,
    secret: str,
    *,
    now: datetime,
    services: frozenset[str],
    regions: frozenset[str],
    normalize: bool = True,
    token_signed: bool = True,
) -> None:
    """`check`, and that the signature is the secret's; raises InvalidSignature.

    `normalize` is what every service but S3 does to a path. `token_signed` is False where a presigned request carries
    its session token outside the signature. For an access key that does not exist, call this with any secret and
    throw the answer away, so that the time taken tells nothing.
    """
    check(request, authorization, now=now, services=services, regions=regions)
    left_out = _UNSIGNED_PARAMETERS[: 1 if token_signed else 2] if authorization.presigned else ()
    canonical = canonical_request(request, authorization.signed_headers, normalize=normalize, without=left_out)
    expected = _signature(canonical, authorization.timestamp, authorization.scope, secret)
    if not hmac.compare_digest(expected.encode(), _bytes(authorization.signature)):
        raise InvalidSignature(_MISMATCH)


def _check_scope(authorization: Authorization, services: frozenset[str], regions: frozenset[str]) -> None:
    if authorization.terminator != TERMINATOR:
        told = f"'{TERMINATOR}', not '{authorization.terminator[:64]}'."
        raise InvalidSignature(f"Credential should be scoped with a valid terminator: {told}")
    if authorization.service not in services:
        expected = ", ".join(f"'{service}'" for service in sorted(services))
        raise InvalidSignature(f"Credential should be scoped to correct service: {expected}. ")
    if authorization.region not in regions:
        raise InvalidSignature(f"Credential should be scoped to a valid region, not '{authorization.region[:64]}'. ")
    stamp = _stamp(authorization.timestamp)
    if authorization.date != stamp[:8]:
        raise InvalidSignature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{authorization.date[:64]}' != '{stamp[:8]}', from '{stamp}'."
        )


def _check_time(authorization: Authorization, now: datetime) -> None:
    signed, expires = authorization.timestamp, authorization.expires
    if signed > now + SKEW:
        told = f"{_stamp(signed)} is still later than {_stamp(now + SKEW)} ({_stamp(now)} + 15 min.)"
        raise InvalidSignature(f"Signature not yet current: {told}")
    if expires is None and signed < now - SKEW:
        told = f"{_stamp(signed)} is now earlier than {_stamp(now - SKEW)} ({_stamp(now)} - 15 min.)"
        raise InvalidSignature(f"Signature expired: {told}")
    if expires is not None and (end := signed + timedelta(seconds=expires)) < now:
        raise InvalidSignature(f"Signature expired: {_stamp(end)} is now earlier than {_stamp(now)}")


def _check_coverage(request: Request, authorization: Authorization) -> None:
    signed = authorization.signed_headers
    if not {"host", ":authority"} & set(signed):
        raise InvalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in request.fields:
        if name.startswith("x-amz-") and name not in signed and name != _TOKEN_HEADER:
            raise InvalidSignature(f"'{name[:64]}' must be a 'SignedHeader' in the AWS Authorization.")
    declared = request.header("x-amz-content-sha256")
    if (
        list(signed) != sorted(set(";".join(signed).lower().split(";")))
        or not request.fields.keys() >= set(signed)
        or (declared is not None and declared.strip() != request.payload_sha256)
    ):
        raise InvalidSignature(_MISMATCH)


def sign(request: Request, credentials: Credentials, *, region: str, service: str, at: datetime) -> Request:
    """The request with `X-Amz-Date`, the session token and an `Authorization` that covers all its headers."""
    stamp = _stamp(at)
    added = [("X-Amz-Date", stamp)]
    if credentials.token is not None:
        added.append(("X-Amz-Security-Token", credentials.token))
    bare = replace(request, headers=[*request.headers, *added])
    names = sorted({name.lower() for name, _ in bare.headers})
    scope = f"{stamp[:8]}/{region}/{service}/{TERMINATOR}"
    signature = _signature(canonical_request(bare, names), at, scope, credentials.secret)
    credential = f"Credential={credentials.access_key}/{scope}"
    value = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return replace(bare, headers=[*bare.headers, ("Authorization", value)])


def presign(
    request: Request, credentials: Credentials, *, region: str, service: str, at: datetime, expires: int
) -> Request:
    """The request with its signature in the query: good for `expires` seconds to whoever holds the address."""
    stamp = _stamp(at)
    scope = f"{stamp[:8]}/{region}/{service}/{TERMINATOR}"
    names = sorted({name.lower() for name, _ in request.headers})
    added = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": ";".join(names),
    }
    if credentials.token is not None:
        added["X-Amz-Security-Token"] = credentials.token
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in added.items())
    bare = replace(request, query=f"{request.query}&{query}" if request.query else query)
    signature = _signature(canonical_request(bare, names), at, scope, credentials.secret)
    return replace(bare, query=f"{bare.query}&X-Amz-Signature={signature}")


def canonical_request(
    request: Request, signed_headers: Iterable[str], *, normalize: bool = True, without: Sequence[bytes] = ()
) -> str:
    """The text that a signature covers; `without` names query parameters that it does not."""
    names = list(signed_headers)
    lines = [f"{name}:{' '.join(request.fields.get(name, '').split())}\n" for name in names]
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path, normalize=normalize),
            _canonical_query(request.query, without),
            "".join(lines),
            ";".join(names),
            request.payload_sha256,
        )
    )


def string_to_sign(canonical: str, at: datetime, scope: str) -> str:
    """The few lines that are put through HMAC."""
    return f"{ALGORITHM}\n{_stamp(at)}\n{scope}\n{hashlib.sha256(_bytes(canonical)).hexdigest()}"


def _canonical_path(path: str, *, normalize: bool) -> str:
    if normalize:
        kept: list[str] = []
        for segment in path.split("/"):
            if segment == "..":
                del kept[-1:]
            elif segment not in ("", "."):
                kept.append(segment)
        path = f"/{'/'.join(kept)}{'/' if kept and path.endswith('/') else ''}"
    # What is on the wire is encoded once already; every service but S3 encodes it again.
    return quote(_bytes(path or "/"), safe="/-_.~")


def _canonical_query(query: str, without: Sequence[bytes]) -> str:
    encoded = [
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in _pairs(query) if name not in without
    ]
    return "&".join("=".join(pair) for pair in sorted(encoded))


def _pairs(query: str) -> Iterable[tuple[bytes, bytes]]:
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        yield unquote_to_bytes(_bytes(name)), unquote_to_bytes(_bytes(value))


def _signature(canonical: str, at: datetime, scope: str, secret: str) -> str:
    return hmac.digest(_signing_key(secret, scope), string_to_sign(canonical, at, scope).encode(), "sha256").hex()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, scope: str) -> bytes:
    # Reached only once the scope has been checked, so that no stranger can fill it. A revoked key is refused when it
    # is looked up; what is remembered here is reached through its secret alone.
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _hidden(text: str) -> str:
    return b64encode(hashlib.sha256(_bytes(text)).digest()).decode()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()[:19].replace("-", "").replace(":", "") + "Z"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
