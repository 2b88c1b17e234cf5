"""Units of work: whole or not at all, one after another, whatever becomes of whoever began them."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, NOW, STRANGER, digest, image, key_of, repository, upload

WRITERS = 4
ROUNDS = 3


class Interrupted(Exception):
    """Something went wrong inside a unit."""


async def exists(metadata: Metadata, account: str = ACCOUNT) -> bool:
    async with metadata.reading() as unit:
        return await unit.accounts.exists(account)


async def assert_still_writes(*adapters: Metadata) -> None:
    """Nothing that was begun before stands in the way."""
    for number, adapter in enumerate(adapters):
        async with asyncio.timeout(10), adapter.writing() as unit:
            assert await unit.accounts.add(f"{number:012}", NOW)


async def begun(metadata: Metadata) -> asyncio.Task[None]:
    """A task that has written and not yet committed."""
    inside = asyncio.Event()

    async def write() -> None:
        async with metadata.writing() as unit:
            await unit.accounts.add(ACCOUNT, NOW)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(write())
    await inside.wait()
    return task


async def interrupted(metadata: Metadata, *, durable: bool) -> None:
    """Write and fail."""
    async with metadata.writing(durable=durable) as unit:
        await unit.accounts.add(ACCOUNT, NOW)
        raise Interrupted


async def cancelled(task: asyncio.Task[None], times: int = 1) -> None:
    """Cancel a task as often as its owner insists, and wait for its end."""
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task


class UnitsConformance:
    @pytest.mark.parametrize("durable", [True, False])
    async def test_a_unit_is_kept_at_its_end(self, metadata: Metadata, other: Metadata, *, durable: bool) -> None:
        async with metadata.writing(durable=durable) as unit:
            await unit.accounts.add(ACCOUNT, NOW)
        assert await exists(metadata)
        assert await exists(other)

    async def test_durable_units_follow_those_that_are_not(self, metadata: Metadata) -> None:
        for number, durable in enumerate((False, True, False, True)):
            async with metadata.writing(durable=durable) as unit:
                assert await unit.accounts.add(f"{number:012}", NOW)

    @pytest.mark.parametrize("durable", [True, False])
    async def test_a_unit_left_by_an_exception_is_undone(self, metadata: Metadata, *, durable: bool) -> None:
        with pytest.raises(Interrupted):
            await interrupted(metadata, durable=durable)
        assert not await exists(metadata)
        await assert_still_writes(metadata)

    async def test_a_unit_sees_its_own_changes_and_nobody_else_does(self, metadata: Metadata, other: Metadata) -> None:
        async with metadata.writing() as unit:
            await unit.accounts.add(ACCOUNT, NOW)
            assert await unit.accounts.exists(ACCOUNT)
            assert not await exists(metadata)
            assert not await exists(other)

    async def test_a_reading_unit_sees_what_is_committed_meanwhile(self, metadata: Metadata, other: Metadata) -> None:
        async with metadata.reading() as unit:
            assert not await unit.accounts.exists(ACCOUNT)
            async with other.writing() as writing:
                await writing.accounts.add(ACCOUNT, NOW)
            assert await unit.accounts.exists(ACCOUNT)

    async def test_readers_do_not_wait_for_a_writer(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            await unit.accounts.add(ACCOUNT, NOW)
            async with asyncio.timeout(5):
                assert await asyncio.gather(*(exists(metadata) for _ in range(10))) == [False] * 10

    # --- the epoch --------------------------------------------------------------------------------------------------

    async def test_the_epoch_stands_while_nobody_writes(self, metadata: Metadata) -> None:
        before = await metadata.epoch()
        assert not await exists(metadata)
        assert await metadata.epoch() == before

    @pytest.mark.parametrize("durable", [True, False])
    async def test_the_epoch_moves_with_a_commit_of_ones_own(self, metadata: Metadata, *, durable: bool) -> None:
        before = await metadata.epoch()
        async with metadata.writing(durable=durable) as unit:
            await unit.accounts.add(ACCOUNT, NOW)
        assert await metadata.epoch() != before

    async def test_the_epoch_moves_with_a_commit_of_another(self, metadata: Metadata, other: Metadata) -> None:
        seen = [await metadata.epoch()]
        for number in range(3):
            async with other.writing() as unit:
                await unit.accounts.add(f"{number:012}", NOW)
            seen.append(await metadata.epoch())
        assert len(set(seen)) == len(seen)

    async def test_what_was_read_in_an_epoch_that_stands_is_still_so(self, metadata: Metadata, other: Metadata) -> None:
        async with other.writing() as unit:
            await unit.accounts.add(ACCOUNT, NOW)
            during = await metadata.epoch()
            assert not await exists(metadata)
        assert await exists(metadata)
        assert await metadata.epoch() != during

    # --- authority --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("durable", [True, False])
    async def test_authority_moves_with_what_says_who_may_do_what(
        self, metadata: Metadata, other: Metadata, *, durable: bool
    ) -> None:
        seen = [await metadata.authority()]
        for writer in (metadata, other, metadata):
            async with writer.writing(durable=durable) as unit:
                await unit.accounts.add(f"{len(seen):012}", NOW)
                assert await metadata.authority() == seen[-1]
            seen.append(await metadata.authority())
            assert await other.authority() == seen[-1]
        assert len(set(seen)) == len(seen)

    async def test_authority_stands_when_something_else_changes_or_nothing_is_committed(
        self, metadata: Metadata
    ) -> None:
        key = await key_of(metadata)
        before = await metadata.authority()
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))
            await unit.manifests.add(key, image(1), b"{}")
        with contextlib.suppress(Interrupted):
            async with metadata.writing() as unit:
                await unit.accounts.add(STRANGER, NOW)
                raise Interrupted
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key, "another"))
        assert await metadata.authority() == before

    async def test_many_may_change_authority_at_once(self, metadata: Metadata, other: Metadata) -> None:
        async def change(writer: Metadata, account: int) -> None:
            async with writer.writing() as unit:
                await unit.accounts.add(f"{account:012}", NOW)

        before = await metadata.authority()
        async with asyncio.timeout(30):
            await asyncio.gather(*(change((metadata, other)[number % 2], number) for number in range(12)))
        assert before != await metadata.authority() == await other.authority()

    # --- cancellation -----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("times", [1, 3])
    async def test_a_cancelled_unit_is_undone(self, metadata: Metadata, other: Metadata, times: int) -> None:
        await cancelled(await begun(metadata), times)
        assert not await exists(metadata)
        await assert_still_writes(metadata, other)

    @pytest.mark.parametrize("times", [1, 3])
    async def test_one_cancelled_while_it_waits_leaves_nothing_open(
        self, metadata: Metadata, other: Metadata, times: int
    ) -> None:
        """A row that another process holds, and on SQLite the whole database."""
        locked = (await repository(metadata)).id

        async def wait() -> None:
            async with metadata.writing() as unit:
                await unit.repositories.lock(locked)

        async with other.writing() as unit:
            await unit.repositories.lock(locked)
            waiting = asyncio.ensure_future(wait())
            await asyncio.sleep(0.05)
            for _ in range(times):
                waiting.cancel()
                await asyncio.sleep(0.01)
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await assert_still_writes(metadata, other)

    @pytest.mark.parametrize("steps", range(1, 12))
    async def test_a_unit_may_be_cancelled_at_any_step(self, metadata: Metadata, other: Metadata, steps: int) -> None:
        async def write() -> None:
            async with metadata.writing() as unit:
                await unit.accounts.add(ACCOUNT, NOW)
                await unit.accounts.add(STRANGER, NOW)

        task = asyncio.ensure_future(write())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await assert_still_writes(metadata, other)
        assert await exists(metadata) == await exists(metadata, STRANGER)

    # --- many at once -----------------------------------------------------------------------------------------------

    async def test_what_is_locked_is_decided_once(self, metadata: Metadata, other: Metadata) -> None:
        """Reading, deciding and changing under a lock is one step, from any adapter on the database."""
        found = await repository(metadata)

        async def count(adapter: Metadata) -> None:
            for _ in range(ROUNDS):
                async with adapter.writing() as unit:
                    await unit.repositories.lock(found.id)
                    known = await unit.tags.of(found.key, digest(1))
                    await asyncio.sleep(0)
                    await unit.tags.put(found.key, f"n{len(known)}", digest(1), NOW)

        await asyncio.gather(*(count(adapter) for adapter in (metadata, other) * WRITERS))
        async with metadata.reading() as unit:
            assert len(await unit.tags.of(found.key, digest(1))) == 2 * WRITERS * ROUNDS

    async def test_of_all_who_want_to_hold_an_upload_one_does(self, metadata: Metadata, other: Metadata) -> None:
        key = await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.uploads.add(upload(key))

        async def hold(adapter: Metadata) -> bool:
            async with adapter.writing(durable=False) as unit:
                return await unit.uploads.hold(key, "one", NOW, NOW + 15)

        won = await asyncio.gather(*(hold(adapter) for adapter in (metadata, other) * WRITERS))
        assert sorted(won) == [False] * (2 * WRITERS - 1) + [True]

    async def test_of_all_who_add_a_name_one_does(self, metadata: Metadata, other: Metadata) -> None:
        async def add(adapter: Metadata) -> bool:
            async with adapter.writing() as unit:
                return await unit.accounts.add(ACCOUNT, NOW)

        won = await asyncio.gather(*(add(adapter) for adapter in (metadata, other) * WRITERS))
        assert sorted(won) == [False] * (2 * WRITERS - 1) + [True]

    # --- state ------------------------------------------------------------------------------------------------------

    async def test_a_database_that_answers_passes_its_check(self, metadata: Metadata) -> None:
        await metadata.check()

    async def test_rows_are_there_for_who_connects_later(self, metadata: Metadata, other: Metadata) -> None:
        async with metadata.writing(durable=False) as unit:
            await unit.accounts.add(ACCOUNT, NOW)
        await metadata.close()
        assert await exists(other)
