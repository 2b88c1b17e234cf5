from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import structlog
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from portside.aws.ecr import model, operations
from portside.aws.edge import ControlPlane
from portside.aws.protocol.arrival import read_body
from portside.core.errors import BodyTruncated, ContentDamaged, TooManyRequests, Unavailable
from portside.identity import sigv4
from portside.registry.bodies import Bodies
from portside.storage.errors import NoSpace
from tests.aws.fakes import ACCOUNT, HOSTS, KEY, REGION, SECRET, Bench, send

CREDENTIALS = sigv4.Credentials(KEY, SECRET)
TARGET = "AmazonEC2ContainerRegistry_V20150921.ListImages"
LIST = b'{"repositoryName":"team/app"}'


def ask(
    bench: Bench,
    body: bytes = LIST,
    *,
    target: str = TARGET,
    host: str = "localhost:4510",
    region: str = REGION,
    at: datetime | None = None,
    key: sigv4.Credentials = CREDENTIALS,
    **changes: Any,
) -> tuple[int, dict[str, str], Any]:
    """A request signed by us; the parts of the answer."""
    headers = [("host", host), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)]
    bare = sigv4.Request("POST", "/", "", headers, hashlib.sha256(body).hexdigest())
    request = sigv4.sign(bare, key, region=region, service="ecr", at=at or datetime.now(UTC))
    signed = {name.lower(): value for name, value in request.headers}
    status, answered, content = send(
        bench.plane, **{"method": "POST", "headers": {**signed, **changes.pop("headers", {})}, "body": body, **changes}
    )
    return status, answered, json.loads(content)


def failure(bench: Bench, body: bytes = LIST, **changes: Any) -> tuple[int, str, str]:
    status, _, content = ask(bench, body, **changes)
    return status, content["__type"], content["message"]


def test_an_answer_has_its_type_and_a_request_id(bench: Bench) -> None:
    status, headers, content = ask(bench)
    assert (status, content) == (200, {"imageIds": []})
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert len(headers["x-amzn-requestid"]) == 36
    assert "x-amzn-errortype" not in headers


def test_an_error_says_its_type_twice(bench: Bench) -> None:
    status, headers, content = ask(bench, b"{}")
    assert (status, headers["x-amzn-errortype"]) == (400, "InvalidParameterException")
    assert content == {
        "__type": "InvalidParameterException",
        "message": ("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'Member must not be null'"),
    }


def test_a_null_character_is_an_invalid_parameter_of_its_member(bench: Bench) -> None:
    body = b'{"repositoryName":"team/app","encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"alias/\\u0000"}}'
    assert failure(bench, body, target=TARGET.replace("ListImages", "CreateRepository")) == (
        400,
        "InvalidParameterException",
        (
            "Invalid parameter at 'encryptionConfiguration.kmsKey' failed to satisfy constraint: "
            "'Member must not contain a null character'"
        ),
    )


def test_the_circumstances_are_handed_on(bench: Bench) -> None:
    ask(bench, headers={"user-agent": "aws-cli/2"}, scheme="https")
    [seen] = bench.callers.seen
    assert (seen.source_ip, seen.secure, seen.user_agent) == ("192.0.2.7", True, "aws-cli/2")
    assert abs(seen.at / 1_000_000 - datetime.now(UTC).timestamp()) < 5


# --- who asks comes first -------------------------------------------------------------------------------------------


def test_a_stranger_is_told_nothing_of_how_requests_are_judged(bench: Bench) -> None:
    wrong = sigv4.Credentials(KEY, "wrong")
    for body in (b"{}", b"[", LIST):
        assert failure(bench, body, key=wrong)[:2] == (400, "InvalidSignatureException")
    assert failure(bench, key=wrong, target=TARGET.replace("ListImages", "PutRegistryPolicy"))[:2] == (
        400,
        "InvalidSignatureException",
    )


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"key": sigv4.Credentials("AKIAUNKNOWN", SECRET)}, "UnrecognizedClientException", "The security token"),
        ({"headers": {"authorization": "Basic QVdTOng="}}, "IncompleteSignatureException", "Algorithm must start"),
        ({"headers": {"authorization": "AWS4-HMAC-SHA256 x"}}, "IncompleteSignatureException", "Invalid key=value"),
        ({"headers": {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}, "InvalidSignatureException", ""),
        ({"at": datetime.now(UTC) - timedelta(hours=1)}, "InvalidSignatureException", "Signature expired: "),
        ({"at": datetime.now(UTC) + timedelta(hours=1)}, "InvalidSignatureException", "Signature not yet current: "),
        (
            {"region": "ap-south-1"},
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'ap-south-1'. ",
        ),
    ],
)
def test_who_asks_must_be_established(bench: Bench, changes: dict[str, Any], kind: str, words: str) -> None:
    status, found, message = failure(bench, **changes)
    assert (status, found) == (400, kind)
    assert message.startswith(words)


