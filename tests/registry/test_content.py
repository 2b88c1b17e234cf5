from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.registry.content import PIECE, Intake, Threads, outlet, until_done
from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import SEGMENT
from portside.storage.blobs.sealed import SealedBlobs
from tests.registry.fakes import Blobs, Gate
from tests.registry.house import noise

LOCATION = "key/" + "0" * 32
CONTENT = noise(5 * PIECE)


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    executor = ThreadPoolExecutor(4)
    yield Threads(executor)
    executor.shutdown()


def sealed(folder: Path) -> Blobs:
    return Blobs(SealedBlobs(FilesystemBlobs(folder), lambda _: b"k" * 32))


def intake_on(blobs: Blobs, threads: Threads, remainder: bytes = b"", received: int = 0) -> Intake:
    return Intake(
        blobs, threads, LOCATION, received=received, remainder=remainder, counted={"sha256": hashlib.sha256()}
    )


async def test_at_least_one_byte_stays_back(tmp_path: Path, threads: Threads) -> None:
    intake = intake_on(sealed(tmp_path), threads)
    assert intake.take(CONTENT[: 2 * PIECE])
    await intake.settle()
    assert 0 < len(intake.remainder) <= SEGMENT
    assert intake.received == 2 * PIECE


async def test_a_piece_is_written_when_it_has_come_together(tmp_path: Path, threads: Threads) -> None:
    intake = intake_on(sealed(tmp_path), threads)
    assert not intake.take(CONTENT[:PIECE])
    assert intake.take(b"x")


async def test_little_is_not_worth_a_write(tmp_path: Path, threads: Threads) -> None:
    blobs = sealed(tmp_path)
    intake = intake_on(blobs, threads)
    intake.take(CONTENT[:SEGMENT])
    await intake.settle()
    assert blobs.calls == {"check": 1}  # whether its row has room


@given(cuts=st.lists(st.integers(0, 3 * SEGMENT), max_size=6), settled=st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_however_it_is_cut_the_whole_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], settled: int
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    content = noise(sum(cuts))

    async def run() -> None:
        with ThreadPoolExecutor(1) as executor:
            threads, blobs = Threads(executor), sealed(folder)
            intake, at = intake_on(blobs, threads), 0
            for number, size in enumerate(cuts):
                intake.take(content[at : at + size])
                at += size
                if number < settled:
                    await intake.settle()
            names = await intake.digests(frozenset({"sha256", "sha512"}))
            assert names == {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "sha512")}
            assert await intake.publish() == len(content)
            pieces = outlet(blobs, threads, LOCATION, len(content), start=0, stop=len(content))
            assert b"".join([piece async for piece in pieces]) == content

    asyncio.run(run())


async def test_an_uncounted_hash_is_counted_from_what_was_written(tmp_path: Path, threads: Threads) -> None:
    blobs = sealed(tmp_path)
    first = intake_on(blobs, threads)
    first.take(CONTENT[: PIECE + 5])
    await first.settle()
    second = Intake(blobs, threads, LOCATION, received=first.received, remainder=first.remainder, counted={})
    assert await second.digests(frozenset({"sha256"})) == {"sha256": hashlib.sha256(CONTENT[: PIECE + 5]).hexdigest()}


@pytest.mark.parametrize("near", [True, False])
async def test_an_outlet_gives_pieces_and_nothing_whole(tmp_path: Path, threads: Threads, *, near: bool) -> None:
    blobs = sealed(tmp_path)
    blobs.near = near
    intake = intake_on(blobs, threads)
    intake.take(CONTENT)
    await intake.publish()
    sizes = [len(piece) async for piece in outlet(blobs, threads, LOCATION, len(CONTENT), start=5, stop=len(CONTENT))]
    assert sum(sizes) == len(CONTENT) - 5
    assert max(sizes) <= PIECE
    assert [piece async for piece in outlet(blobs, threads, LOCATION, len(CONTENT), start=5, stop=5)] == []


async def test_work_gives_its_result_or_its_failure(threads: Threads) -> None:
    assert await threads.run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)


@pytest.mark.parametrize("times", [1, 3])
async def test_who_is_cancelled_waits_for_the_end_of_the_work(threads: Threads, times: int) -> None:
    gate = Gate()
    task = asyncio.ensure_future(threads.run(gate))
    await asyncio.to_thread(gate.reached.wait)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_end_is_waited_for_whatever_it_is() -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError())
    await until_done(failed)
    assert isinstance(failed.exception(), ValueError)
