"""Every constraint of the service model, broken one at a time in requests to every operation that has a handler.

The requests are made from the model alone, so that an operation is tried as soon as it is carried out. What the model
allows is never called invalid; what it does not allow is refused as AWS refuses it, and the message says where it was.
"""

from __future__ import annotations

import json
import re
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import boto3
import botocore.loaders
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from portside.aws.ecr.operations import HANDLERS
from tests.clients import images
from tests.wire.ecr.conftest import DATABASES, options
from tests.wire.people import document
from tests.wire.server import REGION, RunningRegistry, serve

LOADER: Any = botocore.loaders.Loader()
MODEL: dict[str, Any] = LOADER.load_service_model("ecr", "service-2")
SHAPES: dict[str, dict[str, Any]] = MODEL["shapes"]
WIDTHS = {"integer": 31, "long": 63}

INVALID = "InvalidParameterException"
UNREADABLE = "SerializationException"

ACCOUNT = "111122223333"
REPOSITORY = "model/app"
DIGEST = f"sha256:{'0' * 64}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/somebody"
MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": images.OCI.manifest,
    "config": {"mediaType": images.OCI.config, "digest": DIGEST, "size": 1},
    "layers": [],
}
EXPIRY = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
LIFECYCLE = json.dumps({"rules": [{"rulePriority": 1, "selection": EXPIRY, "action": {"type": "expire"}}]})

EXAMPLES: dict[str, Any] = {
    "AccountSettingName": "BLOB_MOUNTING",
    "AccountSettingValue": "ENABLED",
    "Arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}",
    "BatchedOperationLayerDigest": DIGEST,
    "CustomRoleArn": ROLE,
    # The others find the repository that this one would remove.
    "DeleteRepositoryRequest": {"repositoryName": "model/missing"},
    "ImageDigest": DIGEST,
    # The model lets both be left out; the operations do not.
    "ImageIdentifier": {"imageTag": "latest"},
    "ImageManifest": json.dumps(MANIFEST),
    "LifecyclePolicyText": LIFECYCLE,
    "LifecyclePolicyTextForRepositoryCreationTemplate": LIFECYCLE,
    "MediaType": images.OCI.manifest,
    "RegistryPolicyText": document(
        "ecr:ReplicateImage", Resource=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*", Principal={"AWS": ACCOUNT}
    ),
    "RepositoryPolicyText": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "ecr:BatchGetImage"}],
        }
    ),
    # Short, because the model's own pattern backtracks without end on what it does not match.
    "ScanningRepositoryFilterValue": "app-*",
    "Url": "public.ecr.aws",
}
PATTERNED = (
    REPOSITORY,
    ACCOUNT,
    DIGEST,
    "6d5e2a10-3f0b-4c55-9a4c-000000000001",
    "eu-west-1",
    ROLE,
    f"arn:aws:kms:{REGION}:{ACCOUNT}:key/some",
    f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/some",
    f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/some",
)
COMPANIONS: dict[str, dict[str, Any]] = {
    "kmsKey": {"encryptionType": "KMS"},
    "imageTagMutabilityExclusionFilters": {"imageTagMutability": "MUTABLE_WITH_EXCLUSION"},
}
REFUSED_ALL_THE_SAME = {
    "nextToken": "only the answer with the page before gives one",
}
"""Optional members whose allowed values may be InvalidParameterException, and why."""
PASSING = "LifecyclePolicyPreviewInProgressException"
"""The answer as long as the request before is being carried out."""

JSON: dict[str, Any] = {
    "an object": {"text": "text"},
    "a list": ["text"],
    "a string": "text",
    "a number": 7,
    "a boolean": True,
}
OWN = {
    "structure": "an object",
    "list": "a list",
    "string": "a string",
    "blob": "a string",
    "integer": "a number",
    "long": "a number",
    "boolean": "a boolean",
}
UNFIT: dict[str, dict[str, Any]] = {
    "integer": {"a fraction": 1.5},
    "long": {"a fraction": 1.5},
    "blob": {"no base64": "%%%%", "base64 that is cut short": "AAA"},
}
"""Values of the right JSON type that cannot be read as the model's."""


class Answer(NamedTuple):
    """What came back: the names of its members, or the error's type and sentence."""

    status: int
    error: str
    told: str


class Fault(NamedTuple):
    """A request that is wrong in one place."""

    what: str
    path: str
    request: Any
    error: str
    by_boto3: bool
    """Whether boto3 would send it when it is told not to look."""


