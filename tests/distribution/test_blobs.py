from __future__ import annotations

import asyncio
import email
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.core.errors import ContentDamaged
from portside.registry.content import PIECE
from tests.distribution.driver import V2, Answer, Client, Request, authorization_of, plane_of
from tests.registry.fakes import Blobs
from tests.registry.house import APP, House, image_of, noise

LARGE = noise(3 * PIECE + 12_345)
SIZE = len(LARGE)
DIGEST = str(Digest.of(LARGE))
PATH = f"{V2}/blobs/{DIGEST}"
NONE = f"{V2}/blobs/{Digest.of(b'none')}"


@pytest.fixture
async def puller(client: Client) -> Client:
    """A client of a repository that holds LARGE."""
    await client.push(LARGE)
    return client


async def test_a_blob_comes_as_it_was_pushed(puller: Client) -> None:
    answer = await puller.ask("GET", PATH)
    assert (answer.status, answer.body) == (200, LARGE)
    assert answer.headers == {
        "content-type": "application/octet-stream",
        "content-length": str(SIZE),
        "docker-content-digest": DIGEST,
        "accept-ranges": "bytes",
        "etag": f'"{DIGEST}"',
        "docker-distribution-api-version": "registry/2.0",
    }


async def test_head_says_what_get_would(puller: Client) -> None:
    head, get = await puller.ask("HEAD", PATH), await puller.ask("GET", PATH)
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


async def test_an_empty_blob_is_a_blob(client: Client) -> None:
    digest = await client.push(b"")
    answer = await client.ask("GET", f"{V2}/blobs/{digest}")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


async def test_a_blob_that_no_image_refers_to_can_be_read(puller: Client) -> None:
    assert (await puller.ask("GET", PATH)).status == 200