def test_no_credentials_at_all(bench: Bench) -> None:
    status, _, content = send(bench.plane, "POST", headers={"host": "localhost", "x-amz-target": TARGET}, body=LIST)
    assert status == 400
    assert json.loads(content) == {
        "__type": "MissingAuthenticationTokenException",
        "message": "Missing Authentication Token",
    }


def test_a_changed_body_is_refused(bench: Bench) -> None:
    status, _, content = ask(bench, pieces=[{"type": "http.request", "body": LIST.replace(b"app", b"bpp")}])
    assert (status, content["__type"]) == (400, "InvalidSignatureException")


def test_json_takes_no_presigned_requests(bench: Bench) -> None:
    headers = [("host", "localhost:4510"), ("x-amz-target", TARGET)]
    bare = sigv4.Request("POST", "/", "", headers, hashlib.sha256(LIST).hexdigest())
    request = sigv4.presign(bare, CREDENTIALS, region=REGION, service="ecr", at=datetime.now(UTC), expires=60)
    status, _, content = send(bench.plane, "POST", query=request.query, headers=dict(headers), body=LIST)
    assert (status, json.loads(content)["__type"]) == (400, "MissingAuthenticationTokenException")


# --- regions and hosts ----------------------------------------------------------------------------------------------


def test_the_region_is_the_signatures(bench: Bench) -> None:
    ask(bench, region="us-west-2")
    ask(bench, host="api.ecr.us-west-2.registry.test", region="us-west-2")
    assert [repository.region for repository, _ in bench.images.asked] == ["us-west-2", "us-west-2"]


@pytest.mark.parametrize("host", ["api.ecr.us-west-2.registry.test", f"{ACCOUNT}.dkr.ecr.ap-south-1.registry.test:443"])
def test_a_virtual_host_speaks_for_one_region(bench: Bench, host: str) -> None:
    assert failure(bench, host=host)[2] == f"Credential should be scoped to a valid region, not '{REGION}'. "


# --- operations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(model.OPERATIONS.keys() - operations.HANDLERS.keys()))
def test_an_operation_without_a_handler_is_not_implemented_by_name(bench: Bench, name: str) -> None:
    found = failure(bench, target=f"{model.TARGET_PREFIX}.{name}")
    assert found == (400, "UnsupportedOperationException", f"Portside does not implement the operation {name} yet.")


def test_every_handler_belongs_to_the_model_and_is_counted() -> None:
    assert operations.HANDLERS.keys() <= model.OPERATIONS.keys()
    # The project's progress: this number only rises.
    assert len(operations.HANDLERS) >= 16


@pytest.mark.parametrize("target", ["ListImages", "DynamoDB_20120810.ListTables", f"{model.TARGET_PREFIX}.Nothing", ""])
def test_what_ecr_does_not_have_is_unknown(bench: Bench, target: str) -> None:
    assert failure(bench, target=target)[:2] == (404, "UnknownOperationException")


def test_a_get_of_nothing_is_unknown_and_other_methods_are_malformed(bench: Bench) -> None:
    status, _, content = send(bench.plane, "GET", headers={"host": "localhost"})
    assert (status, json.loads(content)["__type"]) == (404, "UnknownOperationException")
    assert failure(bench, method="PUT")[:2] == (400, "MalformedHttpRequestException")


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_a_body_may_come_in_pieces(bench: Bench) -> None:
    pieces = [{"type": "http.request", "body": LIST[at : at + 5], "more_body": True} for at in range(0, len(LIST), 5)]
    assert ask(bench, pieces=[*pieces, {"type": "http.request"}])[0] == 200


