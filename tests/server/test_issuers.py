"""Keys of issuers: had from a real one on loopback, remembered, asked for again in measure, never from elsewhere."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from portside.core.iam_errors import IdentityProviderUnreachable
from portside.registry.content import Threads
from portside.server.egress import Egress
from portside.server.issuers import FetchedIssuers, is_public
from tests.wire.issuer import Issuer, served


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real(tmp_path: Path) -> Iterator[tuple[Issuer, Egress]]:
    with served(tmp_path) as (issuer, authority):
        yield issuer, Egress(frozenset({"localhost"}), authority, {})


@pytest.fixture
def threads() -> Iterator[Threads]:
    with ThreadPoolExecutor(4) as executor:
        yield Threads(executor)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuers(real: tuple[Issuer, Egress], threads: Threads, clock: Clock) -> FetchedIssuers:
    return FetchedIssuers(real[1], threads, monotonic=clock)


ASKING = 2
"""Requests that it takes to have an issuer's keys: its configuration, and they."""


async def refused(issuers: FetchedIssuers, url: str, *, anew: bool = False) -> bool:
    try:
        await issuers.keys(url, anew=anew)
    except IdentityProviderUnreachable:
        return True
    return False


async def test_keys_are_fetched_once_and_remembered_for_a_while(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], clock: Clock
) -> None:
    issuer = real[0]
    assert await issuers.keys(issuer.url) == issuer.key_set["keys"]
    clock.now += 299
    await issuers.keys(issuer.url)
    assert issuer.asked == ASKING
    clock.now += 1
    await issuers.keys(issuer.url)
    assert issuer.asked == 2 * ASKING


async def test_new_keys_are_asked_for_but_not_as_often_as_strangers_like(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], clock: Clock
) -> None:
    issuer = real[0]
    await issuers.keys(issuer.url)
    issuer.rotate("two")
    for _ in range(20):
        assert await issuers.keys(issuer.url, anew=True) != issuer.key_set["keys"]
    assert issuer.asked == ASKING
    clock.now += 10
    assert await issuers.keys(issuer.url, anew=True) == issuer.key_set["keys"]
    assert issuer.asked == 2 * ASKING


async def test_many_who_ask_at_once_are_one_question(issuers: FetchedIssuers, real: tuple[Issuer, Egress]) -> None:
    issuer = real[0]
    found = await asyncio.gather(*(issuers.keys(issuer.url) for _ in range(50)))
    assert all(keys == issuer.key_set["keys"] for keys in found)
    assert issuer.asked == ASKING


async def test_a_failure_is_remembered_for_a_moment_and_no_longer(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], clock: Clock
) -> None:
    issuer = real[0]
    issuer.answers["/keys"] = (500, b"")
    refusals = await asyncio.gather(*(refused(issuers, issuer.url, anew=anew) for anew in [False, True] * 10))
    assert all(refusals)
    assert issuer.asked == ASKING
    issuer.answers.clear()
    clock.now += 10
    assert await issuers.keys(issuer.url) == issuer.key_set["keys"]


async def test_keys_outlive_an_issuer_that_is_away_until_they_are_too_old(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], clock: Clock
) -> None:
    issuer = real[0]
    keys = await issuers.keys(issuer.url)
    issuer.answers["/keys"] = (500, b"")
    clock.now += 10
    assert await issuers.keys(issuer.url, anew=True) == keys
    clock.now += 280
    assert await issuers.keys(issuer.url) == keys
    clock.now += 10
    assert await refused(issuers, issuer.url)


CONFIGURATION = "/.well-known/openid-configuration"
WRONG: list[tuple[str, Any]] = [
    (CONFIGURATION, {"issuer": "https://other.example", "jwks_uri": "URL/keys"}),
    (CONFIGURATION, {"issuer": "URL/", "jwks_uri": "URL/keys"}),
    (CONFIGURATION, {"issuer": "URL"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "http://localhost/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "file:///etc/passwd"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://127.0.0.1/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://[::1]/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://[::ffff:127.0.0.1]/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://user@localhost/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://localhost:99999/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "https://" + "a" * 300 + "/keys"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": "URL/a b\r\nHost: x"}),
    (CONFIGURATION, {"issuer": "URL", "jwks_uri": ["URL/keys"]}),
    (CONFIGURATION, []),
    ("/keys", {"keys": {}}),
    ("/keys", {}),
    ("/keys", [[]]),
    ("/keys", "x" * 300_000),
]


@pytest.mark.parametrize(("path", "answer"), WRONG)
async def test_an_issuer_that_answers_something_else_has_no_keys(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], path: str, answer: Any
) -> None:
    issuer = real[0]
    issuer.answers[path] = (200, json.dumps(answer).replace("URL", issuer.url).encode())
    assert await refused(issuers, issuer.url)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000])
async def test_what_is_no_json_is_no_answer(
    issuers: FetchedIssuers, real: tuple[Issuer, Egress], content: bytes
) -> None:
    real[0].answers["/keys"] = (200, content)
    assert await refused(issuers, real[0].url)


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
async def test_redirects_are_not_followed(issuers: FetchedIssuers, real: tuple[Issuer, Egress], status: int) -> None:
    real[0].answers[CONFIGURATION] = (status, b"")
    assert await refused(issuers, real[0].url)
    assert real[0].asked == 1


async def test_an_issuer_that_drips_is_cut_off(real: tuple[Issuer, Egress], threads: Threads) -> None:
    issuer, egress = real
    issuer.drip = 0.05
    began = time.monotonic()
    assert await refused(FetchedIssuers(egress, threads, patience=0.5), issuer.url)
    assert time.monotonic() - began < 5


async def test_private_addresses_and_strange_certificates_are_refused(
    real: tuple[Issuer, Egress], threads: Threads
) -> None:
    issuer, egress = real
    for changed in (
        dataclasses.replace(egress, private_hosts=frozenset()),
        dataclasses.replace(egress, authorities=None),
    ):
        assert await refused(FetchedIssuers(changed, threads), issuer.url)
    assert issuer.asked == 0


async def test_keys_in_a_file_are_read_and_nobody_is_asked(
    real: tuple[Issuer, Egress], threads: Threads, clock: Clock, tmp_path: Path
) -> None:
    issuer, egress = real
    file = tmp_path / "keys.json"
    found = FetchedIssuers(dataclasses.replace(egress, files={issuer.url: file}), threads, monotonic=clock)
    assert await refused(found, issuer.url)
    file.write_text(json.dumps(issuer.key_set))
    clock.now += 10
    assert await found.keys(issuer.url) == issuer.key_set["keys"]
    assert issuer.asked == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert is_public(address) == public
