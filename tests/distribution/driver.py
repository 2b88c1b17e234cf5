"""A client that speaks ASGI to the data plane, as a server would for it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from portside.core.digest import Digest
from portside.core.hosts import HostNames
from portside.distribution.edge import DataPlane
from portside.distribution.manners import OPEN, Manners
from portside.registry.bodies import Bodies
from tests.registry.house import APP, REGION, House

Application = Callable[..., Awaitable[None]]
HOST = "localhost:4510"
BARE = HostNames(HOST, "http")
V2 = f"/v2/{APP.name}"


@dataclass
class Answer:
    """What came back; `whole` is False when the application never ended its answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message of an OCI error."""
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        assert self.body.endswith(b"\n")
        [found] = self.json["errors"]
        assert set(found) == {"code", "message"}
        return self.status, found["code"], found["message"]


@dataclass
class Request:
    """What is sent. `cut` hangs up after so many bytes of the body; `stall` falls silent after it, and says so."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    stall: asyncio.Event | None = None

    def scope(self, scheme: str) -> dict[str, Any]:
        path, _, query = self.target.partition("?")
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "scheme": scheme,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()],
            "client": ("192.0.2.1", 50000),
        }

    async def pieces(self, size: int = 65_536) -> AsyncIterator[dict[str, Any]]:
        body = self.body if self.cut is None else self.body[: self.cut]
        for at in range(0, len(body), size):
            more = self.cut is not None or self.stall is not None or at + size < len(body)
            yield {"type": "http.request", "body": body[at : at + size], "more_body": more}
        if not body and self.cut is None:
            yield {"type": "http.request"}
        if self.stall is not None:
            self.stall.set()
        if self.cut is not None:
            yield {"type": "http.disconnect"}
        await asyncio.Event().wait()


async def drive(application: Application, request: Request, scheme: str = "http") -> Answer:
    """Carry out one request, and hold the application to the rules of ASGI and HTTP."""
    answer, pieces = Answer(), request.pieces()

    async def send(message: Mapping[str, Any]) -> None:
        assert not answer.whole
        if message["type"] == "http.response.start":
            assert not answer.status
            answer.status = message["status"]
            names = [name for name, _ in message["headers"]]
            assert len(names) == len(set(names))
            assert all(name == name.lower() for name in names)
            answer.headers = {name.decode("ascii"): value.decode("latin-1") for name, value in message["headers"]}
            return
        answer.body += message.get("body", b"")
        answer.whole = not message.get("more_body", False)

    await application(request.scope(scheme), pieces.__anext__, send)
    assert answer.whole
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    if request.method == "HEAD":
        assert answer.body == b""
    elif answer.status in {204, 304}:
        assert "content-length" not in answer.headers
    else:
        assert answer.headers["content-length"] == str(len(answer.body))
    return answer


class Client:
    """Someone with a password, or without one."""

    def __init__(self, plane: Application, authorization: str | None, host: str = HOST, scheme: str = "http") -> None:
        self._plane = plane
        self._authorization = authorization
        self._host = host
        self._scheme = scheme

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        cut: int | None = None,
        stall: asyncio.Event | None = None,
        **query: str,
    ) -> Answer:
        known = {"Host": self._host}
        if self._authorization is not None:
            known["Authorization"] = self._authorization
        if body:
            known["Content-Length"] = str(len(body))
        if query:
            target += "?" + urlencode(query)
        request = Request(method, target, body, {**known, **(headers or {})}, cut, stall)
        return await drive(self._plane, request, self._scheme)

    async def begin(self) -> str:
        """The address of a new upload."""
        answer = await self.ask("POST", f"{V2}/blobs/uploads/")
        assert answer.status == 202
        return answer.headers["location"]

    async def push(self, content: bytes) -> str:
        """Upload a blob; its digest."""
        digest = str(Digest.of(content))
        answer = await self.ask("PUT", await self.begin(), content, digest=digest)
        assert answer.status == 201
        return digest

    async def put(self, reference: str, manifest: bytes, media_type: str | None = None) -> Answer:
        headers = {"Content-Type": media_type or json.loads(manifest)["mediaType"]}
        return await self.ask("PUT", f"{V2}/manifests/{reference}", manifest, headers)


def plane_of(house: House, hosts: HostNames = BARE, manners: Manners = OPEN) -> DataPlane:
    return DataPlane(house.registry, hosts, Bodies(1 << 24, 1), manners)


async def authorization_of(house: House, region: str = REGION) -> str:
    """What `docker login` makes of a token."""
    token = await house.registry.callers.issue_token(house.caller, region)
    return "Basic " + b64encode(f"AWS:{token.password}".encode()).decode()


async def client_of(house: House, hosts: HostNames = BARE, host: str = HOST, manners: Manners = OPEN) -> Client:
    return Client(plane_of(house, hosts, manners), await authorization_of(house), host)
