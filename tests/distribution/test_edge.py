from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any, cast

import pytest

from portside.core import errors
from portside.core.digest import Digest
from portside.core.hosts import HostNames
from portside.core.iam_errors import IdentityError
from portside.core.kms_errors import KmsFailure
from portside.core.names import RegistryId
from portside.distribution.edge import DataPlane
from portside.distribution.errors import WIRE
from portside.distribution.manners import OPEN, Manners
from portside.distribution.strict import STRICT
from portside.identity.tokens import TICKET_PARAMETER as TICKET
from portside.registry.bodies import Bodies
from portside.storage.errors import Damaged, StorageUnavailable
from tests.distribution.driver import BARE, V2, Client, Request, authorization_of, client_of, drive, plane_of
from tests.registry.fakes import Blobs, Rows, fail_from, full_disk
from tests.registry.house import ACCOUNT, APP, KEY, REGION, STRANGER, Clock, House, noise

DOMAIN = HostNames("{account}.dkr.ecr.{region}.registry.test", "https", "registry.test")
DIGEST = str(Digest.of(b"{}"))
UPLOAD = f"{V2}/blobs/uploads/00000000-0000-0000-0000-000000000000"

ROUTES = [
    ("GET", "/v2"),
    ("GET", "/v2/"),
    ("GET", "/v2/_catalog"),
    ("GET", f"{V2}/tags/list"),
    ("GET", f"{V2}/manifests/v1"),
    ("PUT", f"{V2}/manifests/v1"),
    ("DELETE", f"{V2}/manifests/v1"),
    ("POST", f"{V2}/blobs/uploads/"),
    ("GET", UPLOAD),
    ("PATCH", UPLOAD),
    ("PUT", UPLOAD),
    ("DELETE", UPLOAD),
    ("GET", f"{V2}/blobs/{DIGEST}"),
    ("GET", "/v2/team/none/blobs/sha256:x"),
    ("TRACE", f"{V2}/manifests/v1"),
]


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_credentials_every_route_gives_the_challenge_of_ecr(
    nobody: Client, method: str, path: str
) -> None:
    answer = await nobody.ask(method, path)
    assert answer.status == 401
    assert answer.body == b"Not Authorized\n"
    assert answer.headers == {
        "content-type": "text/plain; charset=utf-8",
        "docker-distribution-api-version": "registry/2.0",
        "sizes": "",
        "www-authenticate": 'Basic realm="http://localhost:4510/",service="ecr.amazonaws.com"',
        "content-length": "15",
    }


async def test_a_challenge_to_head_has_the_headers_alone(nobody: Client) -> None:
    answer = await nobody.ask("HEAD", f"{V2}/manifests/v1")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (401, b"", "15")


async def test_the_challenge_names_the_host_as_it_was_asked_for(house: House) -> None:
    secure = Client(plane_of(house), None, host='registry.test"x', scheme="https")
    answer = await secure.ask("GET", "/v2/")
    assert answer.headers["www-authenticate"].startswith('Basic realm="https://registry.testx/",')


async def test_a_body_sent_with_bad_credentials_is_not_waited_for(nobody: Client) -> None:
    answer = await nobody.ask("PATCH", UPLOAD, noise(1_000_000), cut=0)
    assert (answer.status, answer.headers["connection"]) == (401, "close")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !",
        "Bearer x",
        "Basic " + b64encode(b"AWS:password").decode(),
        "Basic " + b64encode(b"AWS").decode(),
        "Basic " + "A" * 100_000,
        "AWS4-HMAC-SHA256 Credential=x",
        "Basic \xff",
    ],
    ids=lambda text: text[:20],
)
async def test_useless_credentials_give_the_challenge(house: House, authorization: str) -> None:
    answer = await Client(plane_of(house), authorization).ask("GET", "/v2/")
    assert (answer.status, answer.body) == (401, b"Not Authorized\n")
    assert "www-authenticate" in answer.headers


async def test_another_user_name_gives_the_challenge(house: House) -> None:
    token = await house.registry.callers.issue_token(house.caller, REGION)
    authorization = "Basic " + b64encode(f"aws:{token.password}".encode()).decode()
    assert (await Client(plane_of(house), authorization).ask("GET", "/v2/")).status == 401


async def test_an_expired_token_is_denied_in_the_words_of_ecr_without_a_challenge(house: House) -> None:
    house.clock.forward(-12 * 3600)
    expired = await client_of(house)
    answer = await expired.ask("GET", f"{V2}/manifests/v1")
    assert answer.body == (
        b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired. '
        b'Reauthenticate and try again."}]}\n'
    )
    assert answer.status == 403
    assert "www-authenticate" not in answer.headers
    head = await expired.ask("HEAD", f"{V2}/manifests/v1")
    assert (head.status, head.body) == (403, b"")
    assert "www-authenticate" not in head.headers


