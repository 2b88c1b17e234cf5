"""Memory for bodies: a stranger cannot fill it."""

from __future__ import annotations

import contextlib

import pytest

from portside.core.errors import TooManyRequests
from portside.registry.bodies import SMALL, Bodies

SIZE = 16 * SMALL
GOOD, STRANGE = ("AKIAGOOD", "192.0.2.1"), ("AKIAGOOD", "198.51.100.1")


@pytest.fixture
def bodies() -> Bodies:
    found = Bodies(SIZE, 0.01)
    found.prove(GOOD)
    return found


async def hold(stack: contextlib.AsyncExitStack, bodies: Bodies, size: int, sender: tuple[str, str] | None) -> int:
    """Hold bodies of this size until there is no room; how many."""
    for number in range(1000):
        try:
            await stack.enter_async_context(bodies.held(size, sender))
        except TooManyRequests:
            return number
    return 1000


async def test_a_stranger_fills_a_quarter_and_no_more(bodies: Bodies) -> None:
    async with contextlib.AsyncExitStack() as stack:
        assert await hold(stack, bodies, 2 * SMALL, STRANGE) == 2
        assert await hold(stack, bodies, 2 * SMALL, GOOD) == 6


async def test_what_is_beyond_doubt_is_held_beside_proven_senders(bodies: Bodies) -> None:
    async with contextlib.AsyncExitStack() as stack:
        assert await hold(stack, bodies, 4 * SMALL, None) == 3


async def test_what_is_small_is_not_counted(bodies: Bodies) -> None:
    async with contextlib.AsyncExitStack() as stack:
        assert await hold(stack, bodies, SMALL, STRANGE) == 1000


async def test_memory_is_free_after_the_block_however_it_ends(bodies: Bodies) -> None:
    for _ in range(20):
        with contextlib.suppress(ZeroDivisionError):
            async with bodies.held(4 * SMALL, STRANGE):
                raise ZeroDivisionError


async def test_a_wrong_signature_makes_a_stranger_of_its_sender(bodies: Bodies) -> None:
    bodies.doubt(GOOD)
    async with contextlib.AsyncExitStack() as stack:
        assert await hold(stack, bodies, 2 * SMALL, GOOD) == 2


async def test_senders_that_were_not_seen_for_long_are_forgotten(bodies: Bodies) -> None:
    for number in range(5000):
        bodies.prove((f"AKIA{number}", "192.0.2.1"))
    async with contextlib.AsyncExitStack() as stack:
        assert await hold(stack, bodies, 2 * SMALL, GOOD) == 2
        assert await hold(stack, bodies, 2 * SMALL, ("AKIA4999", "192.0.2.1")) == 6
