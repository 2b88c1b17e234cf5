from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, unquote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.errors import (
    AuthenticationError,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthentication,
    SecurityTokenInvalid,
)
from portside.identity import sigv4

VECTORS: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in map(json.loads, (Path(__file__).parent.parent / "vectors/sigv4.jsonl").read_text().splitlines())
}
# Its header carries the signature of another case: tests/vectors/README.md.
SELF_CONTRADICTING = "botocore/get-vanilla-with-session-token"
NOW = datetime(2026, 10, 6, 12, 0, 0, tzinfo=UTC)
KEY = sigv4.Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HEADERS = [
    ("Host", "localhost:4510"),
    ("Content-Type", "application/x-amz-json-1.1"),
    ("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.ListImages"),
]
PLAIN = sigv4.Request("POST", "/", "", HEADERS, hashlib.sha256(b"{}").hexdigest())
GET = sigv4.Request("GET", "/", "Action=GetCallerIdentity", HEADERS[:1], sigv4.EMPTY_SHA256)


def request_of(vector: dict[str, Any]) -> sigv4.Request:
    return sigv4.Request(
        vector["method"],
        vector["path"],
        vector["query"],
        [(name, value) for name, value in vector["headers"]],
        hashlib.sha256(b64decode(vector["body_b64"])).hexdigest(),
    )


def verify_vector(vector: dict[str, Any], request: sigv4.Request) -> None:
    sigv4.verify(
        request,
        sigv4.parse(request),
        vector["secret"],
        now=datetime.fromisoformat(vector["timestamp"]),
        services=frozenset({vector["service"]}),
        regions=frozenset({vector["region"]}),
        normalize=vector["normalize"],
        token_signed=not vector["token_outside_signature"],
    )


def verify(request: sigv4.Request, secret: str = KEY.secret, *, now: datetime = NOW) -> sigv4.Authorization:
    authorization = sigv4.parse(request)
    sigv4.verify(request, authorization, secret, now=now, services=frozenset({"ecr"}), regions=frozenset({"eu-west-1"}))
    return authorization


def signed(request: sigv4.Request = PLAIN, key: sigv4.Credentials = KEY) -> sigv4.Request:
    return sigv4.sign(request, key, region="eu-west-1", service="ecr", at=NOW)


def presigned(request: sigv4.Request = GET, key: sigv4.Credentials = KEY, expires: int = 60) -> sigv4.Request:
    return sigv4.presign(request, key, region="eu-west-1", service="ecr", at=NOW, expires=expires)


def with_header(request: sigv4.Request, name: str, value: str | None) -> sigv4.Request:
    kept = [(key, old) for key, old in request.headers if key.lower() != name.lower()]
    return replace(request, headers=kept if value is None else [*kept, (name, value)])


def authorization_of(request: sigv4.Request) -> str:
    return request.header("authorization") or ""


# --- AWS's vectors --------------------------------------------------------------------------------------------------


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 110


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - {SELF_CONTRADICTING}))
def test_the_vector_is_accepted(name: str) -> None:
    verify_vector(VECTORS[name], request_of(VECTORS[name]))


def test_the_vector_with_another_cases_signature_is_refused_until_it_carries_its_own() -> None:
    vector = VECTORS[SELF_CONTRADICTING]
    request = request_of(vector)
    with pytest.raises(InvalidSignature):
        verify_vector(vector, request)
    header, _, _ = authorization_of(request).rpartition("=")
    verify_vector(vector, with_header(request, "Authorization", f"{header}={vector['expect']['signature']}"))


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_canonical_request_and_string_to_sign_are_awss(name: str) -> None:
    vector = VECTORS[name]
    request = request_of(vector)
    authorization = sigv4.parse(request)
    without = [b"X-Amz-Signature"] if authorization.presigned else []
    if authorization.presigned and vector["token_outside_signature"]:
        without.append(b"X-Amz-Security-Token")
    canonical = sigv4.canonical_request(
        request, authorization.signed_headers, normalize=vector["normalize"], without=without
    )
    assert canonical == vector["expect"]["canonical_request"]
    assert (
        sigv4.string_to_sign(canonical, authorization.timestamp, authorization.scope)
        == (vector["expect"]["string_to_sign"])
    )
    assert (authorization.access_key, authorization.token) == (vector["access_key"], vector["token"])


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - {SELF_CONTRADICTING}))
def test_the_vector_is_refused_with_another_secret(name: str) -> None:
    vector = VECTORS[name]
    with pytest.raises(InvalidSignature):
        verify_vector({**vector, "secret": vector["secret"] + "x"}, request_of(vector))


