"""Repositories that are deleted with very much in them: gone at once, empty later."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import RepositoryNotFound
from portside.core.names import ImageId, RepositoryId, Tag
from portside.core.records import Image
from portside.registry.collection import Swept
from portside.registry.emptying import Emptying
from tests.conformance.nouns.counts import assert_counted
from tests.registry.house import APP, HOME, START, Clock, House, opened
from tests.registry.lifecycle.rules import KEEP_ONE, policy

MANY = 1100
CONFIG = b"{}"


async def fill(house: House) -> None:
    """Let APP have more images and layers than one request deletes."""
    held = await house.create()
    config = await house.push(CONFIG)
    image = Image(config, "manifest", None, None, 1, 1, START, None)
    async with house.stores.metadata.writing() as unit:
        for number in range(MANY):
            digest, layer = Digest.of(f"image {number}".encode()), Digest.of(f"layer {number}".encode())
            await unit.layers.add_blob(held.content_key, layer, f"nowhere/{number}", 1, START)
            await unit.layers.link(held.key, held.content_key, layer, START)
            await unit.manifests.add(held.key, replace(image, digest=digest), b"")
            for named in (config, layer):
                await unit.manifests.refer(held.key, digest, named, is_image=False)
                await unit.layers.refer(held.key, named, "layer", START)
            await unit.tags.put(held.key, Tag(f"v{number}"), digest, START)


@pytest.fixture
async def full(house: House) -> House:
    """A house whose APP has much."""
    await fill(house)
    await assert_counted(house.stores.metadata)
    return house


async def delete(house: House) -> None:
    await house.registry.repositories.delete(house.caller, APP, force=True)


async def told(house: House) -> list[tuple[str, str, str, str]]:
    async with house.stores.metadata.reading() as unit:
        rows = [json.loads(row.document) for row in await unit.events.after(-1, 0, 10 * MANY)]
    return [
        (row["account"], row["region"], row["detail"]["repository-name"], row["detail"]["image-tag"])
        for row in rows
        if row["detail"]["action-type"] == "DELETE"
    ]


async def test_it_is_gone_at_once_and_so_is_all_that_it_was(full: House) -> None:
    await full.registry.lifecycle_policies.put(full.caller, APP, policy(KEEP_ONE))
    await delete(full)
    await assert_counted(full.stores.metadata)
    assert await full.rows("SELECT images > 0 FROM repositories") == [(1,)]
    for ask in (full.identifiers(), full.holds(Digest.of(CONFIG)), delete(full)):
        with pytest.raises(RepositoryNotFound):
            await ask
    described = full.registry.repositories.describe(full.caller, HOME, [], limit=10, token=None)
    assert (await described).items == []
    assert await full.rows("SELECT repositories FROM registries") == [(0,)]
    assert await full.rows("SELECT * FROM lifecycle_policies") == []


async def test_nothing_is_told_of_it_but_what_it_was(full: House) -> None:
    await full.rows("UPDATE manifests SET status = 'ACTIVATING' WHERE digest IN (SELECT digest FROM tags LIMIT 10)")
    await delete(full)
    [key] = (await full.rows("SELECT key FROM repositories"))[0]
    async with full.stores.metadata.reading() as unit:
        assert await unit.repositories.find(RepositoryId(APP.account, "", str(key))) is None
        assert await unit.archive.activating((0, ""), 100) == []
        [(repository, digest), *_] = await unit.inspection.manifests((0, ""), 1)
        assert await unit.inspection.manifest(repository, digest) is None


async def test_its_name_is_free_for_another_one(full: House) -> None:
    await delete(full)
    made = await full.create(tag_mutability="IMMUTABLE")
    digest = await full.image("v1")
    await Emptying(full.stores).run()
    assert await full.identifiers() == [ImageId(Tag("v1"), digest)]
    assert await full.rows("SELECT key, former FROM repositories") == [(made.key, None)]
    assert await full.read(Digest.of(CONFIG)) == CONFIG
    await assert_counted(full.stores.metadata)


async def test_what_it_held_goes_with_an_event_for_each_image(full: House) -> None:
    await delete(full)
    assert len(await told(full)) < MANY
    assert await Emptying(full.stores).run() == 1
    assert sorted(await told(full)) == sorted(
        (APP.account, APP.region, APP.name, f"v{number}") for number in range(MANY)
    )
    for table in ("repositories", "manifests", "manifest_references", "tags", "layers"):
        assert await full.rows(f"SELECT * FROM {table}") == []
    assert await full.rows("SELECT DISTINCT holders FROM blobs") == [(0,)]
    assert await Emptying(full.stores).run() == 0


async def test_an_emptying_that_is_cut_off_goes_on(full: House) -> None:
    await delete(full)
    run = asyncio.ensure_future(Emptying(full.stores).run())
    [before] = await full.rows("SELECT images FROM repositories")
    for _ in range(1000):
        await asyncio.sleep(0)
        if (await full.rows("SELECT images FROM repositories")) != [before]:
            break
    run.cancel()
    await asyncio.wait({run})
    [left] = await full.rows("SELECT images FROM repositories")
    assert 0 < left[0] < before[0]
    await assert_counted(full.stores.metadata)
    assert await Emptying(full.stores).run() == 1
    assert len(await told(full)) == MANY


async def test_two_who_empty_at_once_do_it_once(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        await fill(one)
        await delete(one)
        await asyncio.gather(Emptying(one.stores).run(), Emptying(other.stores).run())
        assert len(await told(one)) == MANY
        assert await one.rows("SELECT * FROM repositories") == []
        await assert_counted(one.stores.metadata)


async def test_a_sweep_has_no_trouble_with_one_that_is_not_empty_yet(full: House) -> None:
    await delete(full)
    assert await full.collection.sweep() == Swept()
    await Emptying(full.stores).run()
    await assert_counted(full.stores.metadata)
