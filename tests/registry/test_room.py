"""Room: so much at a time, first come, first served."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.errors import TooManyRequests
from portside.registry.room import Room
from tests.registry.visitors import come_and_go

SOON = 0.01


async def settled() -> None:
    """Let every task that can run, run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_fits_is_taken_at_once() -> None:
    room = Room(2, SOON)
    assert room.fits()
    await room.take()
    assert not room.fits()
    room.give()
    assert room.fits()


async def test_one_that_does_not_fit_waits_and_is_told_to_come_again() -> None:
    room = Room(1, SOON)
    await room.take()
    with pytest.raises(TooManyRequests, match="Rate exceeded"):
        await room.take()
    room.give()
    assert room.taken == 0
    assert room.fits()


async def test_turns_come_in_the_order_of_asking() -> None:
    room, order = Room(1, 10), list[int]()
    await room.take()

    async def enter(number: int) -> None:
        await room.take()
        order.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(3)]
    await settled()
    for _ in tasks:
        room.give()
        await settled()
    assert order == [0, 1, 2]
    await asyncio.gather(*tasks)


async def test_nobody_overtakes_one_that_waits_for_much() -> None:
    room = Room(10, 10)
    await room.take(8)
    large = asyncio.create_task(room.take(5))
    await settled()
    assert not room.fits(1)
    room.give(8)
    await large
    assert room.taken == 5


async def test_more_than_all_there_is_is_all() -> None:
    room = Room(10, SOON)
    await room.take(25)
    assert not room.fits()
    room.give(25)
    assert room.taken == 0


async def test_one_that_leaves_makes_way_for_the_next() -> None:
    room = Room(10, 10)
    await room.take(8)
    large, small = asyncio.create_task(room.take(5)), asyncio.create_task(room.take(2))
    await settled()
    large.cancel()
    await small
    assert room.taken == 10
    with pytest.raises(asyncio.CancelledError):
        await large


async def test_a_turn_that_comes_while_its_owner_leaves_is_given_back() -> None:
    room = Room(1, 10)
    await room.take()
    waiting = asyncio.create_task(room.take())
    await settled()
    room.give()  # the turn is the task's now, which has not heard of it
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert room.taken == 0
    assert room.fits()


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3), st.booleans()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_it_is_never_overfull_and_empty_in_the_end(visits: list[tuple[int, int, bool]]) -> None:
    async def play() -> None:
        room = Room(10, 10)

        async def visit(amount: int, turns: int) -> None:
            await room.take(amount)
            try:
                assert 0 < room.taken <= room.size
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                room.give(amount)

        await come_and_go([(visit(amount, turns), leaves) for amount, turns, leaves in visits])
        assert room.taken == 0
        assert room.fits(room.size)

    asyncio.run(play())
