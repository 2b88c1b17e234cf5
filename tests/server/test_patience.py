"""Waits that have an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message

from portside.server.patience import PIECE, Limits, Patience, ReaderStalled

LIMITS = Limits(silence=0.4, rate=100, stall=0.4, body=60)
GONE = {"type": "http.disconnect"}


def piece(size: int, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": bytes(size), "more_body": more}


class Line:
    """The two ends of a connection: what comes, after how long, and what is taken, after how long."""

    def __init__(self, *coming: tuple[float, Message], pause: float = 0.0) -> None:
        self.coming = list(coming)
        self.pause = pause
        self.taken: list[Message] = []

    async def receive(self) -> Message:
        if not self.coming:
            await asyncio.Event().wait()
        seconds, message = self.coming.pop(0)
        await asyncio.sleep(seconds)
        return message

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self.pause)
        self.taken.append(message)

    def patience(self, **changes: Any) -> Patience:
        return Patience(self.receive, self.send, LIMITS, **changes)


@pytest.fixture
async def closing() -> Any:
    """Closes what is made, as the application does."""
    made: list[Patience] = []

    def keep(patience: Patience) -> Patience:
        made.append(patience)
        return patience

    yield keep
    for patience in made:
        patience.close()


Keep = Callable[[Patience], Patience]


async def test_a_body_passes_as_it_comes(closing: Keep) -> None:
    messages = [piece(10), piece(0), piece(5, more=False)]
    patience = closing(Line(*((0, message) for message in messages)).patience())
    assert [await patience.receive() for _ in messages] == messages


async def test_a_client_that_is_silent_has_gone(closing: Keep) -> None:
    patience = closing(Line((0, piece(10))).patience())
    assert await patience.receive() == piece(10)
    assert await asyncio.wait_for(patience.receive(), 5) == GONE


async def test_silence_begins_anew_with_every_message(closing: Keep) -> None:
    line = Line(*((0.15, piece(100)) for _ in range(4)), (0.15, piece(0, more=False)))
    patience = closing(line.patience())
    assert [(await patience.receive())["type"] for _ in range(5)] == ["http.request"] * 5


async def test_a_client_that_drips_has_gone(closing: Keep) -> None:
    patience = closing(Line(*((0.1, piece(1)) for _ in range(100))).patience())
    seen = [(await patience.receive())["type"] for _ in range(6)]
    assert "http.disconnect" in seen


async def test_a_body_has_an_end_however_well_it_keeps_up(closing: Keep) -> None:
    line = Line(*((0.1, piece(1000)) for _ in range(100)))
    limits = Limits(silence=0.4, rate=100, stall=0.4, body=0.35)
    patience = closing(Patience(line.receive, line.send, limits))
    seen = [(await patience.receive())["type"] for _ in range(5)]
    assert seen[:3] == ["http.request"] * 3
    assert "http.disconnect" in seen


async def test_time_that_is_not_spent_waiting_does_not_count(closing: Keep) -> None:
    patience = closing(Line(*((0, piece(1)) for _ in range(3))).patience())
    for _ in range(3):
        assert (await patience.receive())["type"] == "http.request"
        await asyncio.sleep(0.5)


async def test_the_clients_leaving_is_waited_for_without_end(closing: Keep) -> None:
    patience = closing(Line((0, piece(0, more=False)), (1.0, GONE)).patience())
    await patience.receive()
    assert await patience.receive() == GONE


async def test_a_short_answer_is_handed_over_whole(closing: Keep) -> None:
    line = Line()
    patience = closing(line.patience())
    answer: list[Message] = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": bytes(1000)},
    ]
    for message in answer:
        await patience.send(message)
    assert line.taken == answer


START: Message = {"type": "http.response.start", "status": 404, "headers": [(b"allow", b"GET")]}
CLOSING = [(b"allow", b"GET"), (b"connection", b"close")]


@pytest.mark.parametrize("header", [(b"content-length", b"20"), (b"transfer-encoding", b"chunked")])
async def test_the_connection_is_closed_after_an_answer_to_a_body_that_was_not_read_to_its_end(
    closing: Keep, header: tuple[bytes, bytes]
) -> None:
    for coming in ([], [(0, piece(10))], [(0, piece(10)), (0, GONE)]):
        line = Line(*coming)
        patience = closing(Patience(line.receive, line.send, LIMITS, headers=[header]))
        for _ in coming:
            await patience.receive()
        await patience.send(START)
        assert [message["headers"] for message in line.taken] == [CLOSING]


async def test_the_connection_is_kept_after_a_body_that_was_read_and_where_there_is_none(closing: Keep) -> None:
    line = Line((0, piece(10)), (0, piece(10, more=False)))
    patience = closing(Patience(line.receive, line.send, LIMITS, headers=[(b"content-length", b"20")]))
    await patience.receive()
    await patience.receive()
    await patience.send(START)
    none = closing(Patience(line.receive, line.send, LIMITS, headers=[(b"content-length", b"0")]))
    await none.send(START)
    assert line.taken == [START, START]


@pytest.mark.parametrize(
    ("size", "crowded", "pieces"), [(300_000, False, 2), (300_000, True, 5), (0, False, 1), (PIECE, True, 1)]
)
async def test_a_long_answer_leaves_in_pieces(closing: Keep, size: int, crowded: bool, pieces: int) -> None:  # noqa: FBT001
    line, body = Line(), bytes(range(256)) * (size // 256 + 1)
    patience = closing(line.patience(crowded=crowded))
    await patience.send({"type": "http.response.body", "body": b"x", "more_body": True})
    await patience.send({"type": "http.response.body", "body": body[:size]})
    assert b"".join(message["body"] for message in line.taken) == b"x" + body[:size]
    assert [message["more_body"] for message in line.taken] == [True] * len(line.taken[:-1]) + [False]
    assert len(line.taken) == pieces + 1


async def test_a_reader_that_stalls_is_an_error(closing: Keep) -> None:
    patience = closing(Line(pause=60).patience())
    with pytest.raises(ReaderStalled):
        await asyncio.wait_for(patience.send({"type": "http.response.body", "body": b"x", "more_body": True}), 5)


async def test_a_cancellation_from_elsewhere_stays_one(closing: Keep) -> None:
    patience = closing(Line().patience())
    task = asyncio.create_task(patience.receive())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_sides_are_waited_for_at_once(closing: Keep) -> None:
    """As a streamed answer does: one task sends, another listens for the client's leaving."""
    line = Line((0, piece(0, more=False)), (60, GONE), pause=0.01)
    patience = closing(line.patience())
    await patience.receive()
    leaving = asyncio.create_task(patience.receive())
    for _ in range(10):
        await patience.send({"type": "http.response.body", "body": b"x", "more_body": True})
    assert len(line.taken) == 10
    leaving.cancel()
