from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from portside.core.digest import Digest
from portside.core.errors import (
    InvalidSignature,
    RegistryTokenExpired,
    RegistryTokenInvalid,
    SecurityTokenInvalid,
)
from portside.identity import sigv4
from portside.identity.caller import Caller, Circumstances
from portside.registry.callers import Bearer
from portside.storage.metadata.accounts import AccessKeyRow
from tests.registry.house import ACCOUNT, APP, KEY, REGION, Clock, House, opened

HOUR = 3600


def now(house: House) -> Circumstances:
    return Circumstances(house.clock(), "192.0.2.1", secure=True, user_agent="docker/1")


def basic(password: str) -> str:
    return "Basic " + b64encode(f"AWS:{password}".encode()).decode()


async def password_of(house: House) -> str:
    return (await house.registry.callers.issue_token(house.caller, REGION)).password


async def bearer(house: House, password: str) -> Bearer:
    return await house.registry.callers.by_token(basic(password), now(house))


async def set_key(house: House, key: str, *, active: bool = True) -> None:
    secret = (await house.stores.keys.key_for("secret")).box.seal(b"other", key.encode())
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.set_root_key(AccessKeyRow(key, ACCOUNT, "root", secret, active=active), house.clock())


@pytest.fixture
async def layer(app: House) -> Digest:
    await app.image("v1", config=b"layer")
    return Digest.of(b"layer")


async def test_a_token_says_who_holds_it_and_for_which_region(house: House) -> None:
    found = await bearer(house, await password_of(house))
    assert (found.caller.principal, found.region) == (house.caller.principal, REGION)
    assert found.caller.circumstances == now(house)


async def test_a_token_ends_after_twelve_hours(house: House) -> None:
    token = await house.registry.callers.issue_token(house.caller, REGION)
    assert token.expires_at == house.clock() + 12 * HOUR * 1_000_000
    house.clock.forward(12 * HOUR - 1)
    await bearer(house, token.password)
    house.clock.forward(1)
    with pytest.raises(RegistryTokenExpired):
        await bearer(house, token.password)


async def test_a_token_is_good_in_another_process(house: House) -> None:
    password = await password_of(house)
    async with opened(house.folder, house.clock) as other:
        assert (await bearer(other, password)).region == REGION


async def test_a_token_of_another_deployment_is_refused(tmp_path: Path, house: House) -> None:
    (tmp_path / "elsewhere").mkdir()
    async with opened(tmp_path / "elsewhere", Clock()) as other:
        password = await password_of(other)
    with pytest.raises(RegistryTokenInvalid):
        await bearer(house, password)


@pytest.mark.parametrize("way", ["replaced", "inactive", "gone"])
async def test_a_token_ends_with_its_key_at_once(house: House, way: str) -> None:
    password = await password_of(house)
    await bearer(house, password)
    if way == "gone":
        async with house.stores.metadata.writing() as unit:
            await unit.access_keys.delete(KEY)
    else:
        await set_key(house, "AKIANEW" if way == "replaced" else KEY, active=way == "replaced")
    with pytest.raises(RegistryTokenInvalid):
        await bearer(house, password)


async def test_a_ticket_ends_with_its_key_at_once(app: House, layer: Digest) -> None:
    ticket = await app.registry.layers.download_ticket(app.caller, APP, layer)
    await app.registry.callers.by_ticket(ticket, APP.name, str(layer), now(app))
    await set_key(app, "AKIANEW")
    with pytest.raises(RegistryTokenInvalid):
        await app.registry.callers.by_ticket(ticket, APP.name, str(layer), now(app))


async def test_a_ticket_ends_after_an_hour(app: House, layer: Digest) -> None:
    ticket = await app.registry.layers.download_ticket(app.caller, APP, layer)
    app.clock.forward(HOUR)
    with pytest.raises(RegistryTokenExpired):
        await app.registry.callers.by_ticket(ticket, APP.name, str(layer), now(app))


async def test_a_ticket_is_no_password(app: House, layer: Digest) -> None:
    ticket = await app.registry.layers.download_ticket(app.caller, APP, layer)
    with pytest.raises(RegistryTokenInvalid):
        await bearer(app, ticket)


# --- signatures -------------------------------------------------------------------------------------------------------


async def signed(
    house: House, key: str = KEY, secret: str = "secret", session: str | None = None, change: bytes = b""
) -> Caller:
    """Sign a request as the SDKs do, and let the registry say who it was."""
    at = datetime.fromtimestamp(house.clock() / 1_000_000, UTC)
    body = b"{}"
    request = AWSRequest("POST", "http://localhost:4510/", {"X-Amz-Date": at.strftime("%Y%m%dT%H%M%SZ")}, body)
    auth = SigV4Auth(Credentials(key, secret, session), "ecr", REGION)
    request.context["timestamp"] = request.headers["X-Amz-Date"]
    request.headers["Host"] = "localhost:4510"
    if session is not None:
        request.headers["X-Amz-Security-Token"] = session
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    received = sigv4.Request("POST", "/", "", list(request.headers.items()), hashlib.sha256(body + change).hexdigest())
    return await house.registry.callers.by_signature(
        received, sigv4.parse(received), now(house), services=frozenset({"ecr"}), regions=frozenset({REGION})
    )


async def test_a_signature_says_who_asks(house: House) -> None:
    assert (await signed(house)).principal == house.caller.principal


async def test_a_wrong_secret_is_refused(house: House) -> None:
    with pytest.raises(InvalidSignature):
        await signed(house, secret="other")


async def test_a_changed_body_is_refused(house: House) -> None:
    with pytest.raises(InvalidSignature):
        await signed(house, change=b"x")


@pytest.mark.parametrize("secret", ["secret", "0" * 40])
async def test_an_unknown_key_is_refused_whatever_it_signs(house: House, secret: str) -> None:
    with pytest.raises(SecurityTokenInvalid):
        await signed(house, key="AKIANOBODY", secret=secret)


async def test_an_inactive_key_is_refused(house: House) -> None:
    await set_key(house, "AKIANEW")
    with pytest.raises(SecurityTokenInvalid):
        await signed(house)
    assert (await signed(house, key="AKIANEW", secret="other")).principal.access_key == "AKIANEW"


async def test_a_session_token_belongs_to_none_of_our_keys(house: House) -> None:
    with pytest.raises(SecurityTokenInvalid):
        await signed(house, session="session")