def test_a_body_that_stops_short_is_an_error(bench: Bench) -> None:
    pieces = [{"type": "http.request", "body": LIST, "more_body": True}, {"type": "http.disconnect"}]
    status, headers, content = ask(bench, pieces=pieces)
    assert (status, content["__type"], headers["connection"]) == (400, "RequestAbortedException", "close")


@pytest.mark.parametrize(
    ("operation", "mebibytes"), [("ListImages", 1), ("PutImage", 16), ("UploadLayerPart", 28), ("TagResource", 1)]
)
def test_a_body_has_a_limit(bench: Bench, operation: str, mebibytes: int) -> None:
    limit = mebibytes * 1024 * 1024
    target = f"{model.TARGET_PREFIX}.{operation}"
    announced = failure(bench, target=target, headers={"content-length": str(limit + 1)}, pieces=[])
    assert announced[:2] == (413, "RequestEntityTooLargeException")
    pieces = [{"type": "http.request", "body": b" " * 1024 * 1024, "more_body": True} for _ in range(mebibytes + 1)]
    assert failure(bench, target=target, pieces=pieces)[:2] == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "29", "transfer-encoding": "chunked"},
        {"content-length": "-1"},
        {"content-length": "9" * 5000},
        {"content-length": "²"},
    ],
)
def test_a_body_with_a_doubtful_length_is_refused(bench: Bench, headers: dict[str, str]) -> None:
    assert failure(bench, headers=headers)[:2] == (400, "SerializationException")


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(BodyTruncated):
        await read_body(receive, None, 1024, patience=0.02)


async def test_a_stranger_holds_little_and_a_proven_sender_is_served_meanwhile() -> None:
    """Whoever knows an access key id and not its secret can make the server hold a quarter of its memory, no more."""
    bench = Bench()
    bench.plane = ControlPlane(bench.registry, HOSTS, frozenset({REGION}), Bodies(4 * 1024 * 1024, 0.2))
    await signed(bench, LIST, "192.0.2.7")
    large = LIST + b" " * 600_000
    silent = asyncio.create_task(signed(bench, large, "203.0.113.9", whole=False))
    await asyncio.sleep(0)
    assert await signed(bench, large, "203.0.113.9") == (400, "ThrottlingException")
    assert await signed(bench, large, "192.0.2.7") == (200, "")
    assert await signed(bench, LIST, "198.51.100.1") == (200, "")
    silent.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await silent


async def signed(bench: Bench, body: bytes, address: str, *, whole: bool = True) -> tuple[int, str]:
    """A signed request from an address, of whose body the end never comes unless it is whole; status and error."""
    headers = [("host", "localhost:4510"), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", TARGET)]
    bare = sigv4.Request("POST", "/", "", headers, hashlib.sha256(body).hexdigest())
    request = sigv4.sign(bare, CREDENTIALS, region=REGION, service="ecr", at=datetime.now(UTC))
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers]
        + [(b"content-length", str(len(body)).encode())],
        "client": (address, 40000),
    }
    pieces, sent = [{"type": "http.request", "body": body, "more_body": not whole}], list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()
        return pieces.pop()

    async def take(message: dict[str, Any]) -> None:
        sent.append(message)

    await bench.plane(scope, receive, take)
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"x-amzn-errortype", b"").decode()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x-amz-target": TARGET}, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
        ({"content-type": "application/x-www-form-urlencoded"}, b"<Code>Throttling</Code>"),
    ],
)
async def test_one_that_has_no_room_is_told_to_come_again(bench: Bench, headers: dict[str, str], words: bytes) -> None:
    sent: list[dict[str, Any]] = []

    async def take(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await bench.plane.refuse(scope, TooManyRequests(), take)
    assert sent[0]["status"] == 400
    assert words in sent[1]["body"]


# --- what goes wrong on our side ------------------------------------------------------------------------------------


def test_the_unforeseen_is_told_in_general_words_and_logged_with_its_request(bench: Bench) -> None:
    bench.images.described = None  # type: ignore[assignment]
    structlog.reset_defaults()
    with capture_logs() as logs:
        status, headers, content = ask(bench, target=TARGET.replace("ListImages", "DescribeImages"))
    assert (status, content["__type"]) == (500, "ServerException")
    assert content["message"] == "The registry failed to answer. Try again."
    [log] = logs
    assert log["request_id"] == headers["x-amzn-requestid"]
    assert "AttributeError" in log["traceback"]
    assert SECRET not in str(logs)
    assert "Signature=" not in str(logs)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Unavailable(), 503, "ServiceUnavailable"),
        (ContentDamaged(), 500, "ServerException"),
        (NoSpace("disk"), 500, "ServerException"),
    ],
)
def test_storages_failures_are_told_and_logged(bench: Bench, error: Exception, status: int, kind: str) -> None:
    bench.images.failure = error
    with capture_logs() as logs:
        body = b'{"repositoryName":"team/app","imageManifest":"{}"}'
        assert failure(bench, body, target=TARGET.replace("ListImages", "PutImage"))[:2] == (status, kind)
    assert len(logs) == 1


