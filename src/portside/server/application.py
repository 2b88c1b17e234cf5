"""The application that each worker runs: two planes, two questions about health, and one log line per request.

`/v2` is the data plane (docker speaks), everything else the control plane (AWS speaks). Rule: this module knows no
registry; it opens the plant, routes, and is the last resort when a plane fails in a way that it did not foresee. It
never logs headers or query strings, which hold signatures and tokens.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from secrets import token_hex
from time import perf_counter
from typing import Any, Protocol

import structlog
from starlette.types import Receive, Scope, Send

from portside.core.errors import RegistryError, TooManyRequests
from portside.server import framing
from portside.server.admission import Admission, Upload
from portside.server.patience import Limits, Patience, ReaderStalled
from portside.server.settings import Settings

_JSON = b"application/json"
_HEALTH = frozenset({"/healthz", "/readyz"})


class Plane(Protocol):
    """Half of the application, with words of its own for failures."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Before it takes the bytes of an upload it awaits `scope["state"]["share"]`, when that is there, with whom they
        come from; that raises TooManyRequests.
        """
        ...

    async def refuse(self, scope: Scope, error: RegistryError, send: Send) -> None:
        """Answer one request with an error, without looking at it."""
        ...


class Plant(Protocol):
    """What wiring builds: everything behind the two planes."""

    @property
    def distribution(self) -> Plane:
        """The data plane."""
        ...

    @property
    def control(self) -> Plane:
        """The control plane."""
        ...

    async def ready(self) -> bool:
        """Whether metadata answers and blobs can be read and written, or but read since the disk is full."""
        ...

    async def close(self) -> None:
        """Let go of everything; the last request has ended."""
        ...


Open = Callable[[Settings], Awaitable[Plant]]


async def _open(settings: Settings) -> Plant:
    from portside.server import wiring  # noqa: PLC0415 - a test of this module needs no storage

    return await wiring.open(settings)


def create(settings: Settings, open_plant: Open = _open) -> Application:
    """The ASGI application for one worker."""
    return Application(settings, open_plant)


class Application:
    """An ASGI 3 callable."""

    def __init__(self, settings: Settings, open_plant: Open) -> None:
        self._settings = settings
        self._open = open_plant
        self._plant: Plant | None = None
        self._admission = Admission(settings)
        self._limits = Limits(
            settings.silence_seconds, settings.body_rate, settings.stall_seconds, settings.body_seconds
        )
        self._log: Any = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the worker's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._plant = await self._open(self._settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server must hear that this worker is none
            self._log.exception("worker could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        self._log.info("ready", worker=os.getpid())
        await receive()
        await self._plant.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        scope.setdefault("state", {})
        patience = Patience(receive, send, self._limits, headers=scope["headers"], crowded=self._admission.crowded)
        structlog.contextvars.bind_contextvars(request=token_hex(8))
        try:
            await self._route(scope, patience.receive, patience.send)
        except ReaderStalled:
            # The answer is short of its Content-Length, so whoever reads on sees that it is not whole.
            self._log.info("reader stalled", method=scope["method"], path=_path(scope))
        except Exception:
            self._log.exception("request failed", method=scope["method"], path=_path(scope))
            if patience.status is not None:
                # Part of an answer is out: the server cuts the connection, and the client sees that it is not whole.
                raise
            await _reply(patience.send, 500, b'{"message":"The server failed to answer this request."}')
        finally:
            patience.close()
            self._note(scope, patience, perf_counter() - began)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        plant = self._plant
        if status := framing.refusal(scope):
            await _reply(send, status, b'{"message":"The request is malformed."}', (b"connection", b"close"))
        elif path in _HEALTH:
            await self._health(scope, send)
        elif plant is None:
            await _reply(send, 503, b'{"message":"The server is starting."}')
        else:
            is_data = path.startswith("/v2/") or path == "/v2"
            await self._admitted(plant.distribution if is_data else plant.control, scope, receive, send)

    async def _admitted(self, plane: Plane, scope: Scope, receive: Receive, send: Send) -> None:
        visit = self._admission.visit(scope["method"], scope["path"])
        # Nearly every request finds a place at once, without the detour over a coroutine.
        if not visit.fits():
            try:
                await visit.enter()
            except TooManyRequests as error:
                await plane.refuse(scope, error, send)
                return
        if isinstance(visit, Upload):
            scope["state"]["share"] = visit.share
        try:
            await plane(scope, receive, send)
        finally:
            visit.leave()

    async def _health(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await _reply(send, 405, b'{"message":"Only GET is answered here."}', (b"allow", b"GET, HEAD"))
        elif scope["path"] == "/healthz" or (self._plant is not None and await self._plant.ready()):
            await _reply(send, 200, b'{"status":"ok"}')
        else:
            await _reply(send, 503, b'{"status":"unavailable"}')

    def _note(self, scope: Scope, answer: Patience, seconds: float) -> None:
        # Probes come every few seconds for ever; they are not what anybody reads a log for.
        note = self._log.debug if scope["path"] in _HEALTH else self._log.info
        principal = scope["state"].get("principal")
        known = {} if principal is None else {"principal": str(getattr(principal, "arn", principal))}
        note(
            "request",
            method=scope["method"],
            path=_path(scope),
            status=answer.status,
            bytes=answer.sent,
            ms=round(seconds * 1000, 3),
            **known,
        )


def _path(scope: Scope) -> str:
    """The path as it was sent, percent signs and all: nothing in it can move a terminal's cursor."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("ascii", "backslashreplace") if raw is not None else ascii(scope["path"])


async def _reply(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", _JSON), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
