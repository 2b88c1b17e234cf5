"""Places for uploads, and who has how many of them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.core.errors import TooManyRequests
from portside.server.admission import Admission, Upload
from portside.server.settings import Settings
from tests.registry.visitors import come_and_go

PATH = "/v2/team/app/blobs/uploads/1"


def worker(uploads: int, wait: int = 1, requests: int = 1000) -> Admission:
    return Admission(Settings(uploads=uploads, downloads=1, requests=requests, wait_seconds=wait))


async def arrive(admission: Admission) -> Upload:
    """An upload of whom nobody knows yet who it is of."""
    visit = admission.visit("PATCH", PATH)
    assert isinstance(visit, Upload)
    await visit.enter()
    return visit


async def upload(admission: Admission, principal: str) -> Upload:
    """An upload that may send its bytes; what it held is given back when it may not."""
    visit = await arrive(admission)
    try:
        await visit.share(principal)
    except BaseException:
        visit.leave()
        raise
    return visit


async def held_by(admission: Admission, principal: str) -> list[Upload]:
    """As many uploads as somebody gets places for."""
    found: list[Upload] = []
    while True:
        try:
            found.append(await upload(admission, principal))
        except TooManyRequests:
            return found


async def settled() -> None:
    """Let every task that can run, run."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("places", "greedy", "left"), [(1, 1, 0), (2, 1, 1), (3, 2, 1), (128, 96, 32)])
async def test_whoever_takes_all_there_is_leaves_some_for_others(places: int, greedy: int, left: int) -> None:
    admission = worker(places)
    assert len(await held_by(admission, "greedy")) == greedy
    others = [await upload(admission, f"{number}") for number in range(left)]
    assert len(others) == left


async def test_two_may_hold_half_of_the_places_each() -> None:
    admission = worker(8)
    for _ in range(4):
        await upload(admission, "first")
        await upload(admission, "second")
    with pytest.raises(TooManyRequests):
        await upload(admission, "third")


async def test_whoever_has_a_share_already_waits_for_one_of_its_own_to_end_and_sits_on_no_place() -> None:
    admission = worker(4, wait=10)
    mine = [await upload(admission, "greedy") for _ in range(3)]
    waiting = asyncio.create_task(upload(admission, "greedy"))
    await settled()
    other = await upload(admission, "other")
    other.leave()
    await settled()
    assert not waiting.done()
    mine[0].leave()
    await waiting


async def test_one_that_waits_in_vain_or_hangs_up_gives_back_all_it_had() -> None:
    admission = worker(4, requests=4)
    mine = await held_by(admission, "greedy")
    waiting = asyncio.create_task(upload(admission, "greedy"))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for one in mine:
        one.leave()
    assert len(await held_by(admission, "greedy")) == len(mine)


async def test_one_that_finds_its_share_but_no_place_any_more_gives_both_back() -> None:
    admission = worker(4)
    mine = [await upload(admission, "greedy") for _ in range(3)]
    waiting = asyncio.create_task(upload(admission, "greedy"))
    await settled()
    unknown = await arrive(admission)
    mine[0].leave()
    unknowns = [unknown, await arrive(admission)]
    with pytest.raises(TooManyRequests):
        await waiting
    for one in [*unknowns, *mine[1:]]:
        one.leave()
    assert len(await held_by(admission, "other")) == 3


def test_downloads_and_what_is_quick_are_nobodys_share() -> None:
    admission = worker(1)
    for method, path in (("GET", "/v2/a/blobs/sha256:0"), ("GET", PATH), ("PUT", "/v2/a/manifests/1")):
        assert not isinstance(admission.visit(method, path), Upload)


@given(st.integers(1, 9), st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_all_places_and_shares_are_there_again_in_the_end(places: int, visits: list[tuple[str, int, bool]]) -> None:
    async def play() -> None:
        admission = worker(places, requests=places)

        async def visit(principal: str, turns: int) -> None:
            held = await upload(admission, principal)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                held.leave()

        await come_and_go([(visit(principal, turns), leaves) for principal, turns, leaves in visits])
        for one in [await arrive(admission) for _ in range(places)]:
            one.leave()
        half = max(places // 2, 1)
        for principal in "abc":
            mine = [await upload(admission, principal) for _ in range(half)]
            for one in mine:
                one.leave()

    asyncio.run(play())
