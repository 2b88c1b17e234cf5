"""What a process remembers, and when it forgets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portside.core.digest import Digest
from portside.core.errors import ImageNotFound, RegistryTokenInvalid
from portside.core.identities import Kind
from portside.identity.caller import Caller
from portside.registry.access import Access, Ask
from portside.registry.recollection import Recollection
from portside.storage.errors import StorageUnavailable
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.tables import OF_AUTHORITY, metadata
from tests.registry.fakes import Rows
from tests.registry.house import ACCOUNT, APP, HOME, KEY, REGION, STRANGER, House, image_of, opened
from tests.registry.iam_house import document, user
from tests.registry.test_callers import basic, bearer, now, password_of
from tests.registry.test_images import tagged
from tests.registry.test_sessions import assume, role


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


async def test_what_rests_on_authority_is_kept_until_that_changes(app: House) -> None:
    recollection, reader = Recollection(app.stores.metadata), Reader()
    for number in range(3):
        await recollection.recall_authority("key", reader)
        await app.image(config=str(number).encode())
    assert reader.count == 1
    await write(app)
    reader.value = "other"
    assert await recollection.recall_authority("key", reader) == "other"


async def test_what_was_read_before_authority_changed_is_not_believed_after_it(house: House) -> None:
    recollection = Recollection(house.stores.metadata)

    async def slow() -> str:
        await write(house)
        return "old"

    assert await recollection.recall_authority("key", slow) == "old"
    assert await recollection.recall_authority("key", Reader("new")) == "new"


async def test_who_may_do_what_is_read_from_the_tables_of_authority_alone(app: House) -> None:
    """All other tables are taken away, and everybody is still known and decided on."""
    iam = app.registry.iam
    ann = await user(app, "ann", "ecr:*")
    key = await iam.access_keys.create(app.caller, "ann")
    ann = replace(ann, principal=replace(ann.principal, access_key=key.key.id))
    await iam.directory.create(app.caller, Kind.GROUP, "all")
    await iam.holding.join(app.caller, "all", "ann")
    await iam.holding.put(app.caller, Kind.GROUP, "all", "own", document("sts:*"))
    managed = await iam.managed.create(app.caller, "sts", document("sts:*"), path="/", description="", tags={})
    await iam.holding.attach(app.caller, Kind.GROUP, "all", managed.policy.arn)
    await iam.directory.bound(app.caller, Kind.USER, "ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    granted = await assume(app, ann, await role(app, "deploy", None, "ecr:*"))
    everybody = document("ecr:BatchGetImage", Principal="*")
    await app.registry.policies.set_of_repository(app.caller, APP, everybody, force=False)
    everything = f"arn:aws:ecr:*:{ACCOUNT}:repository/*"
    whole = document("ecr:ReplicateImage", Principal={"AWS": STRANGER}, Resource=everything)
    await app.registry.policies.put_of_registry(app.caller, HOME, whole)
    session = Caller(granted.principal, now(app))
    passwords = [(await app.registry.callers.issue_token(who, REGION)).password for who in (app.caller, ann, session)]
    for table in metadata.sorted_tables:
        if table not in OF_AUTHORITY:
            await app.rows(f'DROP TABLE "{table.name}"')
    with pytest.raises(StorageUnavailable):
        async with app.stores.metadata.reading() as unit:
            await unit.manifests.find(1, Digest.of(b"{}"))
    access = Access(app.stores)
    for password in passwords:
        found = (await app.registry.callers._redeemed(basic(password), now(app)))[1]
        ask = Ask(Caller(found, now(app)), "ecr:PutImage", APP.arn, APP.registry, APP)
        assert (await access.held(ask)).decision.allowed


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
