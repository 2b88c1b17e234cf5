from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.registry.content import PIECE
from portside.registry.rules import Quotas, Rules
from tests.distribution.driver import V2, Client, Request, authorization_of, client_of, drive, plane_of
from tests.registry.fakes import Blobs
from tests.registry.house import ACCOUNT, APP, HOME, Clock, House, image_of, noise, opened

LARGE = noise(3 * PIECE + 12_345)
SIZE = len(LARGE)
DIGEST = str(Digest.of(LARGE))
WRONG = str(Digest.of(b"wrong"))
OTHER = HOME.repository("team/other")
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def chunk(first: int, last: int) -> dict[str, str]:
    return {"Content-Range": f"{first}-{last}"}


@pytest.mark.parametrize("path", [f"{V2}/blobs/uploads/", f"{V2}/blobs/uploads"])
async def test_an_upload_begins(client: Client, path: str) -> None:
    answer = await client.ask("POST", path)
    assert (answer.status, answer.body, answer.headers["range"]) == (202, b"", "0-0")
    upload = answer.headers["docker-upload-uuid"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", upload)
    assert answer.headers["location"] == f"{V2}/blobs/uploads/{upload}"


async def test_a_streamed_push(client: Client) -> None:
    address = await client.begin()
    answer = await client.ask("PATCH", address, LARGE)
    assert (answer.status, answer.headers["range"]) == (202, f"0-{SIZE - 1}")
    assert answer.headers["location"] == address
    done = await client.ask("PUT", address, digest=DIGEST)
    assert (done.status, done.body) == (201, b"")
    assert done.headers["location"] == f"{V2}/blobs/{DIGEST}"
    assert done.headers["docker-content-digest"] == DIGEST
    assert (await client.ask("GET", done.headers["location"])).body == LARGE


async def test_a_chunked_push(client: Client) -> None:
    address = await client.begin()
    for first in range(0, SIZE, 700_000):
        piece = LARGE[first : first + 700_000]
        answer = await client.ask("PATCH", address, piece, chunk(first, first + len(piece) - 1))
        assert (answer.status, answer.headers["range"]) == (202, f"0-{first + len(piece) - 1}")
    assert (await client.ask("PUT", address, digest=DIGEST)).status == 201
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST}")).body == LARGE


async def test_a_push_in_one_request(client: Client) -> None:
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", LARGE, digest=DIGEST)
    assert (answer.status, answer.headers["location"]) == (201, f"{V2}/blobs/{DIGEST}")


async def test_a_push_with_chunked_encoding(house: House, client: Client) -> None:
    headers = {"Authorization": await authorization_of(house), "Transfer-Encoding": "chunked"}
    target = f"{await client.begin()}?digest={DIGEST}"
    assert (await drive(plane_of(house), Request("PUT", target, LARGE, headers))).status == 201
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST}")).body == LARGE


async def test_a_zero_byte_blob(client: Client) -> None:
    address = await client.begin()
    assert (await client.ask("PATCH", address)).headers["range"] == "0-0"
    assert (await client.ask("PUT", address, digest=str(Digest.of(b"")))).status == 201


async def mounting(house: House) -> None:
    await house.registry.settings.put(house.caller, HOME, "BLOB_MOUNTING", "ENABLED")


MOUNT = {"mount": DIGEST, "from": "team/other"}


async def test_a_mount_is_answered_with_an_upload_until_the_account_allows_it(house: House, client: Client) -> None:
    await house.create(OTHER)
    await house.push(LARGE, OTHER)
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", **MOUNT)
    assert answer.status == 202
    assert (await client.ask("PATCH", answer.headers["location"], LARGE)).status == 202
    assert (await client.ask("POST", f"{V2}/blobs/uploads/", mount=DIGEST)).status == 202


@pytest.mark.parametrize("query", [MOUNT, {"mount": DIGEST}, {**MOUNT, "digest": DIGEST}])
async def test_a_mounted_blob_is_there_at_once(house: House, client: Client, query: dict[str, str]) -> None:
    await mounting(house)
    await house.create(OTHER)
    await house.push(LARGE, OTHER)
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", **query)
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"] == f"{V2}/blobs/{DIGEST}"
    assert answer.headers["docker-content-digest"] == DIGEST
    assert (await client.ask("GET", answer.headers["location"])).body == LARGE
    assert await house.rows("SELECT id FROM uploads WHERE completed IS NULL") == []


