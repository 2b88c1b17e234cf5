"""Bodies held whole, and refusals of what there is no room for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from portside.core.errors import TooManyRequests
from portside.distribution.edge import DataPlane
from portside.registry.bodies import Bodies
from tests.distribution.driver import BARE, V2, Answer, Client, Request, authorization_of, plane_of
from tests.registry.house import House, image_of

MIB = 1 << 20
MANIFEST = image_of(b"{}") + b" " * MIB


async def refused(house: House, request: Request) -> Answer:
    answer = Answer()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        answer.body += message.get("body", b"")

    await plane_of(house).refuse(request.scope("http"), TooManyRequests(), send)
    return answer


async def test_one_that_has_no_room_is_told_to_come_again(house: House) -> None:
    answer = await refused(house, Request("GET", f"{V2}/manifests/v1"))
    assert answer.error == (429, "TOOMANYREQUESTS", "Rate exceeded")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert "connection" not in answer.headers


async def test_one_whose_body_is_not_read_is_told_that_the_connection_ends(house: House) -> None:
    answer = await refused(house, Request("PATCH", f"{V2}/blobs/uploads/1", headers={"Content-Length": "9"}))
    assert (answer.status, answer.headers["connection"]) == (429, "close")


@pytest.fixture
async def narrow(house: House) -> Client:
    """Someone on a server with memory for one large manifest, who pushed its configuration."""
    client = Client(DataPlane(house.registry, BARE, Bodies(2 * MIB, 0.2)), await authorization_of(house))
    await client.push(b"{}")
    return client


async def test_a_manifest_waits_for_memory_and_is_refused_when_there_is_none(narrow: Client) -> None:
    sent = asyncio.Event()

    async def never_ends() -> None:
        # A body that stops without an end holds its memory until the server loses patience with it.
        await narrow.ask("PUT", f"{V2}/manifests/v1", b"x", {"Content-Length": str(MIB)}, stall=sent)

    holding = asyncio.create_task(never_ends())
    await sent.wait()
    answer = await narrow.ask("PUT", f"{V2}/manifests/v2", MANIFEST)
    assert answer.error == (429, "TOOMANYREQUESTS", "Rate exceeded")
    holding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await holding
    assert (await narrow.ask("PUT", f"{V2}/manifests/v2", MANIFEST)).status == 201


async def test_memory_is_not_kept_for_a_manifest_that_does_not_come(house: House) -> None:
    bodies = Bodies(2 * MIB, 0.2, body_patience=-31.9)  # with the time for its mebibyte a tenth of a second
    client = Client(DataPlane(house.registry, BARE, bodies), await authorization_of(house))
    sent = asyncio.Event()
    async with asyncio.timeout(10):
        answer = await client.ask("PUT", f"{V2}/manifests/v1", b"x", {"Content-Length": str(MIB)}, stall=sent)
    assert 400 <= answer.status < 500


async def test_a_small_manifest_needs_no_room(house: House) -> None:
    client = Client(DataPlane(house.registry, BARE, Bodies(4, 0.2)), await authorization_of(house))
    await client.push(b"{}")
    assert (await client.ask("PUT", f"{V2}/manifests/v1", image_of(b"{}"))).status == 201