# --- what we sign we accept, and nothing near it --------------------------------------------------------------------

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="%&=+#?"), max_size=12)
QUERIES = st.dictionaries(TEXT.filter(lambda name: not name.startswith("X-Amz-")), TEXT, max_size=4)
SIMPLE_HEADERS = st.lists(
    st.tuples(st.from_regex(r"\Ax-(?!amz)[a-z]{1,8}\Z"), st.text("abc :=,;\"'", max_size=20)), max_size=4
)


@given(st.sampled_from(["GET", "POST"]), TEXT, QUERIES, SIMPLE_HEADERS, st.binary())
def test_what_we_sign_we_accept(
    method: str, path: str, query: dict[str, str], headers: list[tuple[str, str]], body: bytes
) -> None:
    wire_query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items())
    request = sigv4.Request(
        method, f"/{quote(path)}", wire_query, [*HEADERS, *headers], hashlib.sha256(body).hexdigest()
    )
    verify(signed(request))
    verify(presigned(request))


TAMPERING = {
    "method": lambda request: replace(request, method="PUT"),
    "path": lambda request: replace(request, path="/other"),
    "query": lambda request: replace(request, query="a=b"),
    "payload": lambda request: replace(request, payload_sha256=hashlib.sha256(b"{ }").hexdigest()),
    "host": lambda request: with_header(request, "Host", "elsewhere"),
    "target": lambda request: with_header(request, "X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.PutImage"),
    "missing header": lambda request: with_header(request, "Content-Type", None),
    "time": lambda request: with_header(request, "X-Amz-Date", "20261006T120001Z"),
    "an unsigned x-amz header": lambda request: with_header(request, "X-Amz-Meta", "1"),
    "a second value": lambda request: replace(request, headers=[*request.headers, ("Host", "localhost:4510")]),
    "an unsigned payload": lambda request: with_header(request, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
}


@pytest.mark.parametrize("part", TAMPERING)
def test_a_changed_part_is_refused(part: str) -> None:
    with pytest.raises(AuthenticationError):
        verify(TAMPERING[part](signed()))


@given(st.data())
def test_any_changed_character_of_the_authorization_is_refused(data: st.DataObject) -> None:
    request = signed()
    header = authorization_of(request)
    at = data.draw(st.integers(0, len(header) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda found: found != header[at]))
    changed = f"{header[:at]}{other}{header[at + 1 :]}"
    try:
        authorization = verify(with_header(request, "Authorization", changed))
    except AuthenticationError:
        return
    # White space between the parts means nothing; the access key is what its secret is looked up by.
    assert replace(authorization, access_key=KEY.access_key) == sigv4.parse(request)


@given(st.data())
def test_any_changed_character_of_a_presigned_query_is_refused(data: st.DataObject) -> None:
    request = presigned()
    at = data.draw(st.integers(0, len(request.query) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda found: found != request.query[at]))
    changed = replace(request, query=f"{request.query[:at]}{other}{request.query[at + 1 :]}")
    try:
        verify(changed)
    except AuthenticationError:
        return
    # An escape in small letters is the same character.
    assert unquote(changed.query) == unquote(request.query)


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_does_worse_than_being_refused(header: str, query: str) -> None:
    for request in (
        with_header(PLAIN, "Authorization", header),
        with_header(PLAIN, "Authorization", f"AWS4-HMAC-SHA256 {header}"),
        with_header(signed(), "X-Amz-Date", header),
        replace(GET, query=f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{query.encode('utf-8', 'replace').decode()}"),
    ):
        with pytest.raises(AuthenticationError):
            verify(request)


def test_bytes_that_are_not_utf8_are_refused_or_covered() -> None:
    strange = b"\xff\xfe".decode("utf-8", "surrogateescape")
    verify(signed(replace(PLAIN, headers=[*HEADERS, ("X-Name", strange)])))
    with pytest.raises(AuthenticationError):
        verify(with_header(signed(), "Authorization", authorization_of(signed()).replace("Signature=", strange)))
    with pytest.raises(InvalidSignature):
        verify(with_header(signed(), "Authorization", authorization_of(signed())[:-1] + strange))


def test_an_uncovered_session_token_is_the_one_exception() -> None:
    assert verify(with_header(signed(), "X-Amz-Security-Token", "token")).token == "token"
    request = signed(key=replace(KEY, token="token"))
    assert verify(request).token == "token"
    with pytest.raises(InvalidSignature):
        verify(with_header(request, "X-Amz-Security-Token", "other"))
    with pytest.raises(SecurityTokenInvalid):
        sigv4.parse(with_header(request, "X-Amz-Security-Token", "to\nken"))


def test_a_presigned_token_is_inside_the_signature() -> None:
    request = presigned(key=replace(KEY, token="to/ken"))
    assert verify(request).token == "to/ken"
    with pytest.raises(InvalidSignature):
        verify(replace(request, query=request.query.replace("to%2Fken", "other")))


def test_a_declared_payload_hash_must_be_the_real_one() -> None:
    verify(signed(with_header(PLAIN, "X-Amz-Content-Sha256", PLAIN.payload_sha256)))
    for declared in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", sigv4.EMPTY_SHA256, ""):
        with pytest.raises(InvalidSignature, match="does not match"):
            verify(signed(with_header(PLAIN, "X-Amz-Content-Sha256", declared)))


def test_signed_headers_are_lower_case_sorted_and_hold_the_host() -> None:
    header = authorization_of(signed())
    for changed in (
        header.replace("content-type;host;", "host;content-type;"),
        header.replace("content-type;host;", "content-type;Host;"),
        header.replace("content-type;", "content-type;content-type;"),
        header.replace("content-type;host;", "content-type;"),
        header.replace("x-amz-date;", ""),
    ):
        with pytest.raises(InvalidSignature):
            verify(with_header(signed(), "Authorization", changed))


def test_http2s_authority_is_the_host() -> None:
    request = replace(PLAIN, headers=[(":authority", "localhost:4510")])
    verify(signed(request))
    authorization = sigv4.parse(signed(request))
    over_http1 = replace(signed(request), headers=[("host", "localhost:4510"), *signed(request).headers[1:]])
    assert authorization.signed_headers == (":authority", "x-amz-date")
    verify(over_http1)


# --- time and scope -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_a_clock_may_be_fifteen_minutes_off(minutes: int) -> None:
    verify(signed(), now=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (901, "Signature expired: 20261006T120000Z is now earlier than 20261006T120001Z (20261006T121501Z - 15 min.)"),
        (
            -901,
            (
                "Signature not yet current: 20261006T120000Z is still later than 20261006T115959Z "
                "(20261006T114459Z + 15 min.)"
            ),
        ),
    ],
)
def test_beyond_fifteen_minutes_the_times_are_told(seconds: int, words: str) -> None:
    with pytest.raises(InvalidSignature) as found:
        verify(signed(), now=NOW + timedelta(seconds=seconds))
    assert found.value.message == words


def test_a_presigned_request_lives_as_long_as_it_says() -> None:
    verify(presigned(expires=3600), now=NOW + timedelta(seconds=3600))
    with pytest.raises(InvalidSignature, match="Signature expired: 20261006T130000Z is now earlier than 2026"):
        verify(presigned(expires=3600), now=NOW + timedelta(seconds=3601))
    for expires in (0, 604_801):
        with pytest.raises(IncompleteSignature, match="X-Amz-Expires"):
            sigv4.parse(presigned(expires=expires))


@pytest.mark.parametrize(
    ("region", "service", "words"),
    [
        ("us-west-2", "ecr", "Credential should be scoped to a valid region, not 'us-west-2'. "),
        ("eu-west-1", "s3", "Credential should be scoped to correct service: 'ecr'. "),
    ],
)
def test_the_scope_must_be_ours(region: str, service: str, words: str) -> None:
    with pytest.raises(InvalidSignature) as found:
        verify(sigv4.sign(PLAIN, KEY, region=region, service=service, at=NOW))
    assert found.value.message == words


def test_the_scopes_date_and_terminator_must_be_right() -> None:
    header = authorization_of(signed())
    with pytest.raises(InvalidSignature, match="valid terminator: 'aws4_request'"):
        verify(with_header(signed(), "Authorization", header.replace("aws4_request", "aws5_request")))
    with pytest.raises(InvalidSignature, match="Date in Credential scope does not match YYYYMMDD"):
        verify(with_header(signed(), "Authorization", header.replace("/20261006/", "/20261005/")))


# --- the words of refusal -------------------------------------------------------------------------------------------

WHOLE = authorization_of(signed())


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (WHOLE.replace("Credential=", "Credentials="), "Authorization header requires 'Credential' parameter. ("),
        (WHOLE.partition(", Signature")[0], "Authorization header requires 'Signature' parameter. ("),
        (WHOLE.replace("Signature=", "Signature "), "Invalid key=value pair (missing equal-sign) in Authorization"),
        (WHOLE.replace("/ecr/", "/"), "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/"),
        (WHOLE.replace("HMAC-SHA256", "ECDSA-P256-SHA256"), "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'. "),
        ("Basic QVdTOnNlY3JldA==", "Algorithm must start with 'AWS4-'; got 'Basic'"),
        ("secret", "Algorithm must start with 'AWS4-'; got ''"),
    ],
)
def test_an_incomplete_header_is_told_what_it_lacks(header: str, words: str) -> None:
    with pytest.raises(IncompleteSignature) as found:
        sigv4.parse(with_header(signed(), "Authorization", header))
    assert found.value.message.startswith(words)
    assert header.rpartition("Signature=")[2] not in found.value.message