async def test_a_token_ends_with_its_key(house: House, client: Client) -> None:
    assert (await client.ask("GET", "/v2/")).status == 200
    async with house.stores.metadata.writing() as unit:
        await unit.access_keys.set_active(KEY, active=False)
    assert (await client.ask("GET", "/v2/")).status == 401


async def test_a_token_is_good_for_the_registry_of_its_region(house: House, client: Client) -> None:
    elsewhere = Client(plane_of(house), await authorization_of(house, "us-east-1"))
    await house.create(RegistryId(ACCOUNT, "us-east-1").repository("only/there"))
    assert (await elsewhere.ask("GET", "/v2/_catalog")).json == {"repositories": ["only/there"]}
    assert (await client.ask("GET", "/v2/_catalog")).json == {"repositories": [APP.name]}


# --- hosts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [f"{ACCOUNT}.dkr.ecr.{REGION}.registry.test", f"api.ecr.{REGION}.registry.test"])
async def test_a_virtual_host_of_the_same_region_is_answered(house: House, host: str) -> None:
    client = await client_of(house, DOMAIN, host)
    assert (await client.ask("GET", "/v2/_catalog")).json == {"repositories": [APP.name]}


@pytest.mark.parametrize("host", [f"{ACCOUNT}.dkr.ecr.us-east-1.registry.test", "ecr.us-east-1.registry.test"])
async def test_a_token_of_another_region_gives_the_challenge(house: House, host: str) -> None:
    client = await client_of(house, DOMAIN, host)
    assert (await client.ask("GET", "/v2/")).status == 401


async def test_the_registry_of_another_account_is_denied(house: House) -> None:
    client = await client_of(house, DOMAIN, f"{STRANGER}.dkr.ecr.{REGION}.registry.test:443")
    assert (await client.ask("GET", f"{V2}/manifests/v1")).error == (
        403,
        "DENIED",
        (
            f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: ecr:BatchGetImage on resource: "
            f"arn:aws:ecr:{REGION}:{STRANGER}:repository/{APP.name} "
            "because no resource-based policy allows the ecr:BatchGetImage action"
        ),
    )


@pytest.mark.parametrize("manners", [OPEN, STRICT], ids=["open", "strict"])
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", f"{V2}/manifests/v1"), ("POST", f"{V2}/blobs/uploads/?digest={DIGEST}")]
)
async def test_whoever_may_not_push_is_told_so_before_the_body_is_waited_for(
    house: House, manners: Manners, method: str, path: str
) -> None:
    client = await client_of(house, DOMAIN, f"{STRANGER}.dkr.ecr.{REGION}.registry.test", manners)
    async with asyncio.timeout(5):
        answer = await client.ask(method, path, b"{", {"Content-Length": "4194304"}, stall=asyncio.Event())
    assert answer.error[:2] == (403, "DENIED")


async def test_whether_a_strangers_repository_exists_cannot_be_told(house: House) -> None:
    client = await client_of(house, DOMAIN, f"{STRANGER}.dkr.ecr.{REGION}.registry.test")
    there, missing = await client.ask("GET", f"{V2}/tags/list"), await client.ask("GET", "/v2/no/such/tags/list")
    assert there.status == missing.status == 403
    assert missing.body.replace(b"no/such", APP.name.encode()) == there.body


# --- tickets ----------------------------------------------------------------------------------------------------------


async def ticket_of(house: House, content: bytes = b"layer") -> str:
    await house.image("v1", config=content)
    return await house.registry.layers.download_ticket(house.caller, APP, Digest.of(content))


async def test_a_ticket_stands_in_for_credentials(house: House, nobody: Client) -> None:
    ticket = await ticket_of(house)
    path = f"{V2}/blobs/{Digest.of(b'layer')}"
    assert (await nobody.ask("GET", path, **{TICKET: ticket})).body == b"layer"
    assert (await nobody.ask("HEAD", path, **{TICKET: ticket})).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V2}/blobs/{DIGEST}"),
        ("GET", f"/v2/team/other/blobs/{Digest.of(b'layer')}"),
        ("GET", f"{V2}/manifests/v1"),
        ("GET", f"{V2}/referrers/{Digest.of(b'layer')}"),
        ("HEAD", f"{V2}/referrers/{Digest.of(b'layer')}"),
        ("GET", f"{V2}/manifests/{Digest.of(b'layer')}"),
        ("DELETE", f"{V2}/blobs/{Digest.of(b'layer')}"),
        ("GET", "/v2/"),
        ("POST", f"{V2}/blobs/uploads/"),
    ],
)
async def test_a_ticket_opens_nothing_else(house: House, nobody: Client, method: str, path: str) -> None:
    ticket = await ticket_of(house)
    assert (await nobody.ask(method, path, **{TICKET: ticket})).status == 401