async def test_what_cannot_be_mounted_is_answered_with_an_upload(house: House, client: Client) -> None:
    await mounting(house)
    for query in (MOUNT, {"mount": DIGEST}, {"mount": DIGEST, "from": APP.name}):
        answer = await client.ask("POST", f"{V2}/blobs/uploads/", **query)
        assert (answer.status, answer.headers["range"]) == (202, "0-0")


@pytest.mark.parametrize(
    ("query", "code"),
    [({"mount": "x"}, "DIGEST_INVALID"), ({"mount": ""}, "DIGEST_INVALID"), (MOUNT | {"from": "No"}, "NAME_INVALID")],
)
async def test_a_malformed_mount_is_refused(house: House, client: Client, query: dict[str, str], code: str) -> None:
    assert (await client.ask("POST", f"{V2}/blobs/uploads/", **query)).error[:2] == (400, code)
    assert await house.rows("SELECT * FROM uploads") == []


async def test_a_layer_above_the_quota_is_denied_and_the_connection_closed(tmp_path: Path) -> None:
    rules = Rules(Quotas(layer_bytes=SIZE - 1))
    async with opened(tmp_path, Clock(time.time_ns() // 1000), rules=rules) as house:
        await house.create()
        client = await client_of(house)
        address = await client.begin()
        answer = await client.ask("PATCH", address, LARGE)
        assert answer.error == (
            403,
            "DENIED",
            f"The layer exceeds the maximum allowed size which is '{SIZE - 1}' bytes",
        )
        assert answer.headers["connection"] == "close"
        assert (await client.ask("GET", address)).headers["range"] == "0-0"


async def test_a_push_makes_its_repository_where_the_setting_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, Clock(time.time_ns() // 1000), rules=Rules(create_on_push=True)) as house:
        client = await client_of(house)
        await client.push(b"{}")
        assert (await client.put("v1", image_of(b"{}"))).status == 201
        assert (await client.ask("GET", "/v2/_catalog")).json == {"repositories": [APP.name]}


async def test_the_state_of_an_upload(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, LARGE)
    answer = await client.ask("GET", address)
    assert (answer.status, answer.body, answer.headers["range"]) == (204, b"", f"0-{SIZE - 1}")
    assert answer.headers["location"] == address


async def test_a_cut_push_goes_on_where_it_was_cut(client: Client) -> None:
    address = await client.begin()
    cut = await client.ask("PATCH", address, LARGE, cut=2_000_000)
    assert cut.error == (400, "BLOB_UPLOAD_INVALID", "The request body ended before it was complete.")
    assert (await client.ask("GET", address)).headers["range"] == "0-1999999"
    answer = await client.ask("PATCH", address, LARGE[2_000_000:], chunk(2_000_000, SIZE - 1))
    assert answer.status == 202
    assert (await client.ask("PUT", address, digest=DIGEST)).status == 201
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST}")).body == LARGE


async def test_a_cut_completion_is_no_completion(client: Client) -> None:
    address = await client.begin()
    assert (await client.ask("PUT", address, LARGE, cut=SIZE, digest=DIGEST)).status == 400
    assert (await client.ask("HEAD", f"{V2}/blobs/{DIGEST}")).status == 404
    assert (await client.ask("PUT", address, digest=DIGEST)).status == 201


async def test_a_cancelled_upload_is_gone(client: Client) -> None:
    address = await client.begin()
    assert (await client.ask("DELETE", address)).status == 204
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert (await client.ask(method, address, digest=DIGEST)).error[1] == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_an_unknown_upload_is_unknown(client: Client, method: str) -> None:
    assert (await client.ask(method, f"{V2}/blobs/uploads/{UNKNOWN}", digest=DIGEST)).error == (
        404,
        "BLOB_UPLOAD_UNKNOWN",
        (
            f"Upload with id '{UNKNOWN}' could not be found for the repository with name 'team/app' "
            f"in the registry with id '{ACCOUNT}'"
        ),
    )


async def test_a_gap_is_refused_with_what_is_held(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, b"12345")
    answer = await client.ask("PATCH", address, b"x", chunk(9, 9))
    assert answer.error == (416, "BLOB_UPLOAD_INVALID", "First byte of the layer part is 9 instead of 5")
    assert answer.headers["range"] == "0-4"
    assert answer.headers["location"] == address
    assert answer.headers["docker-upload-uuid"] == address.rpartition("/")[2]


async def test_a_chunk_sent_twice_is_refused_with_what_is_held(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, b"12345", chunk(0, 4))
    answer = await client.ask("PATCH", address, b"12345", chunk(0, 4))
    assert (answer.status, answer.headers["range"]) == (416, "0-4")


async def test_a_last_chunk_that_does_not_follow_is_refused(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, b"12345")
    assert (await client.ask("PUT", address, b"x", chunk(0, 0), digest=DIGEST)).status == 416


@pytest.mark.parametrize("last", [3, 5])
async def test_a_chunk_of_another_length_than_its_range_is_refused_the_last_one_too(client: Client, last: int) -> None:
    address, digest = await client.begin(), str(Digest.of(b"12345"))
    for method in ("PATCH", "PUT"):
        answer = await client.ask(method, address, b"12345", chunk(0, last), digest=digest)
        assert (answer.status, answer.headers["range"]) == (416, "0-0")
        assert (await client.ask("GET", address)).headers["range"] == "0-0"
    assert (await client.ask("PUT", address, b"12345", chunk(0, 4), digest=digest)).status == 201


@pytest.mark.parametrize(
    "header", ["", "x", "5", "-", "5-", "-5", "a-b", "5-4", "0-4 x", "0--4", "1" * 20 + "-" + "2" * 20, "²-³", "0-4\t"]
)
async def test_a_malformed_content_range_is_refused(client: Client, header: str) -> None:
    address = await client.begin()
    for method in ("PATCH", "PUT"):
        status, code, message = (
            await client.ask(method, address, b"12345", {"Content-Range": header}, digest=DIGEST)
        ).error
        assert (status, code) == (400, "UNSUPPORTED")
        assert message.startswith("Invalid parameter at 'partFirstByte'")


@pytest.mark.parametrize("header", ["0-4", "bytes 0-4/5", "bytes 0-4/*", "bytes 0-4"])
async def test_a_content_range_has_the_form_of_docker_or_of_http(client: Client, header: str) -> None:
    answer = await client.ask("PATCH", await client.begin(), b"12345", {"Content-Range": header})
    assert answer.status == 202


async def test_a_wrong_digest_is_refused_and_the_upload_stays(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, LARGE)
    assert (await client.ask("PUT", address, digest=WRONG)).error == (
        400,
        "BLOB_UPLOAD_INVALID",
        "None of the provided layer digests match the calculated layer digest",
    )
    assert (await client.ask("PUT", address, digest=DIGEST)).status == 201


@pytest.mark.parametrize("query", ["", "?digest=", "?digest=x", "?digest=%00", f"?digest={DIGEST}x"])
async def test_a_completion_needs_a_digest(client: Client, query: str) -> None:
    address = await client.begin()
    assert (await client.ask("PUT", address + query)).error[:2] == (400, "DIGEST_INVALID")
    assert (await client.ask("GET", address)).status == 204


async def test_a_push_in_one_request_under_a_malformed_digest_leaves_no_upload(house: House, client: Client) -> None:
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", LARGE, digest="x")
    assert answer.error[:2] == (400, "DIGEST_INVALID")
    assert await house.rows("SELECT * FROM uploads") == []


async def test_completing_again_is_answered_alike(client: Client) -> None:
    address = await client.begin()
    answers = [await client.ask("PUT", address, LARGE, digest=DIGEST) for _ in range(2)]
    assert [(answer.status, answer.headers) for answer in answers] == [(201, answers[0].headers)] * 2


async def test_completing_twice_at_once_is_answered_alike(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, LARGE)
    answers = await asyncio.gather(*(client.ask("PUT", address, digest=DIGEST) for _ in range(4)))
    assert [answer.status for answer in answers] == [201] * 4


async def test_two_at_one_upload_never_mix_their_bytes(client: Client) -> None:
    address = await client.begin()
    one, other = noise(2 * PIECE, 1), noise(2 * PIECE, 2)
    answers = await asyncio.gather(client.ask("PATCH", address, one), client.ask("PATCH", address, other))
    assert [answer.status for answer in answers] == [202, 202]
    either = {str(Digest.of(one + other)): one + other, str(Digest.of(other + one)): other + one}
    statuses = {digest: (await client.ask("PUT", address, digest=digest)).status for digest in either}
    [digest] = [digest for digest, status in statuses.items() if status == 201]
    assert (await client.ask("GET", f"{V2}/blobs/{digest}")).body == either[digest]


async def test_an_upload_that_another_holds_is_worth_another_try(house: House, client: Client) -> None:
    address = await client.begin()
    async with house.stores.metadata.writing() as unit:
        repository = await unit.repositories.find(APP)
        assert repository is not None
        now = house.clock()
        assert await unit.uploads.hold(repository.key, address.rpartition("/")[2], now, now * 2)
    asked = asyncio.ensure_future(client.ask("PATCH", address, b"x"))
    await asyncio.sleep(0.05)
    house.clock.forward(21)
    answer = await asked
    assert answer.error[:2] == (409, "BLOB_UPLOAD_INVALID")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("upload", ["x", "..", UNKNOWN.upper().replace("0", "A"), UNKNOWN + "0"])
async def test_an_address_of_another_form_is_no_upload(client: Client, upload: str) -> None:
    assert (await client.ask("PATCH", f"{V2}/blobs/uploads/{upload}", b"x")).status in {404, 405}


async def test_the_algorithm_of_the_digest_travels_in_the_address(house: House, client: Client) -> None:
    digest = Digest.of(LARGE, "sha512")
    begun = await client.ask("POST", f"{V2}/blobs/uploads/", **{"digest-algorithm": "sha512"})
    address = begun.headers["location"]
    assert address.endswith("?digest-algorithm=sha512")
    half = SIZE // 2
    answer = await client.ask("PATCH", address, LARGE[:half], chunk(0, half - 1))
    assert (answer.status, answer.headers["location"]) == (202, address)
    done = await client.ask("PUT", f"{address}&digest={digest}", LARGE[half:], chunk(half, SIZE - 1))
    assert (done.status, done.headers["docker-content-digest"]) == (201, str(digest))
    assert isinstance(house.stores.blobs, Blobs)
    assert "read" not in house.stores.blobs.calls
    assert (await client.ask("GET", done.headers["location"])).body == LARGE


async def test_every_answer_about_an_upload_keeps_the_algorithm(client: Client) -> None:
    begun = await client.ask("POST", f"{V2}/blobs/uploads/", **{"digest-algorithm": "sha512"})
    address = begun.headers["location"]
    gap = await client.ask("PATCH", address, b"x", chunk(5, 5))
    assert (gap.status, gap.headers["location"]) == (416, address)
    assert (await client.ask("GET", address)).headers["location"] == address


async def test_sha512_pushes_in_one_request(client: Client) -> None:
    digest = Digest.of(LARGE, "sha512")
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", LARGE, digest=str(digest))
    assert (answer.status, answer.headers["location"]) == (201, f"{V2}/blobs/{digest}")
    assert (await client.ask("GET", f"{V2}/blobs/{digest}")).body == LARGE


@pytest.mark.parametrize("algorithm", ["md5", "", "SHA256", "blake3", "sha512 "])
async def test_an_unknown_algorithm_is_refused_before_there_is_an_upload(
    house: House, client: Client, algorithm: str
) -> None:
    answer = await client.ask("POST", f"{V2}/blobs/uploads/", **{"digest-algorithm": algorithm})
    assert answer.error[:2] == (400, "DIGEST_INVALID")
    assert await house.rows("SELECT * FROM uploads") == []


async def test_head_tells_how_far_an_upload_is(client: Client) -> None:
    address = await client.begin()
    await client.ask("PATCH", address, b"12345")
    answer = await client.ask("HEAD", address)
    assert (answer.status, answer.headers["range"], answer.headers["location"]) == (204, "0-4", address)