def test_a_header_without_any_date_is_told_so() -> None:
    with pytest.raises(IncompleteSignature, match="requires existence of either a 'X-Amz-Date' or a 'Date' header"):
        sigv4.parse(with_header(signed(), "X-Amz-Date", None))
    with pytest.raises(IncompleteSignature, match="Date must be in ISO-8601 'basic format'"):
        sigv4.parse(with_header(signed(), "X-Amz-Date", "2026-10-06"))


def test_an_http_date_will_do() -> None:
    request = with_header(with_header(signed(), "X-Amz-Date", None), "Date", "Tue, 06 Oct 2026 12:00:00 GMT")
    assert sigv4.parse(request).timestamp == NOW


def test_a_presigned_query_is_told_what_it_lacks() -> None:
    with pytest.raises(IncompleteSignature) as found:
        sigv4.parse(replace(GET, query="X-Amz-Signature=1&X-Amz-Date=1&X-Amz-SignedHeaders=host"))
    assert found.value.message == (
        "AWS query-string parameters must include 'X-Amz-Algorithm'. "
        "AWS query-string parameters must include 'X-Amz-Credential'. Re-examine the query-string parameters."
    )


def test_no_signature_and_two_signatures_are_refused() -> None:
    with pytest.raises(MissingAuthentication):
        sigv4.parse(PLAIN)
    with pytest.raises(IncompleteSignature, match="Only one"):
        sigv4.parse(with_header(presigned(), "Authorization", WHOLE))