@pytest.mark.parametrize("ticket", ["", "x", "é", "A" * 10_000])
async def test_a_made_up_ticket_gives_the_challenge(client: Client, ticket: str) -> None:
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST}", **{TICKET: ticket})).status == 401


async def test_a_ticket_is_for_its_region(house: House) -> None:
    ticket = await ticket_of(house)
    elsewhere = Client(plane_of(house, DOMAIN), None, f"{ACCOUNT}.dkr.ecr.us-east-1.registry.test")
    assert (await elsewhere.ask("GET", f"{V2}/blobs/{Digest.of(b'layer')}", **{TICKET: ticket})).status == 401


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v2/x",
        "/v2//",
        "/v2/tags/list",
        "/v2/a/tags/lists",
        "/v2/a/manifests/",
        "/v2/a/blobs/",
        "/v2/a/blobs/uploads/x/y",
        "/v2/a%0A/manifests/x/",
        "/v2/a%0Ab/tags/list",
        f"{V2}/referrers/",
        "/v3/",
    ],
)
async def test_an_unknown_address_is_not_found_in_plain_text(client: Client, nobody: Client, path: str) -> None:
    for anyone in (client, nobody):
        answer = await anyone.ask("GET", path)
        assert (answer.status, answer.body) == (404, b"404 page not found\n")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-length"] == "19"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/"),
        ("DELETE", "/v2/_catalog"),
        ("PUT", f"{V2}/tags/list"),
        ("POST", f"{V2}/manifests/v1"),
        ("PUT", f"{V2}/blobs/{DIGEST}"),
        ("DELETE", f"{V2}/referrers/{DIGEST}"),
        ("POST", UPLOAD),
        ("TRACE", UPLOAD),
        ("get", "/v2/"),
        ("", "/v2/"),
    ],
)
async def test_a_method_that_an_address_lacks_is_unsupported(client: Client, method: str, path: str) -> None:
    answer = await client.ask(method, path)
    assert answer.error == (405, "UNSUPPORTED", "The operation is unsupported.")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/No/manifests/v1", "NAME_INVALID"),
        ("/v2/a//b/manifests/v1", "NAME_INVALID"),
        ("/v2/../../etc/manifests/v1", "NAME_INVALID"),
        ("/v2/%2e%2e/manifests/v1", "NAME_INVALID"),
        ("/v2/a%00b/tags/list", "NAME_INVALID"),
        ("/v2/" + "a" * 257 + "/tags/list", "NAME_INVALID"),
        ("/v2/" + "a/" * 5000 + "b/blobs/" + DIGEST, "NAME_INVALID"),
        (f"{V2}/manifests/-v1", "TAG_INVALID"),
        (f"{V2}/manifests/v%2B1", "TAG_INVALID"),
        (f"{V2}/manifests/" + "v" * 129, "TAG_INVALID"),
        (f"{V2}/manifests/sha256:1", "DIGEST_INVALID"),
        (f"{V2}/manifests/sha256:" + "G" * 64, "DIGEST_INVALID"),
        (f"{V2}/blobs/x", "DIGEST_INVALID"),
        (f"{V2}/blobs/md5:{'0' * 32}", "DIGEST_INVALID"),
        (f"{V2}/blobs/{DIGEST.upper()}", "DIGEST_INVALID"),
    ],
)
async def test_a_malformed_part_of_an_address_is_named(client: Client, path: str, code: str) -> None:
    status, found, message = (await client.ask("GET", path)).error
    assert (status, found) == (400, code)
    assert message.startswith("Invalid parameter at '")


async def test_a_bad_tag_is_bad_to_head_too(client: Client) -> None:
    answer = await client.ask("HEAD", f"{V2}/manifests/a%2Bb")
    assert (answer.status, answer.body) == (400, b"")


