"""The application over a plant of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from portside.server import application
from portside.server.settings import Settings


class Principal:
    arn = "arn:aws:iam::000000000000:root"


def saying(text: bytes) -> ASGIApp:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["state"]["principal"] = Principal()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text})

    return app


async def crashing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("unforeseen")


async def crashing_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("unforeseen")


class StandIn:
    """A plant that says which plane was asked."""

    def __init__(self) -> None:
        self.distribution: ASGIApp = saying(b"docker")
        self.control: ASGIApp = saying(b"aws")
        self.is_ready = True
        self.closed = False

    async def ready(self) -> bool:
        return self.is_ready

    async def close(self) -> None:
        self.closed = True


class Worker:
    """The application, alive as a server keeps it."""

    def __init__(self, plant: StandIn | Exception) -> None:
        self.plant = plant
        self.app = application.create(Settings(), self.open)
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.life: asyncio.Task[None] | None = None

    async def open(self, _settings: Settings) -> StandIn:
        if isinstance(self.plant, Exception):
            raise self.plant
        return self.plant

    async def start(self) -> Message:
        self.life = asyncio.create_task(self.app({"type": "lifespan"}, self.to_app.get, self.from_app.put))
        await self.to_app.put({"type": "lifespan.startup"})
        return await self.from_app.get()

    async def stop(self) -> Message:
        await self.to_app.put({"type": "lifespan.shutdown"})
        return await self.from_app.get()

    async def ask(self, path: str, method: str = "GET", query: bytes = b"") -> tuple[int, bytes]:
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"localhost"), (b"authorization", b"Basic c2VjcmV0")],
        }
        await self.app(scope, receive, send)
        return messages[0]["status"], b"".join(message.get("body", b"") for message in messages)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
async def worker() -> Worker:
    made = Worker(StandIn())
    await made.start()
    return made


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/team/app/manifests/1"])
async def test_v2_is_the_data_plane(worker: Worker, path: str) -> None:
    assert await worker.ask(path) == (200, b"docker")


@pytest.mark.parametrize("path", ["/", "/v2x", "/v1/", "/healthz/", "/V2/"])
async def test_everything_else_is_the_control_plane(worker: Worker, path: str) -> None:
    assert await worker.ask(path, "POST") == (200, b"aws")


async def test_the_process_lives_and_the_plant_is_ready(worker: Worker) -> None:
    assert await worker.ask("/healthz") == (200, b'{"status":"ok"}')
    assert await worker.ask("/readyz") == (200, b'{"status":"ok"}')
    assert await worker.ask("/readyz", "POST") == (405, b'{"message":"Only GET is answered here."}')


async def test_a_plant_that_is_not_ready_says_so(worker: Worker) -> None:
    assert isinstance(worker.plant, StandIn)
    worker.plant.is_ready = False
    assert (await worker.ask("/readyz"))[0] == 503
    assert (await worker.ask("/healthz"))[0] == 200


async def test_before_the_plant_is_open_only_life_is_answered() -> None:
    worker = Worker(StandIn())
    assert (await worker.ask("/healthz"))[0] == 200
    assert (await worker.ask("/readyz"))[0] == 503
    assert (await worker.ask("/v2/"))[0] == 503


async def test_the_plant_is_closed_at_the_end() -> None:
    plant = StandIn()
    worker = Worker(plant)
    assert await worker.start() == {"type": "lifespan.startup.complete"}
    assert await worker.stop() == {"type": "lifespan.shutdown.complete"}
    assert plant.closed


async def test_a_plant_that_does_not_open_fails_the_start() -> None:
    answer = await Worker(RuntimeError("no database")).start()
    assert answer == {"type": "lifespan.startup.failed", "message": "no database"}


async def test_a_crash_is_a_plain_500_and_the_log_has_it(worker: Worker) -> None:
    assert isinstance(worker.plant, StandIn)
    worker.plant.control = crashing
    with capture_logs() as lines:
        status, body = await worker.ask("/")
    assert status == 500
    assert b"unforeseen" not in body
    assert json.loads(body)
    assert [line["event"] for line in lines] == ["request failed", "request"]
    assert lines[1]["status"] == 500


async def test_a_crash_in_an_answer_cuts_it(worker: Worker) -> None:
    assert isinstance(worker.plant, StandIn)
    worker.plant.distribution = crashing_late
    with capture_logs() as lines, pytest.raises(RuntimeError):
        await worker.ask("/v2/")
    assert [line["event"] for line in lines] == ["request failed", "request"]


async def test_a_request_is_one_line_without_its_secrets(worker: Worker) -> None:
    with capture_logs() as lines:
        await worker.ask("/v2/team/app/blobs/x", query=b"X-Amz-Signature=feed")
    (line,) = lines
    known: dict[str, Any] = {key: line[key] for key in ("event", "method", "path", "status", "bytes", "principal")}
    assert known == {
        "event": "request",
        "method": "GET",
        "path": "/v2/team/app/blobs/x",
        "status": 200,
        "bytes": 6,
        "principal": Principal.arn,
    }
    assert "feed" not in str(line)
    assert "c2VjcmV0" not in str(line)


async def test_probes_are_not_logged_at_info(worker: Worker) -> None:
    with capture_logs() as lines:
        await worker.ask("/healthz")
    assert [line["log_level"] for line in lines] == ["debug"]
