"""Where ECR is odd: each row of docs/divergences.md that strictness changes, answered both ways."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.distribution.manners import OPEN
from portside.distribution.strict import STRICT
from portside.server.settings import Settings
from tests.architecture.source import ROOT
from tests.distribution.driver import HOST, V2, Client, client_of
from tests.registry.house import HOME, Clock, House, image_of, index_of, opened

IMAGE = image_of(b"{}")
LAYER = b"layer"
DIGEST = str(Digest.of(LAYER))
UPLOADS = f"{V2}/blobs/uploads/"
OTHER = HOME.repository("team/other")
SETTING = "`compat.strict_ecr`"


@dataclass
class Bench:
    house: House
    client: Client

    async def mountable(self) -> None:
        """A repository that holds LAYER without an image, in an account that lets blobs be mounted."""
        await self.house.registry.settings.put(self.house.caller, HOME, "BLOB_MOUNTING", "ENABLED")
        await self.house.create(OTHER)
        await self.house.push(LAYER, OTHER)

    async def tagged(self, *tags: str) -> None:
        """The same image under several tags, one second after another."""
        await self.house.push(b"{}")
        for tag in tags:
            await self.house.put(image_of(b"{}", annotations={"tag": tag}), tag)
            self.house.clock.forward(1)


@pytest.fixture(params=["open", "strict"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    strict = request.param == "strict"
    rules = Settings(strict_ecr=strict).rules
    async with opened(tmp_path, Clock(time.time_ns() // 1000), rules=rules) as house:
        await house.create()
        yield Bench(house, await client_of(house, manners=STRICT if strict else OPEN))


# --- one question a row -----------------------------------------------------------------------------------------------


async def patched(bench: Bench) -> object:
    return (await bench.client.ask("PATCH", await begun(bench), LAYER)).status


async def begun(bench: Bench) -> str:
    address = (await bench.client.ask("POST", UPLOADS)).headers["location"]
    return address.removeprefix(f"http://{HOST}")


async def range_after_two_chunks(bench: Bench) -> object:
    address = await begun(bench)
    for chunk in (b"abc", b"defgh"):
        answer = await bench.client.ask("PATCH", address, chunk)
    return answer.headers["range"]


async def addresses(bench: Bench) -> object:
    await bench.tagged("a", "b")
    links = [(await bench.client.ask("GET", path, n="1")).headers["link"] for path in (f"{V2}/tags/list",)]
    upload = await bench.client.ask("POST", UPLOADS)
    gap = await bench.client.ask("PATCH", await begun(bench), b"x", {"Content-Range": "7-7"})
    done = await bench.client.ask("PUT", await begun(bench), LAYER, digest=DIGEST)
    found = {answer.headers["location"].partition("/v2/")[0] for answer in (upload, gap, done)}
    return found | {link.removeprefix("<").partition("/v2/")[0] for link in links}


async def digest_of_a_manifest(bench: Bench) -> object:
    await bench.tagged("v1")
    got = await bench.client.ask("GET", f"{V2}/manifests/v1")
    head = await bench.client.ask("HEAD", f"{V2}/manifests/v1")
    assert got.status == 200
    return ["docker-content-digest" in answer.headers for answer in (got, head)]


async def location_of_a_manifest(bench: Bench) -> object:
    await bench.house.push(b"{}")
    answer = await bench.client.put("v1", IMAGE)
    assert answer.status == 201
    return "location" in answer.headers


async def bad_parameters(bench: Bench) -> object:
    asked = [
        await bench.client.ask("PUT", f"{V2}/manifests/v1", b"{"),
        await bench.client.ask("GET", f"{V2}/tags/list", n="x"),
        await bench.client.ask("GET", f"{V2}/blobs/x"),
    ]
    tag = await bench.client.ask("GET", f"{V2}/manifests/a%2Bb")
    assert tag.error[:2] == (400, "TAG_INVALID")
    return [answer.error[:2] for answer in asked]


async def small_chunks(bench: Bench) -> object:
    address = await begun(bench)
    for chunk in (LAYER[:2], LAYER[2:]):
        await bench.client.ask("PATCH", address, chunk)
    by_chunks = await bench.client.ask("PUT", address, digest=DIGEST)
    address = await begun(bench)
    await bench.client.ask("PATCH", address, LAYER[:2])
    with_the_last = await bench.client.ask("PUT", address, LAYER[2:], digest=DIGEST)
    return [answer.status if answer.status == 201 else answer.error for answer in (by_chunks, with_the_last)]


async def zero_bytes(bench: Bench) -> object:
    address, empty = await begun(bench), str(Digest.of(b""))
    await bench.client.ask("PATCH", address)
    answer = await bench.client.ask("PUT", address, digest=empty)
    return answer.status if answer.status == 201 else (*answer.error[:2], answer.error[2].partition(" ")[0])


async def unreferenced(bench: Bench) -> object:
    await bench.house.push(LAYER)
    assert (await bench.client.ask("HEAD", f"{V2}/blobs/{DIGEST}")).status == 200
    return (await bench.client.ask("GET", f"{V2}/blobs/{DIGEST}")).status


async def blob(bench: Bench) -> object:
    await bench.house.image("v1", config=LAYER)
    answer = await bench.client.ask("GET", f"{V2}/blobs/{DIGEST}")
    if answer.status == 307:
        address = answer.headers["location"].removeprefix(f"http://{HOST}")
        anybody = Client(bench.client._plane, None)
        assert (await anybody.ask("GET", address)).body == LAYER
    return answer.status


async def order(bench: Bench) -> object:
    await bench.tagged("b", "c", "a")
    first = await bench.client.ask("GET", f"{V2}/tags/list", n="2")
    rest = re.sub(".*(/v2/[^>]*).*", r"\1", first.headers["link"])
    return first.json["tags"] + (await bench.client.ask("GET", rest)).json["tags"]


async def a_name_as_last(bench: Bench) -> object:
    paths = ("/v2/_catalog", f"{V2}/tags/list")
    return [(await bench.client.ask("GET", path, last="a")).status for path in paths]


async def default_page(bench: Bench) -> object:
    await bench.house.image("t")
    for number in range(100):
        await bench.house.put(IMAGE, f"t{number}")
        await bench.house.create(HOME.repository(f"r{number}"))
    tags = (await bench.client.ask("GET", f"{V2}/tags/list")).json["tags"]
    return [len(tags), len((await bench.client.ask("GET", "/v2/_catalog")).json["repositories"])]


async def large_page(bench: Bench) -> object:
    answer = await bench.client.ask("GET", f"{V2}/tags/list", n="1001")
    return answer.status if answer.status == 200 else answer.error


async def media_type_of_lists(bench: Bench) -> object:
    paths = ("/v2/_catalog", f"{V2}/tags/list")
    found = [(await bench.client.ask("GET", path)).headers["content-type"] for path in paths]
    return {one.partition(";")[0] for one in found}


async def whole_blob(bench: Bench) -> object:
    answer = await bench.client.ask("POST", UPLOADS, LAYER, digest=DIGEST)
    head = await bench.client.ask("HEAD", f"{V2}/blobs/{DIGEST}")
    return [answer.status, head.status]


async def mounted_from_anywhere(bench: Bench) -> object:
    await bench.mountable()
    await bench.house.put(image_of(LAYER), "v1", OTHER)
    return (await bench.client.ask("POST", UPLOADS, mount=DIGEST)).status


async def mounted_without_an_image(bench: Bench) -> object:
    await bench.mountable()
    return (await bench.client.ask("POST", UPLOADS, **{"mount": DIGEST, "from": OTHER.name})).status


async def missing_repository(bench: Bench) -> object:
    message = (await bench.client.ask("POST", "/v2/team/none/blobs/uploads/")).error[2]
    return message.endswith("aws ecr create-repository --repository-name team/none")


async def deleted_blob(bench: Bench) -> object:
    await bench.house.push(LAYER)
    answer = await bench.client.ask("DELETE", f"{V2}/blobs/{DIGEST}")
    return answer.status if answer.status == 202 else answer.error[:2]


async def last_tag(bench: Bench) -> object:
    await bench.tagged("v1")
    await bench.client.put("multi", index_of(image_of(b"{}", annotations={"tag": "v1"})))
    answer = await bench.client.ask("DELETE", f"{V2}/manifests/v1")
    return answer.status if answer.status == 202 else answer.error[:2]


UNSUPPORTED = (405, "UNSUPPORTED")
SMALL = (400, "BLOB_UPLOAD_INVALID", "All layer parts except the last part should be at least 5MB")
TOO_MANY = (
    *UNSUPPORTED,
    (
        "Invalid parameter at 'maxResults' failed to satisfy constraint: "
        "'Member must have value less than or equal to 1000'"
    ),
)
CASES: Mapping[str, tuple[Callable[[Bench], Awaitable[object]], Any, Any]] = {
    "`PATCH` of an upload": (patched, 202, 201),
    "`Range` after `PATCH`": (range_after_two_chunks, "0-7", "0-2"),
    "`Location` and `Link`": (addresses, {""}, {f"http://{HOST}"}),
    "`Docker-Content-Digest`": (digest_of_a_manifest, [True, True], [False, True]),
    "`Location` of a manifest PUT": (location_of_a_manifest, True, False),
    "bad parameters on the data plane": (
        bad_parameters,
        [(400, "MANIFEST_INVALID"), (400, "UNSUPPORTED"), (400, "DIGEST_INVALID")],
        [UNSUPPORTED] * 3,
    ),
    "chunks below 5 MiB": (small_chunks, [201, 201], [SMALL, SMALL]),
    "a zero-byte blob": (zero_bytes, 201, (400, "BLOB_UPLOAD_INVALID", "The")),
    "blobs no image refers to": (unreferenced, 200, 404),
    "GET blob": (blob, 200, 307),
    "order of `tags/list`": (order, ["a", "b", "c"], ["b", "c", "a"]),
    "`last` of `tags/list` and `_catalog`": (a_name_as_last, [200, 200], [405, 405]),
    "a page of `tags/list` and `_catalog`": (default_page, [101, 101], [100, 100]),
    "`n` above 1,000": (large_page, 200, TOO_MANY),
    "media type of `tags/list` and `_catalog`": (media_type_of_lists, {"application/json"}, {"text/plain"}),
    "a whole blob in one `POST`": (whole_blob, [201, 200], [202, 404]),
    "mounting a blob without `from`": (mounted_from_anywhere, 201, 202),
    "mounting a blob that no image refers to": (mounted_without_an_image, 201, 202),
    "push to a missing repository": (missing_repository, True, False),
    "`DELETE` of a blob": (deleted_blob, 202, (405, "UNSUPPORTED")),
    "`DELETE` of the last tag of an image that an index lists": (last_tag, 202, (405, "UNSUPPORTED")),
}


@pytest.mark.parametrize("topic", CASES)
async def test_a_row_is_answered_as_it_says(bench: Bench, topic: str, request: pytest.FixtureRequest) -> None:
    ask, open_answer, strict_answer = CASES[topic]
    strict = request.node.callspec.params["bench"] == "strict"
    assert await ask(bench) == (strict_answer if strict else open_answer)


def test_every_row_that_names_the_setting_is_tested() -> None:
    rows = [line.split(" | ") for line in (ROOT / "docs/divergences.md").read_text("utf-8").splitlines()]
    assert {row[0].removeprefix("| ") for row in rows if len(row) > 2 and SETTING in row[2]} == set(CASES)


# --- what a strict registry still does --------------------------------------------------------------------------------

strictly = pytest.mark.parametrize("bench", ["strict"], indirect=True)


@strictly
async def test_a_push_and_a_pull_go_through(bench: Bench) -> None:
    for content in (b"{}", LAYER):
        address = await begun(bench)
        assert (await bench.client.ask("PATCH", address, content)).status == 201
        assert (await bench.client.ask("PUT", address, digest=str(Digest.of(content)))).status == 201
    image = image_of(b"{}", LAYER)
    assert (await bench.client.put("v1", image)).status == 201
    assert (await bench.client.ask("GET", f"{V2}/manifests/v1")).body == image


@strictly
async def test_large_chunks_are_taken(bench: Bench) -> None:
    address, whole = await begun(bench), b"x" * (5 * 1024 * 1024) + b"the end"
    await bench.client.ask("PATCH", address, whole[: 5 * 1024 * 1024])
    answer = await bench.client.ask("PUT", address, whole[5 * 1024 * 1024 :], digest=str(Digest.of(whole)))
    assert answer.status == 201


@strictly
async def test_a_blob_is_not_deleted(bench: Bench) -> None:
    await bench.house.push(LAYER)
    assert (await bench.client.ask("DELETE", f"{V2}/blobs/{DIGEST}")).error[:2] == UNSUPPORTED


@strictly
@pytest.mark.parametrize("size", ["", "0", "-1", "x", "²", "1" * 5000])
@pytest.mark.parametrize("path", ["/v2/_catalog", f"{V2}/tags/list"])
async def test_a_page_size_is_a_number_from_one_on(bench: Bench, path: str, size: str) -> None:
    status, code, message = (await bench.client.ask("GET", path, n=size)).error
    assert (status, code) == UNSUPPORTED
    assert message.startswith("Invalid parameter at 'maxResults'")


@strictly
async def test_the_challenge_is_the_same(bench: Bench) -> None:
    answer = await Client(bench.client._plane, None).ask("GET", "/v2/")
    assert (answer.status, answer.body) == (401, b"Not Authorized\n")