# --- botocore as the other opinion ----------------------------------------------------------------------------------


def by_botocore(
    method: str, url: str, headers: dict[str, str], body: bytes, signer: botocore.auth.BaseSigner
) -> sigv4.Request:
    request = AWSRequest(method, url, headers=headers, data=body)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    host = [] if request.headers.get("Host") else [("Host", parts.netloc)]
    sent = [(name, str(value)) for name, value in request.headers.items()]
    return sigv4.Request(method, parts.path, parts.query, [*host, *sent], hashlib.sha256(body).hexdigest())


HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@settings(max_examples=200)
@given(
    st.text("abcXYZ09-._~/ $ü%", max_size=20),
    QUERIES,
    st.dictionaries(st.from_regex(r"\AX-[A-Z][a-z]{1,6}\Z"), HEADER_VALUES, max_size=3),
    st.binary(max_size=50),
    st.none() | st.from_regex(r"\A[A-Za-z0-9/+=]{1,40}\Z"),
)
def test_botocores_header_signatures_are_accepted(
    path: str, query: dict[str, str], headers: dict[str, str], body: bytes, token: str | None
) -> None:
    wire_query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items())
    url = f"http://localhost:4510/{quote(path)}{'?' if wire_query else ''}{wire_query}"
    credentials = BotocoreCredentials(KEY.access_key, KEY.secret, token)
    request = by_botocore("POST", url, headers, body, botocore.auth.SigV4Auth(credentials, "ecr", "eu-west-1"))
    assert verify(request).token == token


@given(QUERIES, st.integers(1, 604_800), st.none() | st.just("to/k=n"))
def test_botocores_presigned_requests_are_accepted(query: dict[str, str], expires: int, token: str | None) -> None:
    wire_query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items())
    credentials = BotocoreCredentials(KEY.access_key, KEY.secret, token)
    signer = botocore.auth.SigV4QueryAuth(credentials, "ecr", "eu-west-1", expires=expires)
    request = by_botocore("GET", f"http://localhost:4510/?{wire_query}", {}, b"", signer)
    authorization = verify(request)
    assert (authorization.expires, authorization.token) == (expires, token)


@pytest.mark.parametrize("token", [None, "AQoDYXdzEPT//////////wEXAMPLE=="])
def test_we_sign_as_botocore_signs(token: str | None) -> None:
    credentials = BotocoreCredentials(KEY.access_key, KEY.secret, token)
    signer = botocore.auth.SigV4Auth(credentials, "ecr", "eu-west-1")
    theirs = by_botocore("POST", "http://localhost:4510/", dict(HEADERS[1:]), b"{}", signer)
    assert authorization_of(signed(key=replace(KEY, token=token))) == authorization_of(theirs)
