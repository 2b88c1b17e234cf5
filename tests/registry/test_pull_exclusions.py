"""Principals whose pulls leave pull times alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portside.core.errors import LimitExceeded
from portside.core.names import ImageId, parse_tag
from portside.core.settings_errors import ExclusionAlreadyExists, ExclusionNotFound
from portside.identity.caller import Caller
from tests.registry.house import ACCOUNT, APP, HOME, START, House
from tests.registry.iam_house import user

SCANNER = f"arn:aws:iam::{ACCOUNT}:user/scanner"
V1 = ImageId(tag=parse_tag("v1"))


async def register(house: House, principal: str = SCANNER) -> int:
    return await house.registry.pull_exclusions.register(house.caller, HOME, principal)


async def pulled_at(house: House) -> int | None:
    await house.stores.pulls.flush()
    found = await house.registry.images.describe(house.caller, APP, [V1], tag_status="ANY", limit=1, token=None)
    return found.items[0].last_pull_at


@pytest.fixture
async def scanner(app: House) -> Caller:
    """Somebody who pulls, and an image to pull."""
    await app.image("v1")
    return await user(app, "scanner", "ecr:*")


async def test_an_excluded_principal_pulls_without_a_trace(app: House, scanner: Caller) -> None:
    assert await register(app) == START
    await app.registry.images.get(scanner, APP, V1)
    await app.registry.images.get_many(scanner, APP, [V1], [])
    assert await pulled_at(app) is None
    await app.registry.images.get(app.caller, APP, V1)
    assert await pulled_at(app) == START


async def test_pulls_count_again_at_once_when_the_exclusion_goes(app: House, scanner: Caller) -> None:
    await register(app)
    await app.registry.images.get(scanner, APP, V1)
    await app.registry.pull_exclusions.deregister(app.caller, HOME, SCANNER)
    await app.registry.images.get(scanner, APP, V1)
    assert await pulled_at(app) == START


async def test_a_session_counts_as_its_role(app: House, scanner: Caller) -> None:
    entity = scanner.principal.entity
    assert entity is not None
    role = replace(entity, arn=f"arn:aws:iam::{ACCOUNT}:role/scanner")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/scanner/today"
    session = replace(scanner, principal=replace(scanner.principal, kind="AssumedRole", arn=arn, entity=role))
    await register(app, role.arn)
    await app.registry.images.get(session, APP, V1)
    assert await pulled_at(app) is None


async def test_a_principal_is_excluded_once(house: House) -> None:
    await register(house)
    with pytest.raises(ExclusionAlreadyExists):
        await register(house)
    with pytest.raises(ExclusionNotFound):
        await house.registry.pull_exclusions.deregister(house.caller, HOME, "arn:aws:iam::1:user/x")


async def test_a_registry_has_a_hundred_at_the_most_listed_by_pages(house: House) -> None:
    principals = sorted(f"{SCANNER}{number:03}" for number in range(100))
    for principal in principals:
        await register(house, principal)
    with pytest.raises(LimitExceeded):
        await register(house)
    found: list[str] = []
    token: str | None = None
    while True:
        page = await house.registry.pull_exclusions.page(house.caller, HOME, limit=30, token=token)
        found += page.items
        if (token := page.next_token) is None:
            break
    assert found == principals
