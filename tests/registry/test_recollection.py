"""What a process remembers, and when it forgets."""

from __future__ import annotations

import pytest

from portside.core.errors import ImageNotFound, RegistryTokenInvalid
from portside.registry.recollection import Recollection
from portside.storage.metadata.accounts import AccessKeyRow
from tests.registry.fakes import Rows
from tests.registry.house import ACCOUNT, APP, KEY, House, image_of, opened
from tests.registry.test_callers import bearer, password_of
from tests.registry.test_images import tagged


class Reader:
    """Counts how often it is asked."""

    def __init__(self, value: str = "value") -> None:
        self.value = value
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        return self.value


async def write(house: House) -> None:
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.add("111111111111", house.clock())


async def test_a_value_is_read_once_while_nothing_changes(house: House) -> None:
    recollection, reader = Recollection(house.stores.metadata), Reader()
    assert [await recollection.recall("key", reader) for _ in range(3)] == ["value"] * 3
    assert reader.count == 1


async def test_everything_is_forgotten_with_a_commit(house: House) -> None:
    recollection, reader = Recollection(house.stores.metadata), Reader()
    await recollection.recall("key", reader)
    await write(house)
    reader.value = "other"
    assert await recollection.recall("key", reader) == "other"


async def test_everything_is_forgotten_with_a_commit_of_another_process(house: House) -> None:
    recollection, reader = Recollection(house.stores.metadata), Reader()
    await recollection.recall("key", reader)
    async with opened(house.folder, house.clock) as other:
        await write(other)
    reader.value = "other"
    assert await recollection.recall("key", reader) == "other"


async def test_what_was_read_before_a_commit_is_not_believed_after_it(house: House) -> None:
    recollection = Recollection(house.stores.metadata)

    async def slow() -> str:
        await write(house)
        return "old"

    assert await recollection.recall("key", slow) == "old"
    assert await recollection.recall("key", Reader("new")) == "new"


async def test_what_was_read_in_an_earlier_epoch_is_not_kept_in_a_later_one(house: House) -> None:
    recollection = Recollection(house.stores.metadata)

    async def overtaken() -> str:
        await write(house)
        await recollection.recall("another", Reader())  # moves the recollection on
        return "old"

    await recollection.recall("key", overtaken)
    assert await recollection.recall("key", Reader("new")) == "new"


async def test_failures_are_not_remembered(house: House) -> None:
    recollection = Recollection(house.stores.metadata)

    async def failing() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await recollection.recall("key", failing)
    assert await recollection.recall("key", Reader()) == "value"


async def test_no_more_is_kept_than_the_budget(house: House) -> None:
    recollection, readers = Recollection(house.stores.metadata, budget=10_000), [Reader(str(n)) for n in range(4)]
    for _ in range(2):
        await recollection.recall(0, readers[0], size=lambda _: 5_000)
    await recollection.recall(1, readers[1], size=lambda _: 5_000)  # in place of the first
    await recollection.recall(0, readers[0], size=lambda _: 5_000)
    for _ in range(2):
        await recollection.recall(2, readers[2], size=lambda _: 20_000)  # never
    assert [reader.count for reader in readers] == [2, 1, 2, 0]


async def test_a_tag_moved_by_one_process_is_seen_by_the_next_request_at_another(app: House) -> None:
    await app.image("v1", config=b"{}")
    async with opened(app.folder, app.clock) as other:
        assert (await other.registry.images.get(other.caller, APP, tagged("v1"))).content == image_of(b"{}")
        await app.image("v1", config=b"{ }")
        assert (await other.registry.images.get(other.caller, APP, tagged("v1"))).content == image_of(b"{ }")
        await app.registry.images.delete_many(app.caller, APP, [tagged("v1")])
        with pytest.raises(ImageNotFound):
            await other.registry.images.look(other.caller, APP, tagged("v1"))


async def test_a_key_taken_away_by_one_process_ends_its_tokens_at_another(app: House) -> None:
    password = await password_of(app)
    async with opened(app.folder, app.clock) as other:
        await bearer(other, password)
        async with app.stores.metadata.writing() as unit:
            await unit.accounts.set_root_key(AccessKeyRow(KEY, ACCOUNT, "root", b"", active=False), app.clock())
        with pytest.raises(RegistryTokenInvalid):
            await bearer(other, password)


async def test_pulls_come_without_a_read_of_rows(app: House) -> None:
    await app.image("v1")
    async with opened(app.folder, app.clock, metadata=Rows) as other:
        await other.registry.images.get(other.caller, APP, tagged("v1"))
        await other.stores.pulls.flush()
        await other.registry.images.get(other.caller, APP, tagged("v1"))
        rows = other.stores.metadata
        assert isinstance(rows, Rows)
        before = rows.readings
        await other.registry.images.get(other.caller, APP, tagged("v1"))
        assert rows.readings == before