# --- STS ------------------------------------------------------------------------------------------------------------

NAMESPACE = {"sts": "https://sts.amazonaws.com/doc/2011-06-15/"}


@pytest.mark.parametrize("region", [REGION, "us-east-1"])
def test_who_am_i(bench: Bench, region: str) -> None:
    answer = bench.client("sts", region_name=region).get_caller_identity()
    assert (answer["Account"], answer["Arn"], answer["UserId"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)


def test_who_am_i_by_a_presigned_address(bench: Bench) -> None:
    headers = [("host", "localhost:4510"), ("x-k8s-aws-id", "cluster")]
    bare = sigv4.Request(
        "GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers, hashlib.sha256(b"").hexdigest()
    )
    request = sigv4.presign(bare, CREDENTIALS, region=REGION, service="sts", at=datetime.now(UTC), expires=60)
    status, answered, content = send(bench.plane, "GET", query=request.query, headers=dict(headers))
    assert (status, answered["content-type"]) == (200, "text/xml")
    assert ET.fromstring(content).findtext("sts:GetCallerIdentityResult/sts:Account", None, NAMESPACE) == ACCOUNT
    changed = request.query.replace("GetCallerIdentity", "GetSessionToken")
    status, _, content = send(bench.plane, "GET", query=changed, headers=dict(headers))
    assert status == 403
    assert ET.fromstring(content).findtext("sts:Error/sts:Code", None, NAMESPACE) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"aws_access_key_id": "AKIAUNKNOWN"}, 403, "InvalidClientTokenId"),
        ({"aws_secret_access_key": "wrong"}, 403, "SignatureDoesNotMatch"),
        ({"region_name": "ap-south-1"}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_sts_refuses_in_its_own_words(bench: Bench, changes: dict[str, Any], status: int, code: str) -> None:
    with pytest.raises(ClientError) as found:
        bench.client("sts", **changes).get_caller_identity()
    assert found.value.response["Error"]["Code"] == code
    assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert found.value.response["ResponseMetadata"]["RequestId"]


def test_other_query_operations_are_named_as_missing_once_the_caller_is_known(bench: Bench) -> None:
    for service, call in (("sts", "get_delegated_access_token"), ("iam", "list_server_certificates")):
        with pytest.raises(ClientError, match="does not implement the operation") as found:
            getattr(bench.client(service), call)(**({"TradeInToken": "x"} if service == "sts" else {}))
        assert found.value.response["Error"]["Code"] == "UnsupportedOperation"
    with pytest.raises(ClientError) as found:
        bench.client("iam", aws_secret_access_key="wrong").list_users()
    assert found.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_an_unsigned_form_is_missing_its_token(bench: Bench) -> None:
    headers = {"host": "localhost", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    status, _, content = send(bench.plane, "POST", headers=headers, body=body)
    assert status == 403
    error = ET.fromstring(content).find("sts:Error", NAMESPACE)
    assert error is not None
    assert [part.text for part in error] == [
        "Sender",
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
    ]
