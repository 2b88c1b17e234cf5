from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from portside.core.errors import ImageTagAlreadyExists, RepositoryNotFound, TooManyTags
from portside.core.records import Repository, RepositorySettings, TagExclusion
from tests.registry.house import APP, HOME, Clock, House, opened

OTHER = HOME.repository("team/none")


async def settings(house: House) -> RepositorySettings:
    found = await house.registry.repositories.describe(house.caller, HOME, [APP.name], limit=1, token=None)
    return found.items[0].settings


async def test_mutability_is_replaced_whole_and_holds_at_the_next_push(app: House) -> None:
    changes = app.registry.repository_changes
    await app.image("v1", b'{"n": 1}')
    await changes.put_tag_mutability(app.caller, APP, "IMMUTABLE_WITH_EXCLUSION", [TagExclusion("dev-*")])
    with pytest.raises(ImageTagAlreadyExists):
        await app.image("v1", b'{"n": 2}')
    await app.image("dev-1", b'{"n": 1}')
    await app.image("dev-1", b'{"n": 2}')
    changed = await changes.put_tag_mutability(app.caller, APP, "MUTABLE", [])
    assert changed.settings.tag_exclusions == ()
    await app.image("v1", b'{"n": 2}')
    assert await settings(app) == changed.settings


async def test_each_setting_leaves_the_others(app: House) -> None:
    changes = app.registry.repository_changes
    await changes.put_scanning(app.caller, APP, scan_on_push=True)
    await changes.tag(app.caller, APP, {"a": "1", "b": "2"})
    await changes.put_tag_mutability(app.caller, APP, "IMMUTABLE", [])
    await changes.tag(app.caller, APP, {"b": "3", "c": ""})
    await changes.untag(app.caller, APP, ["a", "nothing"])
    assert await settings(app) == RepositorySettings("IMMUTABLE", scan_on_push=True, resource_tags={"b": "3", "c": ""})
    assert await changes.tags(app.caller, APP) == {"b": "3", "c": ""}


async def test_fifty_tags_are_the_most_and_a_refusal_changes_nothing(app: House) -> None:
    changes = app.registry.repository_changes
    full = {f"k{number}": "" for number in range(50)}
    await changes.tag(app.caller, APP, full)
    await changes.tag(app.caller, APP, {"k1": "new"})
    with pytest.raises(TooManyTags):
        await changes.tag(app.caller, APP, {"one more": ""})
    assert await changes.tags(app.caller, APP) == {**full, "k1": "new"}


async def test_no_repository_no_settings(app: House) -> None:
    changes, caller = app.registry.repository_changes, app.caller
    for call in (
        changes.put_tag_mutability(caller, OTHER, "MUTABLE", []),
        changes.put_scanning(caller, OTHER, scan_on_push=True),
        changes.tags(caller, OTHER),
        changes.tag(caller, OTHER, {"a": "b"}),
        changes.untag(caller, OTHER, ["a"]),
    ):
        with pytest.raises(RepositoryNotFound):
            await call


async def test_of_many_who_tag_at_once_all_do(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock) as house, opened(tmp_path, clock) as other:
        made = await house.create()
        assert isinstance(made, Repository)
        await asyncio.gather(
            *(
                who.registry.repository_changes.tag(who.caller, APP, {f"k{number}": str(number)})
                for number, who in enumerate((house, other) * 8)
            )
        )
        assert len(await house.registry.repository_changes.tags(house.caller, APP)) == 16
