"""The application over a plant of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from portside.core.errors import RegistryError
from portside.server import application, framing
from portside.server.settings import Settings

HEADERS = [(b"host", b"localhost"), (b"authorization", b"Basic c2VjcmV0")]


class Principal:
    arn = "arn:aws:iam::000000000000:root"


class Saying:
    """A plane that says one thing, when it may."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        scope["state"]["principal"] = Principal()
        await self.may.wait()
        await self.say(200, self.text, send)

    async def refuse(self, _scope: Scope, error: RegistryError, send: Send) -> None:
        await self.say(429, self.text + b": " + error.message.encode(), send)

    async def say(self, status: int, text: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text})


async def crashing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("unforeseen")


async def crashing_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("unforeseen")


class StandIn:
    """A plant that says which plane was asked."""

    def __init__(self) -> None:
        self.distribution: Any = Saying(b"docker")
        self.control: Any = Saying(b"aws")
        self.is_ready = True
        self.closed = False

    async def ready(self) -> bool:
        return self.is_ready

    async def close(self) -> None:
        self.closed = True


class Worker:
    """The application, alive as a server keeps it."""

    def __init__(self, plant: StandIn | Exception, **settings: Any) -> None:
        self.plant = plant
        self.app = application.create(Settings(**settings), self.open)
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.life: asyncio.Task[None] | None = None
        self.waiting: asyncio.Task[tuple[int, bytes]] | None = None

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

    async def ask(
        self, path: str, method: str = "GET", query: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = HEADERS
    ) -> tuple[int, bytes]:
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
            "headers": list(headers),
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


UPLOAD, LAYER = "/v2/team/app/blobs/uploads/", "/v2/team/app/blobs/sha256:00"


async def full(method: str, path: str, **settings: Any) -> Worker:
    """A worker with places for one, which are taken by a request that does not end."""
    worker = Worker(StandIn(), wait_seconds=1, **settings)
    await worker.start()
    assert isinstance(worker.plant, StandIn)
    worker.plant.distribution.may.clear()
    worker.waiting = asyncio.create_task(worker.ask(path, method))
    await asyncio.sleep(0)
    return worker


async def end(worker: Worker) -> None:
    assert isinstance(worker.plant, StandIn)
    worker.plant.distribution.may.set()
    assert worker.waiting is not None
    assert (await worker.waiting)[0] == 200


async def test_a_request_too_many_is_refused_in_the_words_of_its_plane() -> None:
    worker = await full("GET", "/v2/", requests=1)
    assert await worker.ask("/v2/") == (429, b"docker: Rate exceeded")
    assert await worker.ask("/", "POST") == (429, b"aws: Rate exceeded")
    assert (await worker.ask("/healthz"))[0] == 200
    assert (await worker.ask("/readyz"))[0] == 200
    await end(worker)
    assert await worker.ask("/", "POST") == (200, b"aws")


@pytest.mark.parametrize(
    ("taken", "refused", "passing"),
    [
        (("PATCH", UPLOAD + "1"), ("POST", UPLOAD), ("GET", LAYER)),
        (("PUT", UPLOAD + "1"), ("PATCH", UPLOAD + "2"), ("GET", UPLOAD + "1")),
        (("POST", UPLOAD), ("POST", UPLOAD.removesuffix("/")), ("GET", LAYER)),
        (("GET", LAYER), ("GET", LAYER), ("HEAD", LAYER)),
        (("GET", LAYER), ("GET", LAYER), ("PUT", "/v2/team/app/manifests/1")),
    ],
)
async def test_transfers_have_places_of_their_own(
    taken: tuple[str, str], refused: tuple[str, str], passing: tuple[str, str]
) -> None:
    worker = await full(*taken, uploads=1, downloads=1)
    assert (await worker.ask(refused[1], refused[0]))[0] == 429
    passes = asyncio.create_task(worker.ask(passing[1], passing[0]))
    await asyncio.sleep(0)
    await end(worker)
    assert (await passes)[0] == 200


async def test_one_that_waits_gets_the_place_that_is_left() -> None:
    worker = await full("PATCH", UPLOAD + "1", uploads=1)
    second = asyncio.create_task(worker.ask(UPLOAD, "POST"))
    await asyncio.sleep(0)
    await end(worker)
    assert (await second)[0] == 200


async def test_a_place_is_given_back_when_a_request_crashes() -> None:
    worker = Worker(StandIn(), wait_seconds=1, requests=1, uploads=1)
    await worker.start()
    assert isinstance(worker.plant, StandIn)
    worker.plant.distribution = crashing
    with capture_logs():
        assert [(await worker.ask(UPLOAD, "POST"))[0] for _ in range(3)] == [500, 500, 500]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 400),
        ([(b"host", b"")], 400),
        ([(b"host", b"a"), (b"host", b"b")], 400),
        ([*HEADERS, (b"content-length", b"1"), (b"content-length", b"1")], 400),
        ([*HEADERS, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")], 400),
        ([*HEADERS, (b"x", bytes(65_537))], 431),
        ([*HEADERS, *((b"x", bytes(1000)) for _ in range(70))], 431),
        ([*HEADERS, (b"x", bytes(60_000))], 200),
    ],
)
async def test_a_head_that_is_in_doubt_is_refused(
    worker: Worker, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    assert (await worker.ask("/v2/", headers=headers))[0] == status


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.0", [], None),
        ("1", [(b"host", b"")], None),
        ("1", [(b"host", b"a"), (b"transfer-encoding", b"chunked")], 400),
        ("0.9", [], 400),
        ("2.0", HEADERS, 400),
        ("1.1", HEADERS, None),
    ],
)
def test_a_version_that_nobody_speaks_is_refused(
    version: str, headers: list[tuple[bytes, bytes]], status: int | None
) -> None:
    assert framing.refusal({"http_version": version, "headers": headers}) == status
