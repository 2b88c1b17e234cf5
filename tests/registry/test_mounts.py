from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.core.errors import AccessDenied, RepositoryNotFound
from portside.core.names import RepositoryId
from portside.core.records import Layer
from portside.identity.caller import Principal
from portside.identity.policy import Decision
from portside.registry.access import Access, Ask
from portside.registry.mounts import Mounts
from portside.registry.rules import Rules
from tests.conformance.nouns.counts import assert_counted, holders
from tests.registry.fakes import Blobs
from tests.registry.house import APP, HOME, Clock, House, image_of, opened

LAYER = b"layer"
DIGEST = Digest.of(LAYER)
SOURCE = HOME.repository("team/source")
PRIVATE = HOME.repository("team/private")
NONE = HOME.repository("team/none")


@pytest.fixture
async def shelf(app: House) -> House:
    """APP is empty; SOURCE has an image of LAYER; blobs may be mounted."""
    await app.create(SOURCE)
    await app.image("v1", config=LAYER, repository=SOURCE)
    await enable(app)
    return app


async def enable(house: House, value: str = "ENABLED") -> None:
    await house.registry.settings.put(house.caller, HOME, "BLOB_MOUNTING", value)


async def mount(
    house: House, source: RepositoryId | None = SOURCE, target: RepositoryId = APP, digest: Digest = DIGEST
) -> Layer | None:
    return await house.registry.mounts.mount(house.caller, target, digest, source)


class Gate(Access):
    """Lets everything through but what is named, and remembers what it was asked."""

    def __init__(self, house: House, *refused: tuple[str, RepositoryId]) -> None:
        super().__init__(house.stores)
        self._refused = {(action, repository.arn) for action, repository in refused}
        self.asked: list[tuple[str, str]] = []

    async def decide(self, ask: Ask) -> Decision:
        self.asked.append((ask.action, ask.resource))
        denied = (ask.action, ask.resource) in self._refused
        return Decision("implicit_deny" if denied else "allow", "identity", "", "", frozenset())


# --- from a repository that is named ----------------------------------------------------------------------------------


async def test_a_mounted_blob_is_held_and_can_be_read(shelf: House) -> None:
    mounted = await mount(shelf)
    assert mounted is not None
    assert (mounted.digest, mounted.size) == (DIGEST, len(LAYER))
    assert await shelf.holds(DIGEST)
    assert await shelf.read(DIGEST) == LAYER
    await shelf.put(image_of(LAYER), "v1")
    assert await holders(shelf.stores.metadata) == {DIGEST: 2}
    await assert_counted(shelf.stores.metadata)


async def test_a_mounted_blob_outlives_its_source(shelf: House) -> None:
    await mount(shelf)
    await shelf.registry.repositories.delete(shelf.caller, SOURCE, force=True)
    assert await shelf.read(DIGEST) == LAYER
    assert await holders(shelf.stores.metadata) == {DIGEST: 1}


async def test_mounting_again_changes_nothing(shelf: House) -> None:
    for _ in range(2):
        assert await mount(shelf) is not None
    assert await mount(shelf, APP) is not None
    assert await holders(shelf.stores.metadata) == {DIGEST: 2}


async def test_a_mount_keeps_a_sweep_away(shelf: House, clock: Clock) -> None:
    """Whoever collects garbage waits until a row was left alone for long."""
    await mount(shelf)
    clock.forward(3600)
    await mount(shelf)
    assert await shelf.rows("SELECT max(touched_at) FROM layers") == [(clock(),)]
    await shelf.create(NONE)
    await mount(shelf, target=NONE)
    assert await shelf.rows("SELECT touched_at FROM blobs") == [(clock(),)]


@pytest.mark.parametrize("source", [NONE, HOME.repository("other")])
async def test_a_source_that_is_not_there_gives_an_upload(shelf: House, source: RepositoryId) -> None:
    assert await mount(shelf, source) is None


