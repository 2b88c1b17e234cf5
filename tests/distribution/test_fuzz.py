"""Whatever is sent, the answer is never a server fault."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portside.core.hosts import HostNames
from portside.distribution.errors import WIRE
from portside.distribution.manners import OPEN, Manners
from portside.distribution.routes import match
from portside.distribution.strict import STRICT
from portside.server.settings import Settings
from tests.distribution.driver import Answer, Application, Request, authorization_of, client_of, drive, plane_of
from tests.distribution.strategies import (
    HEADERS,
    IMAGE,
    LAYER,
    REFERRER,
    bodies,
    documents,
    header_values,
    methods,
    references,
    targets,
    types,
)
from tests.registry.house import APP, HOME, Clock, index_of, opened

HOSTS = HostNames("localhost:4510", "http", "registry.test")

HOSTS = HostNames("localhost:4510", "http", "registry.test")


class Bench:
    """A registry that every example finds in use, and an upload that is open or not."""

    def __init__(self, runner: asyncio.Runner, plane: Application, authorization: str) -> None:
        self.runner = runner
        self.plane = plane
        self.authorization = authorization
        self.upload = "00000000-0000-0000-0000-000000000000"

    def ask(self, request: Request) -> Answer:
        answer = self.runner.run(drive(self.plane, request))
        self.upload = answer.headers.get("docker-upload-uuid", self.upload)
        return answer


@asynccontextmanager
async def registry(manners: Manners) -> AsyncIterator[tuple[Application, str]]:
    rules = Settings(strict_ecr=manners is STRICT, create_on_push=manners is STRICT).rules
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), Clock(time.time_ns() // 1000), rules=rules) as house:
            await house.create()
            await house.registry.settings.put(house.caller, HOME, "BLOB_MOUNTING", "ENABLED")
            client = await client_of(house)
            for content in (b"{}", LAYER):
                await client.push(content)
            await client.put("v1", IMAGE)
            await client.put("v2", REFERRER)
            yield plane_of(house, HOSTS, manners), await authorization_of(house)


@pytest.fixture(scope="module", params=[OPEN, STRICT], ids=["open", "strict"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        scope = registry(request.param)
        yield Bench(runner, *runner.run(scope.__aenter__()))
        runner.run(scope.__aexit__(None, None, None))


MANY = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    body = draw(bodies)
    chosen = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True))
    headers = {name: draw(HEADERS[name]) for name in chosen}
    if body and not {"Content-Length", "Transfer-Encoding"} & set(headers):
        headers["Content-Length"] = str(len(body))
    return Request(draw(methods), draw(targets()), body, headers, draw(st.none() | st.integers(0, 64)))


@given(request=requests())
@MANY
def test_no_request_is_a_server_fault(bench: Bench, request: Request) -> None:
    headers = {**request.headers, "Authorization": bench.authorization}
    target = request.target.replace("UPLOAD", bench.upload)
    answer = bench.ask(replace(request, target=target, headers=headers))
    assert 200 <= answer.status < 500
    if answer.status >= 400 and request.method != "HEAD" and exists(target) and answer.status != 401:
        status, code, message = answer.error
        assert (status, code) in WORDS
        assert message


WORDS = {
    *WIRE.values(),
    *((400, code) for code in ("NAME_INVALID", "DIGEST_INVALID", "TAG_INVALID", "MANIFEST_INVALID")),
}


def exists(target: str) -> bool:
    """Whether anything is answered at an address: elsewhere ECR says so in plain text."""
    return match("GET", unquote(target.partition("?")[0]))[2]


LEAVES = documents | st.floats() | st.sampled_from([[], {}, "", 10**30, -1, True, "sha256:" + "0" * 64, "\ud800"])


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A manifest that was right, with something of it replaced, taken away, given twice or cut off."""
    document = json.loads(draw(st.sampled_from([IMAGE, index_of(IMAGE), REFERRER])))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys)) if keys else None
            if key is None or not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
                break
            place = place[key]
        if key is not None:
            if draw(st.booleans()):
                place[key] = draw(LEAVES)
            else:
                del place[key]
    content = json.dumps(document).encode()
    return draw(st.sampled_from([content, content[: draw(st.integers(0, len(content)))], content[:-1] + b',"size":1}']))


@given(manifest=bent(), reference=references, declared=st.none() | types | header_values)
@MANY
def test_no_manifest_is_a_server_fault(bench: Bench, manifest: bytes, reference: str, declared: str | None) -> None:
    headers = {"Authorization": bench.authorization, "Content-Length": str(len(manifest))}
    if declared is not None:
        headers["Content-Type"] = declared
    target = f"/v2/{APP.name}/manifests/{quote(reference, safe=':')}"
    answer = bench.ask(Request("PUT", target, manifest, headers))
    assert answer.status in {201, 400, 404, 405}
    if answer.status == 201:
        # What was taken is given back, and whatever refers to it can be listed.
        pushed = answer.headers.get("location", target)  # ECR names none
        got = bench.ask(Request("GET", pushed, b"", {"Authorization": bench.authorization}))
        assert (got.status, got.body) == (200, manifest)
        if subject := answer.headers.get("oci-subject"):
            listed = f"/v2/{APP.name}/referrers/{subject}?n=1"
            assert bench.ask(Request("GET", listed, b"", {"Authorization": bench.authorization})).status == 200
    elif exists(target):
        assert answer.error[:2] in WORDS


@given(method=methods, target=targets(), authorization=st.none() | header_values | header_values.map("Basic {}".format))
@settings(MANY, max_examples=200)
def test_no_request_without_credentials_is_answered(
    bench: Bench, method: str, target: str, authorization: str | None
) -> None:
    headers: dict[str, Any] = {} if authorization is None else {"Authorization": authorization}
    answer = bench.ask(Request(method, target.replace("UPLOAD", bench.upload), b"", headers))
    assert answer.status in {401, 404}