async def test_a_missing_blob_is_unknown(client: Client) -> None:
    assert (await client.ask("GET", NONE)).error == (
        404,
        "BLOB_UNKNOWN",
        (
            f"The layer with digest '{Digest.of(b'none')}' does not exist within the repository "
            "with name 'team/app' in the registry with id '123456789012'"
        ),
    )
    assert (await client.ask("HEAD", NONE)).status == 404


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=1-70000", 1, 70_001),
        (f"bytes={PIECE - 1}-{PIECE}", PIECE - 1, PIECE + 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        (f"bytes=5-{SIZE + 1000}", 5, SIZE),
        ("bytes=5-9999999999999999999", 5, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-70000", SIZE - 70_000, SIZE),
        (f"bytes=-{SIZE}", 0, SIZE),
        ("bytes=-9999999999999999999", 0, SIZE),
    ],
)
async def test_a_range_comes_alone(puller: Client, header: str, start: int, stop: int) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": header})
    assert (answer.status, answer.body) == (206, LARGE[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["docker-content-digest"] == DIGEST


@pytest.mark.parametrize(
    "header",
    [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", f"bytes={10**18}-", "bytes=-0", "bytes=5-4", "bytes=-0,5-4"],
)
async def test_a_range_past_the_end_is_refused_with_the_size(puller: Client, header: str) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": header})
    assert answer.error == (416, "UNSUPPORTED", "The requested range is not satisfiable.")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-1,x",
        "bytes=,",
        "items=0-1",
        "bytes=" + ",".join(f"{at}-{at}" for at in range(0, 65_000, 1000)),
        "bytes=+1-2",
        "bytes=1-2-3",
        "bytes=" + "1" * 20 + "-",
        "bytes=0-" + "1" * 100_000,
        "bytes=²-³",
    ],
    ids=lambda text: text[:16],
)
async def test_a_range_of_another_form_is_ignored(puller: Client, header: str) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": header})
    assert (answer.status, len(answer.body)) == (200, SIZE)


async def test_any_range_of_an_empty_blob_is_past_its_end(client: Client) -> None:
    digest = await client.push(b"")
    for header in ("bytes=0-0", "bytes=-5", "bytes=0-"):
        assert (await client.ask("GET", f"{V2}/blobs/{digest}", headers={"Range": header})).status == 416


async def test_head_has_no_range(puller: Client) -> None:
    answer = await puller.ask("HEAD", PATH, headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.headers["content-length"]) == (200, str(SIZE))


def damage(house: House) -> None:
    [path] = [path for path in house.files() if "blobs" in path.parts]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


async def test_damage_cuts_the_answer_and_then_the_blob_counts_as_missing(house: House, puller: Client) -> None:
    damage(house)
    with pytest.raises(ContentDamaged):
        await puller.ask("GET", PATH)
    assert (await puller.ask("HEAD", PATH)).status == 404
    assert (await puller.ask("GET", PATH)).error[:2] == (404, "BLOB_UNKNOWN")
    await puller.push(LARGE)
    assert (await puller.ask("GET", PATH)).body == LARGE


class Reader:
    """A client that reads some of a blob, and then hangs up."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces
        self._gone = asyncio.Event()
        self._asked = False
        self.answer = Answer()

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request"}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            return
        self.answer.body += message.get("body", b"")
        self.answer.whole = not message.get("more_body", False)
        if len(self.answer.body) >= self._pieces * PIECE:
            self._gone.set()
        await asyncio.sleep(0)


async def test_reading_stops_when_the_reader_is_gone(house: House, client: Client, blobs: Blobs) -> None:
    content = noise(12 * PIECE)
    digest = await client.push(content)
    blobs.calls.clear()
    request = Request("GET", f"{V2}/blobs/{digest}", headers={"Authorization": await authorization_of(house)})
    reader = Reader(pieces=2)
    await plane_of(house)(request.scope("http"), reader.receive, reader.send)
    assert content.startswith(reader.answer.body)
    assert not reader.answer.whole
    assert blobs.calls["read"] <= 4


async def test_a_cancelled_download_leaves_nothing_behind(house: House, client: Client) -> None:
    digest = await client.push(LARGE)
    before = len(asyncio.all_tasks())
    stuck = asyncio.Event()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.Event().wait()

    request = Request("GET", f"{V2}/blobs/{digest}", headers={"Authorization": await authorization_of(house)})
    task = asyncio.ensure_future(plane_of(house)(request.scope("http"), Reader(99).receive, send))
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


async def test_a_repository_deleted_during_a_download_does_not_cut_it(house: House, puller: Client) -> None:
    content = await house.registry.layers.open(house.caller, APP, Digest.of(LARGE))
    pieces = content.read(0, SIZE)
    got = await anext(pieces)
    await house.registry.repositories.delete(house.caller, APP, force=True)
    assert got + b"".join([piece async for piece in pieces]) == LARGE
    assert (await puller.ask("GET", PATH)).error[1] == "NAME_UNKNOWN"


async def test_several_ranges_come_as_parts(puller: Client) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": f"bytes=100000-100009,0-4,-3,{SIZE + 5}-"})
    assert answer.status == 206
    assert "content-range" not in answer.headers
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    message = email.message_from_bytes(f"Content-Type: {kind}; boundary={boundary}\r\n".encode() + answer.body)
    assert message.is_multipart()
    parts = [(part["Content-Range"], part.get_payload(decode=True)) for part in message.walk() if part is not message]
    assert parts == [
        (f"bytes 0-4/{SIZE}", LARGE[:5]),
        (f"bytes 100000-100009/{SIZE}", LARGE[100_000:100_010]),
        (f"bytes {SIZE - 3}-{SIZE - 1}/{SIZE}", LARGE[-3:]),
    ]


@pytest.mark.parametrize("header", ["bytes=0-4,3-9", "bytes=5-9,0-4", "bytes=0-1, ,8-9,", "BYTES= 0-0\t,9-9"])
async def test_ranges_that_touch_come_as_one(puller: Client, header: str) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": header})
    assert (answer.status, answer.body) == (206, LARGE[:10])
    assert answer.headers["content-range"] == f"bytes 0-9/{SIZE}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("known", [f'"{DIGEST}"', f'W/"{DIGEST}"', f'"x", "{DIGEST}"', "*", DIGEST])
async def test_a_client_that_has_the_bytes_is_not_sent_them(puller: Client, method: str, known: str) -> None:
    answer = await puller.ask(method, PATH, headers={"If-None-Match": known, "Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers == {
        "etag": f'"{DIGEST}"',
        "docker-content-digest": DIGEST,
        "docker-distribution-api-version": "registry/2.0",
    }


@pytest.mark.parametrize("known", ["", '"x"', f'"{DIGEST}0"', f'"x{DIGEST}"'])
async def test_a_client_that_has_other_bytes_is_sent_these(puller: Client, known: str) -> None:
    assert (await puller.ask("GET", PATH, headers={"If-None-Match": known})).body == LARGE


async def test_whoever_may_not_see_a_blob_is_not_told_that_it_is_unchanged(client: Client) -> None:
    assert (await client.ask("GET", NONE, headers={"If-None-Match": "*"})).status == 404


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (f'"{DIGEST}"', 206),
        (f'W/"{DIGEST}"', 200),
        ('"x"', 200),
        ("Wed, 25 Nov 2026 04:00:00 GMT", 200),
        ("", 200),
    ],
)
async def test_a_range_of_other_content_is_the_whole(puller: Client, condition: str, status: int) -> None:
    answer = await puller.ask("GET", PATH, headers={"Range": "bytes=0-1", "If-Range": condition})
    assert (answer.status, answer.body) == (status, LARGE[:2] if status == 206 else LARGE)


async def test_a_blob_that_no_image_refers_to_can_be_deleted(puller: Client) -> None:
    assert (await puller.ask("DELETE", PATH)).status == 202
    assert (await puller.ask("HEAD", PATH)).status == 404
    assert (await puller.ask("DELETE", PATH)).error[:2] == (404, "BLOB_UNKNOWN")
    await puller.push(LARGE)
    assert (await puller.ask("GET", PATH)).body == LARGE


async def test_a_blob_that_an_image_refers_to_stays(puller: Client) -> None:
    await puller.push(b"{}")
    await puller.put("v1", image_of(b"{}", LARGE))
    assert (await puller.ask("DELETE", PATH)).error == (
        405,
        "UNSUPPORTED",
        (
            f"The layer with digest '{DIGEST}' in the repository with name 'team/app' in the registry "
            "with id '123456789012' cannot be deleted because an image refers to it"
        ),
    )
    assert (await puller.ask("HEAD", PATH)).status == 200
    await puller.ask("DELETE", f"{V2}/manifests/v1")
    assert (await puller.ask("DELETE", PATH)).status == 202


async def test_nothing_a_client_sends_becomes_a_path(tmp_path: Path, client: Client) -> None:
    (tmp_path / "secret").write_text("secret")
    for digest in ("../../secret", "..%2f..%2fsecret", "sha256:../../../secret"):
        answer = await client.ask("GET", f"{V2}/blobs/{digest}")
        assert answer.status in {400, 404}
        assert b"secret" not in answer.body.replace(b"/secret", b"")