async def test_a_blob_that_the_source_lacks_gives_an_upload(shelf: House) -> None:
    await shelf.push(b"only here")
    assert await mount(shelf, digest=Digest.of(b"only here")) is None
    assert await mount(shelf, digest=Digest.of(b"nowhere")) is None


async def test_nothing_is_mounted_until_the_account_says_so(shelf: House) -> None:
    await enable(shelf, "DISABLED")
    for source in (SOURCE, None):
        assert await mount(shelf, source) is None
    assert not await shelf.holds(DIGEST)


async def test_what_was_mounted_stays_when_mounting_ends(shelf: House) -> None:
    await mount(shelf)
    await enable(shelf, "DISABLED")
    assert await shelf.read(DIGEST) == LAYER


async def test_another_key_gives_an_upload(shelf: House) -> None:
    target = HOME.repository("team/encrypted")
    await shelf.create(target, encryption_type="KMS")
    for source in (SOURCE, None):
        assert await mount(shelf, source, target=target) is None


async def test_a_missing_target_is_said(shelf: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await mount(shelf, target=NONE)


async def test_a_blob_without_an_image_is_mounted_unless_the_rules_forbid(tmp_path: Path, clock: Clock) -> None:
    for name, anything in (("open", True), ("strict", False)):
        (tmp_path / name).mkdir()
        async with opened(tmp_path / name, clock, rules=Rules(mounts_anything=anything)) as house:
            for repository in (APP, SOURCE):
                await house.create(repository)
            await enable(house)
            await house.push(LAYER, SOURCE)
            assert (await mount(house) is not None) is anything
            await house.put(image_of(LAYER), "v1", SOURCE)
            assert await mount(house) is not None


async def test_a_blob_of_archived_images_alone_gives_an_upload(shelf: House) -> None:
    await shelf.rows("UPDATE manifests SET status = 'ARCHIVED'")
    for source in (SOURCE, None):
        assert await mount(shelf, source) is None


async def test_bytes_that_are_gone_give_an_upload(shelf: House) -> None:
    [path] = [path for path in shelf.files() if "blobs" in path.parts]
    path.unlink()
    assert await mount(shelf) is None
    assert await shelf.rows("SELECT count(*) FROM layers") == [(1,)]


# --- the gate ---------------------------------------------------------------------------------------------------------


async def test_who_may_not_read_the_source_gets_an_upload(shelf: House) -> None:
    gate = Gate(shelf, ("ecr:GetDownloadUrlForLayer", SOURCE))
    assert await Mounts(shelf.stores, gate).mount(shelf.caller, APP, DIGEST, SOURCE) is None
    assert gate.asked == [("ecr:InitiateLayerUpload", APP.arn), ("ecr:GetDownloadUrlForLayer", SOURCE.arn)]
    assert not await shelf.holds(DIGEST)


async def test_who_may_not_push_to_the_target_is_denied(shelf: House) -> None:
    with pytest.raises(AccessDenied):
        await Mounts(shelf.stores, Gate(shelf, ("ecr:InitiateLayerUpload", APP))).mount(
            shelf.caller, APP, DIGEST, SOURCE
        )


async def test_nothing_is_told_of_what_may_not_be_read(shelf: House) -> None:
    """Whether it holds the blob or not, or is not even there."""
    await shelf.create(PRIVATE)
    for source in (SOURCE, PRIVATE, NONE):
        gate = Gate(shelf, ("ecr:GetDownloadUrlForLayer", source))
        assert await Mounts(shelf.stores, gate).mount(shelf.caller, APP, DIGEST, source) is None
        assert gate.asked[1:] == [("ecr:GetDownloadUrlForLayer", source.arn)]


async def test_a_stranger_gets_nothing(shelf: House) -> None:
    stranger = replace(shelf.caller, principal=Principal.root("999999999999", "AKIASTRANGER"))
    for source in (SOURCE, None):
        with pytest.raises(AccessDenied):
            await shelf.registry.mounts.mount(stranger, APP, DIGEST, source)


# --- from anywhere ----------------------------------------------------------------------------------------------------


async def test_a_blob_is_found_wherever_it_is(shelf: House) -> None:
    assert await mount(shelf, None) is not None
    assert await shelf.read(DIGEST) == LAYER


async def test_only_what_may_be_read_is_found(shelf: House) -> None:
    await shelf.create(PRIVATE)
    await shelf.image("v1", config=b"secret", repository=PRIVATE)
    secret = Digest.of(b"secret")
    gate = Gate(shelf, ("ecr:GetDownloadUrlForLayer", PRIVATE))
    assert await Mounts(shelf.stores, gate).mount(shelf.caller, APP, secret, None) is None
    assert ("ecr:GetDownloadUrlForLayer", PRIVATE.arn) in gate.asked
    assert not await shelf.holds(secret)
    await shelf.image("v2", config=b"secret", repository=SOURCE)
    assert await Mounts(shelf.stores, gate).mount(shelf.caller, APP, secret, None) is not None


async def test_the_gate_is_asked_for_a_bounded_number(shelf: House) -> None:
    for number in range(120):
        repository = HOME.repository(f"copy/{number}")
        await shelf.create(repository)
        await mount(shelf, target=repository)

    class Closed(Gate):
        async def decide(self, ask: Ask) -> Decision:
            decision = await super().decide(ask)
            if ask.action == "ecr:GetDownloadUrlForLayer":
                return replace(decision, verdict="implicit_deny")
            return decision

    gate = Closed(shelf)
    assert await Mounts(shelf.stores, gate).mount(shelf.caller, APP, DIGEST, None) is None
    assert len(gate.asked) == 101


async def test_the_rules_may_ask_for_a_name(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, rules=Rules(mounts_anything=False)) as house:
        for repository in (APP, SOURCE):
            await house.create(repository)
        await enable(house)
        await house.image("v1", config=LAYER, repository=SOURCE)
        assert await mount(house, None) is None
        assert await mount(house) is not None


# --- what happens at the same time ------------------------------------------------------------------------------------


async def between(house: House, act: Callable[[], Any]) -> Layer | None:
    """Mount, and let something happen after the blob was seen and before it is taken."""
    blobs = house.stores.blobs
    assert isinstance(blobs, Blobs)
    loop = asyncio.get_running_loop()
    blobs.before["holds"] = lambda: asyncio.run_coroutine_threadsafe(act(), loop).result(10)
    try:
        return await mount(house)
    finally:
        del blobs.before["holds"]


@pytest.fixture
async def watched(tmp_path: Path, clock: Clock) -> Any:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        for repository in (APP, SOURCE):
            await house.create(repository)
        await enable(house)
        await house.image("v1", config=LAYER, repository=SOURCE)
        yield house


async def test_a_source_deleted_meanwhile_gives_an_upload(watched: House) -> None:
    async def delete() -> None:
        await watched.registry.repositories.delete(watched.caller, SOURCE, force=True)

    assert await between(watched, delete) is None
    assert await holders(watched.stores.metadata) == {DIGEST: 0}


async def test_a_target_deleted_meanwhile_is_said(watched: House) -> None:
    async def delete() -> None:
        await watched.registry.repositories.delete(watched.caller, APP, force=True)

    with pytest.raises(RepositoryNotFound):
        await between(watched, delete)
    assert await holders(watched.stores.metadata) == {DIGEST: 1}


async def test_mounting_ended_meanwhile_gives_an_upload(watched: House) -> None:
    async def end() -> None:
        await enable(watched, "DISABLED")

    assert await between(watched, end) is None
    assert not await watched.holds(DIGEST)


async def test_bytes_found_damaged_meanwhile_give_an_upload(watched: House) -> None:
    async def damage() -> None:
        await watched.rows("UPDATE blobs SET damaged = 1")

    assert await between(watched, damage) is None


async def test_mounts_at_once_count_once(shelf: House) -> None:
    assert None not in await asyncio.gather(*(mount(shelf) for _ in range(8)))
    assert await holders(shelf.stores.metadata) == {DIGEST: 2}
    await assert_counted(shelf.stores.metadata)
