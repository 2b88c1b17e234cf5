"""A registry that does as it is told, and boto3 clients that reach the control plane without a socket.

Requests are signed, and answers and errors parsed, by botocore itself.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from portside.aws.edge import ControlPlane
from portside.core.digest import Digest
from portside.core.errors import SecurityTokenInvalid
from portside.core.hosts import HostNames
from portside.core.names import ImageId, RegistryId, RepositoryId, Tag
from portside.core.records import Image, Layer, Repository, RepositorySettings, Upload
from portside.identity import sigv4
from portside.identity.caller import Caller, Circumstances, Principal
from portside.registry.bodies import Bodies
from portside.registry.callers import RegistryToken
from portside.registry.listing import Listing
from portside.registry.outcomes import ImageFailure, Pushed, StoredImage
from portside.registry.uploads import Completed

ACCOUNT = "123456789012"
REGION = "eu-west-1"
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ENDPOINT = "http://localhost:4510"
HOSTS = HostNames("localhost:4510", "http", "registry.test")
TEAM = RegistryId(ACCOUNT, REGION).repository("team/app")
DIGEST = Digest.of(b"manifest")
AT = 1_790_000_000_250_000
_SESSION = boto3.session.Session()


def image(**changes: Any) -> Image:
    return Image(
        **{
            "digest": DIGEST,
            "media_type": "application/vnd.oci.image.manifest.v1+json",
            "artifact_type": "application/vnd.oci.image.config.v1+json",
            "subject": None,
            "size": 8,
            "content_size": 1234,
            "pushed_at": AT,
            "last_pull_at": None,
            "tags": (Tag("v1"), Tag("v2")),
            **changes,
        }
    )


class FakeCallers:
    """One account, one key; the signature is checked for real."""

    def __init__(self) -> None:
        self.seen: list[Circumstances] = []

    async def admit(
        self,
        request: sigv4.Request,
        authorization: sigv4.Authorization,
        circumstances: Circumstances,
        *,
        services: frozenset[str],
        regions: frozenset[str],
    ) -> None:
        if authorization.access_key != KEY:
            raise SecurityTokenInvalid
        now = datetime.fromtimestamp(circumstances.at / 1_000_000, UTC)
        sigv4.check(request, authorization, now=now, services=services, regions=regions)

    async def by_signature(
        self,
        request: sigv4.Request,
        authorization: sigv4.Authorization,
        circumstances: Circumstances,
        *,
        services: frozenset[str],
        regions: frozenset[str],
    ) -> Caller:
        self.seen.append(circumstances)
        now = datetime.fromtimestamp(circumstances.at / 1_000_000, UTC)
        sigv4.verify(request, authorization, SECRET, now=now, services=services, regions=regions)
        if authorization.access_key != KEY:
            raise SecurityTokenInvalid
        return Caller(Principal.root(ACCOUNT, KEY), circumstances)

    async def issue_token(self, caller: Caller, region: str) -> RegistryToken:
        return RegistryToken(f"password of {caller.principal.account} in {region}", AT)

    async def identify(self, caller: Caller) -> Principal:
        return caller.principal


@dataclass
class FakeRepositories:
    """Remembers what it was asked; gives `found`, or raises `failure`."""

    found: list[Repository] = field(default_factory=list[Repository])
    next_token: str | None = None
    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    def _answer(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.failure is not None:
            raise self.failure

    async def create(self, caller: Caller, repository: RepositoryId, settings: RepositorySettings) -> Repository:
        self._answer(repository, settings)
        del caller
        return Repository(7, repository, settings, "key", AT)

    async def describe(
        self, caller: Caller, registry: RegistryId, names: Sequence[str], *, limit: int, token: str | None
    ) -> Listing[Repository]:
        self._answer(registry, list(names), limit, token)
        del caller
        return Listing(self.found, self.next_token)

    async def delete(self, caller: Caller, repository: RepositoryId, *, force: bool) -> Repository:
        self._answer(repository, force)
        del caller
        return Repository(7, repository, RepositorySettings(), "key", AT)


@dataclass
class FakeImages:
    """Remembers what it was asked; gives what it was set to give."""

    pushed: Pushed = field(default_factory=lambda: Pushed(image(), changed=True))
    stored: list[StoredImage | ImageFailure] = field(default_factory=list[StoredImage | ImageFailure])
    removed: tuple[list[ImageId], list[ImageFailure]] = ([], [])
    listed: Listing[ImageId] = field(default_factory=lambda: Listing([], None))
    described: Listing[Image] = field(default_factory=lambda: Listing([image()], None))
    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    async def put(self, caller: Caller, repository: RepositoryId, content: bytes, **wanted: Any) -> Pushed:
        del caller
        self.asked.append((repository, content, wanted))
        if self.failure is not None:
            raise self.failure
        return self.pushed

    async def get_many(
        self, caller: Caller, repository: RepositoryId, wanted: Sequence[ImageId], accepted: Sequence[str]
    ) -> list[StoredImage | ImageFailure]:
        del caller
        self.asked.append((repository, list(wanted), list(accepted)))
        return self.stored

    async def delete_many(
        self, caller: Caller, repository: RepositoryId, wanted: Sequence[ImageId]
    ) -> tuple[list[ImageId], list[ImageFailure]]:
        del caller
        self.asked.append((repository, list(wanted)))
        return self.removed

    async def identifiers(self, caller: Caller, repository: RepositoryId, **wanted: Any) -> Listing[ImageId]:
        del caller
        self.asked.append((repository, wanted))
        return self.listed

    async def describe(
        self, caller: Caller, repository: RepositoryId, ids: Sequence[ImageId], **wanted: Any
    ) -> Listing[Image]:
        del caller
        self.asked.append((repository, list(ids), wanted))
        return self.described


@dataclass
class FakeLayers:
    """Holds some layers."""

    held: dict[Digest, Layer] = field(default_factory=dict[Digest, Layer])
    failure: Exception | None = None

    async def availability(
        self, caller: Caller, repository: RepositoryId, digests: Sequence[Digest]
    ) -> list[Layer | None]:
        del caller, repository
        return [self.held.get(digest) for digest in digests]

    async def download_ticket(self, caller: Caller, repository: RepositoryId, digest: Digest) -> str:
        del caller, repository, digest
        if self.failure is not None:
            raise self.failure
        return "a+ticket"


UPLOAD = "6d5e2a10-3f0b-4c55-9a4c-000000000001"


@dataclass
class FakeUploads:
    """One upload, whose bytes it keeps."""

    content: bytearray = field(default_factory=bytearray)
    existed: bool = False
    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    async def begin(self, caller: Caller, repository: RepositoryId) -> Upload:
        del caller
        self.asked.append(repository)
        return self._upload()

    async def receive(
        self, caller: Caller, repository: RepositoryId, upload: str, body: AsyncIterable[bytes], **said: Any
    ) -> Upload:
        del caller, repository
        self.asked.append((upload, said))
        if self.failure is not None:
            raise self.failure
        async for piece in body:
            self.content += piece
        return self._upload()

    async def complete(
        self, caller: Caller, repository: RepositoryId, upload: str, digests: Sequence[Digest], **said: Any
    ) -> Completed:
        del caller, repository
        self.asked.append((upload, list(digests), said))
        return Completed(digests[0], len(self.content), existed=self.existed)

    def _upload(self) -> Upload:
        return Upload(id=UPLOAD, repository_key=7, location="there", started_at=AT, received=len(self.content))


@dataclass
class FakeSettings:
    """One setting, whatever its name."""

    value: str = "DISABLED"
    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    async def get(self, caller: Caller, registry: RegistryId, name: str) -> str:
        del caller
        self.asked.append((registry, name))
        return self.value

    async def put(self, caller: Caller, registry: RegistryId, name: str, value: str) -> None:
        del caller
        self.asked.append((registry, name, value))
        if self.failure is not None:
            raise self.failure
        self.value = value


@dataclass
class FakeStorageClasses:
    """Remembers what it was asked; archives and restores everything, or raises `failure`."""

    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    async def update(
        self, caller: Caller, repository: RepositoryId, asked: ImageId, target: str
    ) -> tuple[ImageId, str]:
        del caller
        self.asked.append((repository, asked, target))
        if self.failure is not None:
            raise self.failure
        return ImageId(asked.tag, DIGEST), "ARCHIVED" if target == "ARCHIVE" else "ACTIVATING"


class Bench:
    """A control plane before a fake registry, and clients of it."""

    def __init__(self) -> None:
        self.callers = FakeCallers()
        self.repositories = FakeRepositories()
        self.images = FakeImages()
        self.storage_classes = FakeStorageClasses()
        self.layers = FakeLayers()
        self.uploads = FakeUploads()
        self.settings = FakeSettings()
        self.registry: Any = SimpleNamespace(
            callers=self.callers,
            repositories=self.repositories,
            images=self.images,
            storage_classes=self.storage_classes,
            layers=self.layers,
            uploads=self.uploads,
            settings=self.settings,
        )
        self.plane = ControlPlane(self.registry, HOSTS, frozenset({REGION, "us-west-2"}), Bodies(1 << 27, 1))

    def client(self, service: str = "ecr", **changes: Any) -> Any:
        # The SDK's own checks are off: it is the server's that are tried here.
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        options: dict[str, Any] = {
            "region_name": REGION,
            "endpoint_url": ENDPOINT,
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
            "config": config,
            **changes,
        }
        client: Any = _SESSION.client(service, **options)
        client.meta.events.register("before-send", self._carry)
        return client

    def _carry(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        body = request.body or b""
        headers = {"host": parts.netloc, **{name.lower(): _text(value) for name, value in request.headers.items()}}
        status, answered, content = send(
            self.plane,
            request.method,
            path=parts.path,
            query=parts.query,
            headers=headers,
            body=body if isinstance(body, bytes | bytearray) else body.encode(),
        )
        return AWSResponse(request.url, status, answered, _Raw(content))


class _Raw(io.BytesIO):
    """As much of urllib3's response as botocore reads."""

    def stream(self, size: int = 65536) -> Any:
        while piece := self.read(size):
            yield piece


def _text(value: str | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def send(
    plane: Callable[..., Any],
    method: str,
    *,
    path: str = "/",
    query: str = "",
    headers: dict[str, str],
    body: bytes = b"",
    pieces: list[dict[str, Any]] | None = None,
    scheme: str = "http",
) -> tuple[int, dict[str, str], bytes]:
    """One request over ASGI; the status, headers and body of its answer."""
    scope = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 40000),
    }
    waiting = pieces or [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def take(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(plane(scope, receive, take))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])