async def test_a_percent_encoded_digest_is_a_digest(client: Client) -> None:
    await client.push(b"{}")
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST.replace(':', '%3A')}")).body == b"{}"
    assert (await client.ask("GET", f"{V2}/blobs/{DIGEST.replace(':', '%3a')}")).body == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Content-Length": "x"},
        {"Content-Length": ""},
        {"Content-Length": "-1"},
        {"Content-Length": "+5"},
        {"Content-Length": "1_0"},
        {"Content-Length": "²".encode("latin-1").decode("latin-1")},
        {"Content-Length": "5, 5"},
        {"Content-Length": "9" * 30},
    ],
)
async def test_a_body_of_uncertain_length_is_refused(client: Client, headers: dict[str, str]) -> None:
    answer = await client.ask("PUT", f"{V2}/manifests/v1", b"12345", headers)
    assert answer.headers["connection"] == "close"
    assert answer.error == (400, "UNSUPPORTED", "The headers leave in doubt where the request's body ends.")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_push_to_a_missing_repository_is_told_the_next_command(client: Client, method: str) -> None:
    path = {"POST": "blobs/uploads/", "PUT": "manifests/v1", "PATCH": UPLOAD.removeprefix(V2 + "/")}[method]
    assert (await client.ask(method, f"/v2/team/none/{path}", b"{}")).error == (
        404,
        "NAME_UNKNOWN",
        (
            f"The repository with name 'team/none' does not exist in the registry with id '{ACCOUNT}'. "
            "Create it first: aws ecr create-repository --repository-name team/none"
        ),
    )


@pytest.mark.parametrize("path", ["tags/list", "manifests/v1", f"blobs/{DIGEST}"])
async def test_a_pull_from_a_missing_repository_is_told_the_fact(client: Client, path: str) -> None:
    assert (await client.ask("GET", f"/v2/team/none/{path}")).error == (
        404,
        "NAME_UNKNOWN",
        f"The repository with name 'team/none' does not exist in the registry with id '{ACCOUNT}'",
    )


# --- failures ---------------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_said_plainly(client: Client, blobs: Blobs) -> None:
    blobs.before["write"] = fail_from(1, full_disk())
    content = noise(100_000)
    assert (await client.ask("PUT", await client.begin(), content, digest=str(Digest.of(content)))).error == (
        500,
        "UNKNOWN",
        "The registry has no space left to store this. Free some space and try again.",
    )


async def test_storage_that_does_not_answer_is_worth_another_try(client: Client, rows: Rows) -> None:
    rows.failure = StorageUnavailable("/secret")
    answer = await client.ask("POST", f"{V2}/blobs/uploads/")
    assert answer.error == (503, "UNKNOWN", "The registry cannot reach its storage. Try again.")
    assert answer.headers["retry-after"] == "1"


async def test_a_damaged_manifest_is_said_plainly(house: House, client: Client) -> None:
    await house.image("v1")
    await house.rows("UPDATE manifests SET content = zeroblob(50)")
    assert (await client.ask("GET", f"{V2}/manifests/v1")).error == (
        500,
        "UNKNOWN",
        "The stored content is damaged. Push it again to replace it.",
    )


async def test_what_nobody_foresaw_is_a_server_fault_without_details(
    client: Client, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.failure = ZeroDivisionError("a secret")
    answer = await client.ask("POST", f"{V2}/blobs/uploads/")
    assert answer.error == (500, "UNKNOWN", "The registry failed to answer. Try again.")
    assert "a secret" in capsys.readouterr().out


async def test_a_registry_that_breaks_at_once_is_a_server_fault(house: House) -> None:
    plane = DataPlane(cast("Any", None), BARE, Bodies(1 << 24, 1))
    assert (await drive(plane, Request("GET", "/v2/", headers={"Authorization": "Basic x"}))).status == 500
    assert house


@pytest.mark.parametrize("failure", [full_disk(), Damaged("/secret"), StorageUnavailable("/secret")])
async def test_no_failure_of_storage_shows_its_words(client: Client, rows: Rows, failure: Exception) -> None:
    rows.failure = failure
    assert b"/secret" not in (await client.ask("POST", f"{V2}/blobs/uploads/")).body


def failures(root: type[errors.RegistryError]) -> set[type[errors.RegistryError]]:
    return {root}.union(*(failures(below) for below in root.__subclasses__()))


def test_every_failure_has_a_word_on_this_wire() -> None:
    assert set(WIRE) == failures(errors.RegistryError) - {
        errors.RegistryError,
        errors.AuthenticationError,
        IdentityError,
        KmsFailure,
    }


def test_every_word_is_one_of_the_specification_or_of_ecr() -> None:
    known = {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DENIED",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "TAG_INVALID",
        "TOOMANYREQUESTS",
        "UNAUTHORIZED",
        "UNKNOWN",
        "UNSUPPORTED",
    }
    assert {code for _, code in WIRE.values()} <= known
    assert all(400 <= status < 600 for status, _ in WIRE.values())


async def test_the_principal_is_left_for_the_log(house: House) -> None:
    request = Request("GET", "/v2/", headers={"Authorization": await authorization_of(house)})
    scope = request.scope("http")
    pieces = request.pieces()

    async def send(_: object) -> None:
        return

    await plane_of(house)(scope, pieces.__anext__, send)
    assert scope["state"]["principal"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert isinstance(house.clock, Clock)
