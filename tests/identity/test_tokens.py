from __future__ import annotations

import contextlib
import json
import string
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.core.errors import RegistryTokenExpired, RegistryTokenInvalid
from portside.core.names import RepositoryId
from portside.identity import tokens
from portside.identity.box import Box
from portside.identity.tokens import TokenBearer

BOX = Box(b"k" * 32)
NOW = 1_790_000_000_250_000
END = NOW + tokens.LIFETIME
BEARER = TokenBearer("AKIAIOSFODNN7EXAMPLE", "eu-west-1", END)
PASSWORD = tokens.issue(BOX, BEARER)
BASE64 = string.ascii_letters + string.digits + "+/="
DIGEST = str(Digest.of(b"layer"))
REPOSITORY = RepositoryId("123456789012", "eu-west-1", "team/app")
TICKET = tokens.issue_ticket(BOX, BEARER, REPOSITORY, Digest.of(b"layer"))


def envelope() -> dict[str, Any]:
    return json.loads(b64decode(PASSWORD))


def sealed_up(content: object) -> str:
    return b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 2**62))
def test_a_token_gives_back_its_bearer(access_key: str, region: str, expires_at: int) -> None:
    bearer = TokenBearer(access_key, region, expires_at + 1)
    assert tokens.redeem(BOX, tokens.issue(BOX, bearer), expires_at) == bearer


def test_the_outer_form_is_that_of_ecr() -> None:
    found = envelope()
    assert set(found) == {"payload", "version", "type", "expiration"}
    assert (found["version"], found["type"], found["expiration"]) == ("2", "DATA_KEY", END // 1_000_000)
    assert b64decode(found["payload"], validate=True)


def test_the_bearer_cannot_be_read_from_outside() -> None:
    assert b"AKIA" not in b64decode(envelope()["payload"])


def test_a_token_is_good_for_twelve_hours_and_not_a_microsecond_longer() -> None:
    assert tokens.LIFETIME == 12 * 60 * 60 * 1_000_000
    assert tokens.redeem(BOX, PASSWORD, END - 1) == BEARER
    with pytest.raises(RegistryTokenExpired) as caught:
        tokens.redeem(BOX, PASSWORD, END)
    assert caught.value.message == "Your authorization token has expired. Reauthenticate and try again."


@given(st.data())
def test_any_changed_character_makes_a_token_invalid(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PASSWORD) - 1))
    other = data.draw(st.sampled_from(BASE64) | st.characters(codec="utf-8"))
    assume(other != PASSWORD[at])
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, PASSWORD[:at] + other + PASSWORD[at + 1 :], NOW)


@given(st.integers(0, len(PASSWORD)), st.text(BASE64 + " \n", min_size=1, max_size=4))
def test_anything_added_makes_a_token_invalid(at: int, more: str) -> None:
    changed = PASSWORD[:at] + more + PASSWORD[at:]
    assume(changed != PASSWORD)
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, changed, NOW)


@pytest.mark.parametrize("length", range(0, len(PASSWORD), 7))
def test_a_token_cut_short_is_invalid(length: int) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, PASSWORD[:length], NOW)


@pytest.mark.parametrize(
    "change", [{"expiration": END}, {"version": "3"}, {"type": "x"}, {"more": 1}, {"payload": 5}, {"payload": None}]
)
def test_the_envelope_says_what_the_sealed_part_says(change: dict[str, Any]) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, sealed_up(envelope() | change), NOW)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "x",
        "é",
        "====",
        sealed_up([]),
        sealed_up("payload"),
        sealed_up(None),
        sealed_up({}),
        b64encode(b"\xff\xfe").decode(),
        b64encode(b"[" * 5000).decode(),
        "A" * 16_385,
        "A" * 50_000_000,
    ],
    ids=lambda text: f"{text[:12]}({len(text)})",
)
def test_what_was_never_a_token_is_invalid(password: str) -> None:
    with pytest.raises(RegistryTokenInvalid) as caught:
        tokens.redeem(BOX, password, NOW)
    assert caught.value.message == "Not Authorized"


@given(st.text() | st.binary().map(lambda raw: b64encode(raw).decode()))
def test_any_text_is_invalid(text: str) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, text, NOW)


def test_a_token_of_another_deployment_is_invalid() -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(Box(b"o" * 32), PASSWORD, NOW)


def test_a_ticket_is_no_token() -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem(BOX, sealed_up(envelope() | {"payload": TICKET}), NOW)


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_password_follows_the_user_aws(scheme: str) -> None:
    header = scheme + " " + b64encode(b"AWS:pass:word").decode()
    assert tokens.basic_password(header) == "pass:word"


@given(st.text())
def test_any_password_comes_out_as_it_went_in(password: str) -> None:
    assert tokens.basic_password(basic(f"AWS:{password}")) == password


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic AWS",
        "Bearer QVdTOng=",
        "Digest QVdTOng=",
        "QVdTOng=",
        "Basic\tQVdTOng=",
        "Basic QVdTOng=!",
        "Basic QVdTOng",
        "Basic QVdT Ong=",
        "Basic é",
        basic("aws:x"),
        basic("AWS "),
        basic("AWS"),
        basic(":x"),
        basic(" AWS:x"),
        basic("AWS\0:x"),
        basic("user:x"),
        "Basic " + b64encode(b"\xffAWS:x").decode(),
        "Basic " + "QVdT" * 5000,
        "Basic " + "Q" * 50_000_000,
    ],
    ids=lambda text: f"{text[:20]!a}({len(text)})",
)
def test_any_other_header_is_invalid(header: str) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.basic_password(header)


@given(st.text())
def test_any_header_gives_a_password_or_is_invalid(header: str) -> None:
    for text in (header, f"Basic {header}"):
        with contextlib.suppress(RegistryTokenInvalid):
            assert isinstance(tokens.basic_password(text), str)


def test_a_ticket_gives_back_who_may_read_what() -> None:
    assert tokens.redeem_ticket(BOX, TICKET, "team/app", DIGEST, NOW) == (BEARER, REPOSITORY)


def test_a_ticket_fits_into_a_query() -> None:
    assert set(TICKET) <= set(string.ascii_letters + string.digits + "-_")


@pytest.mark.parametrize(
    ("name", "digest"), [("team/other", DIGEST), ("team/app", str(Digest.of(b"other"))), ("", ""), (DIGEST, "team/app")]
)
def test_a_ticket_is_for_one_layer_of_one_repository(name: str, digest: str) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem_ticket(BOX, TICKET, name, digest, NOW)


def test_a_ticket_ends_on_time() -> None:
    tokens.redeem_ticket(BOX, TICKET, "team/app", DIGEST, END - 1)
    with pytest.raises(RegistryTokenExpired):
        tokens.redeem_ticket(BOX, TICKET, "team/app", DIGEST, END)


@pytest.mark.parametrize(
    "ticket", ["", "x", "é", "=", TICKET[:-1], TICKET[1:], PASSWORD, "A" * 16_385, TICKET + "AAAA"]
)
def test_what_was_never_a_ticket_is_invalid(ticket: str) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem_ticket(BOX, ticket, "team/app", DIGEST, NOW)


@given(st.text(max_size=80))
def test_any_text_is_no_ticket(ticket: str) -> None:
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem_ticket(BOX, ticket, "team/app", DIGEST, NOW)


def test_a_token_is_no_ticket() -> None:
    payload = envelope()["payload"].replace("+", "-").replace("/", "_").rstrip("=")
    with pytest.raises(RegistryTokenInvalid):
        tokens.redeem_ticket(BOX, payload, "team/app", DIGEST, NOW)
