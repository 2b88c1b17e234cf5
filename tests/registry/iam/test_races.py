"""Two callers at once: one gets it, and the other is told."""

from __future__ import annotations

import asyncio

from portside.core.iam_errors import EntityAlreadyExists, EntityLimitExceeded
from portside.core.identities import Kind
from tests.registry.house import House


async def test_of_two_who_make_the_same_user_one_is_told_that_it_exists(house: House) -> None:
    create = house.registry.iam.directory.create
    made = await asyncio.gather(
        *(create(house.caller, Kind.USER, name) for name in ("ann", "ANN", "ann")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in made) == ["EntityAlreadyExists", "EntityAlreadyExists", "Identity"]
    assert all(isinstance(one, EntityAlreadyExists) for one in made if isinstance(one, Exception))


async def test_no_more_than_two_keys_are_made_however_many_ask_at_once(house: House) -> None:
    await house.registry.iam.directory.create(house.caller, Kind.USER, "ann")
    create = house.registry.iam.access_keys.create
    made = await asyncio.gather(*(create(house.caller, "ann") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, EntityLimitExceeded) for one in made) == 3
    _, keys = await house.registry.iam.access_keys.of(house.caller, "ann")
    assert len(keys) == 2