@dataclass(frozen=True)
class Site:
    """A place in an operation's request."""

    path: str
    shape: str
    within: Callable[[Any], Any]
    """Gives a request that is as small as can be and has some value here."""
    optional: bool = False

    @property
    def model(self) -> dict[str, Any]:
        """What may stand here."""
        return SHAPES[self.shape]

    def member(self, name: str) -> Site:
        """The place of a structure's member."""
        given = {**example(self.shape), **COMPANIONS.get(name, {})}
        return Site(
            f"{self.path}.{name}" if self.path else name,
            self.model["members"][name]["shape"],
            lambda value: self.within({**given, name: value}),
            name not in self.model.get("required", ()),
        )

    def item(self) -> Site:
        """The place of a list's first item."""
        return Site(f"{self.path}.1.member", self.model["member"]["shape"], lambda value: self.within([value]))


class Caller:
    """The root user, by boto3 and by signed requests of his own making."""

    def __init__(self, registry: RunningRegistry) -> None:
        key, secret = (registry.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        self._url = f"{registry.url}/"
        self._signer: Any = SigV4Auth(Credentials(key, secret), "ecr", REGION)
        # Head and body are two segments; without this the second waits until the first is acknowledged.
        self._session: Any = URLLib3Session(socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
        self._ecr = cast("Any", boto3).client(
            "ecr",
            endpoint_url=registry.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )
        self._methods = {name: method for method, name in self._ecr.meta.method_to_api_mapping.items()}

    def by_boto3(self, operation: str, members: dict[str, Any]) -> Answer:
        """Call a method of the client."""
        try:
            found = getattr(self._ecr, self._methods[operation])(**members)
        except ClientError as refusal:
            response = cast("dict[str, Any]", refusal.response)
            error, status = response["Error"], response["ResponseMetadata"]["HTTPStatusCode"]
            return Answer(status, error["Code"], error["Message"])
        return Answer(found["ResponseMetadata"]["HTTPStatusCode"], "", " ".join(sorted(found)))

    def by_hand(self, operation: str, content: Any) -> Answer:
        """Send any JSON."""
        body = json.dumps(content, default=lambda blob: b64encode(blob).decode())
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{MODEL['metadata']['targetPrefix']}.{operation}",
        }
        request: Any = AWSRequest("POST", self._url, headers, body.encode())
        self._signer.add_auth(request)
        answer = self._session.send(request.prepare())
        found = json.loads(answer.content)
        return Answer(answer.status_code, found.get("__type", ""), found.get("message", " ".join(sorted(found))))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._ecr.close()


@pytest.fixture(scope="module", params=DATABASES)
def caller(request: pytest.FixtureRequest, state: Path) -> Iterator[Caller]:
    folder = state / f"model-constraints-{request.param}"
    folder.mkdir(mode=0o700)
    with serve(folder, "--account", ACCOUNT, *options(request.param, request)) as registry:
        registry.create(REPOSITORY)
        found = Caller(registry)
        yield found
        found.close()


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_what_the_model_allows_is_not_called_invalid(operation: str, caller: Caller) -> None:
    others = {"", *(error["shape"] for error in MODEL["operations"][operation]["errors"])} - {INVALID}
    surprises: list[str] = []
    for site in sites(operation):
        if site.optional or not site.path:
            allowed = others | {INVALID} if site.path in REFUSED_ALL_THE_SAME else others
            answer = caller.by_boto3(operation, site.within(example(site.shape)))
            if answer.error not in allowed or answer.status not in {200, 400}:
                surprises.append(f"{site.path or 'what is required'}: {answer}")
    assert not surprises, "\n".join(surprises)


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_what_the_model_does_not_allow_is_refused_and_the_member_named(operation: str, caller: Caller) -> None:
    surprises: list[str] = []
    for fault in faults(operation):
        send = caller.by_boto3 if fault.by_boto3 else caller.by_hand
        answer = send(operation, fault.request)
        # ECR writes some members with a capital (ecr-behaviour 0.2), and names none whose JSON it cannot read.
        named = fault.error == UNREADABLE or f"'{fault.path}'".lower() in answer.told.lower()
        if answer[:2] != (400, fault.error) or not answer.told or not named:
            surprises.append(f"{fault.what} at '{fault.path}' is no {fault.error}: {answer}")
    assert not surprises, "\n".join(surprises)


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_members_that_are_unknown_or_null_are_as_if_they_were_left_out(operation: str, caller: Caller) -> None:
    # What the first request makes or removes is there or gone for all that are compared.
    caller.by_hand(operation, example(_input(operation)))
    surprises: list[str] = []
    for site in sites(operation):
        if site.model["type"] != "structure":
            continue
        least = example(site.shape)
        expected = caller.by_hand(operation, site.within(least))
        left_out = site.model["members"].keys() - least.keys()
        for name, value in (("noSuchMember", {"deep": [1]}), *((name, None) for name in sorted(left_out))):
            answer = caller.by_hand(operation, site.within({**least, name: value}))
            if answer != expected and PASSING not in {answer.error, expected.error}:
                surprises.append(f"{name} in '{site.path}': {answer}, not {expected}")
    assert not surprises, "\n".join(surprises)


def sites(operation: str) -> Iterator[Site]:
    """Every place in an operation's request."""
    waiting = [Site("", _input(operation), lambda value: value)]
    while waiting:
        site = waiting.pop()
        yield site
        waiting.extend(site.member(name) for name in site.model.get("members", ()))
        if site.model["type"] == "list":
            waiting.append(site.item())


def faults(operation: str) -> Iterator[Fault]:
    """Every request that is wrong in one place."""
    for site in sites(operation):
        for what, value in out_of_bounds(site.shape):
            yield Fault(what, site.path, site.within(value), INVALID, by_boto3=True)
        for what, value in misread(site.shape):
            yield Fault(what, site.path, site.within(value), UNREADABLE, by_boto3=False)
        for name in site.model.get("required", ()):
            least, path = example(site.shape), site.member(name).path
            rest = {other: least[other] for other in least if other != name}
            yield Fault("nothing", path, site.within(rest), INVALID, by_boto3=True)
            yield Fault("null", path, site.within({**least, name: None}), INVALID, by_boto3=False)
        if site.model["type"] == "list":
            yield Fault("null", site.item().path, site.within([None]), INVALID, by_boto3=False)


def out_of_bounds(name: str) -> Iterator[tuple[str, Any]]:
    """Values of the right type that a shape does not allow."""
    shape, fine = SHAPES[name], example(name)
    if shape["type"] in WIDTHS:
        limit = 2 ** WIDTHS[shape["type"]]
        yield "less than the least", shape.get("min", -limit) - 1
        yield "more than the most", shape.get("max", limit - 1) + 1
        return
    if shape.get("min", 0):
        yield "too little", _resized(fine, shape["min"] - 1)
    if "max" in shape:
        yield "too much", _resized(fine, shape["max"] + 1)
    if "enum" in shape:
        for value in ("", "NO_SUCH_VALUE", fine.swapcase(), f"{fine}\n"):
            assert value not in shape["enum"]
            yield f"{value!r}", value
    if "pattern" in shape:
        yield from ((f"{value!r}", value) for value in _misfits(shape, fine))


def misread(name: str) -> Iterator[tuple[str, Any]]:
    """Values that cannot be read as a shape's type."""
    kind = SHAPES[name]["type"]
    yield from ((what, value) for what, value in JSON.items() if what != OWN[kind])
    yield from UNFIT.get(kind, {}).items()


def example(name: str) -> Any:
    """A value that a shape allows, with no more in it than it must have."""
    if name in EXAMPLES:
        return EXAMPLES[name]
    shape = SHAPES[name]
    match shape["type"]:
        case "structure":
            found: Any = {member: example(shape["members"][member]["shape"]) for member in shape.get("required", ())}
        case "list":
            found = [example(shape["member"]["shape"])]
        case "string":
            found = shape["enum"][0] if "enum" in shape else _text(name)
        case "blob":
            found = b"x"
        case "boolean":
            found = False
        case _:
            found = shape.get("min", 0)
    return found


def _input(operation: str) -> str:
    return MODEL["operations"][operation]["input"]["shape"]


def _text(name: str) -> str:
    shape = SHAPES[name]
    if "pattern" not in shape:
        return "x" * max(shape.get("min", 0), 1)
    fitting = [text for text in PATTERNED if _is_as_long_as(shape, text) and _fits(shape, text)]
    assert fitting, f"{name} needs an example: {shape}"
    return fitting[0]


def _misfits(shape: dict[str, Any], fine: str) -> list[str]:
    """Texts of an allowed length that a pattern does not match, some of them nearly."""
    near = (f"{fine}\n", f" {fine}", f"{fine[:-1]}!", f"{fine[:-1]}\N{ARABIC-INDIC DIGIT THREE}", f"{fine[:-1]}é")
    found = [text for text in near if _is_as_long_as(shape, text) and not _fits(shape, text)]
    assert found, f"nothing breaks {shape}"
    return found


def _is_as_long_as(shape: dict[str, Any], text: str) -> bool:
    return shape.get("min", 0) <= len(text) <= shape.get("max", len(text))


def _fits(shape: dict[str, Any], text: str) -> bool:
    # The model's patterns are Java's, whose classes mean ASCII.
    return re.fullmatch(shape["pattern"], text, re.ASCII) is not None


def _resized(value: Any, length: int) -> Any:
    return value[:length] + value[-1:] * (length - len(value))
