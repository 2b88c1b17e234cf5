"""Previews: worked out in the background, kept for a day, and changing nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from portside.core.errors import InvalidParameter
from portside.core.lifecycle.evaluation import Candidate, Outcome
from portside.core.lifecycle.policy import Policy
from portside.core.names import ImageId, parse_tag
from portside.core.settings_errors import (
    LifecyclePolicyNotFound,
    LifecyclePolicyPreviewInProgress,
    LifecyclePolicyPreviewNotFound,
)
from portside.registry.access import Access
from portside.registry.lifecycle.evaluator import Evaluator
from portside.registry.lifecycle.previews import LifecyclePreviews, Preview
from portside.registry.listing import PageTokens
from tests.registry.house import APP, House
from tests.registry.lifecycle.rules import ARCHIVE_UNUSED, DAY, EXPIRE_UNTAGGED, KEEP_ONE, policy

NEVER = policy({**KEEP_ONE, "selection": {**KEEP_ONE["selection"], "countNumber": 1000}})


async def look(house: House, *wanted: ImageId, limit: int = 100, token: str | None = None, **known: Any) -> Preview:
    known = {"tag_status": "ANY", **known}
    return await house.registry.lifecycle_previews.get(house.caller, APP, wanted, limit=limit, token=token, **known)


async def finished(house: House, text: str | None = None) -> Preview:
    await house.registry.lifecycle_previews.start(house.caller, APP, text)
    return await ended(house)


async def ended(house: House) -> Preview:
    for _ in range(500):
        found = await look(house)
        if found.row.status != "IN_PROGRESS":
            return found
        await asyncio.sleep(0.01)
    raise AssertionError


def digests(found: Preview) -> Sequence[str]:
    return [result["digest"] for result in found.results.items]


@pytest.fixture
async def app(house: House) -> House:
    """Three images a day apart: v1, one without a tag, and v2."""
    await house.create()
    for tag, config in (("v1", b"1"), (None, b"2"), ("v2", b"3")):
        await house.image(tag, config)
        house.clock.forward(DAY)
    return house


async def test_a_preview_says_what_would_become_of_each_image_and_changes_nothing(app: House) -> None:
    before = await app.identifiers()
    found = await finished(app, text := policy(KEEP_ONE))
    assert (found.row.status, found.row.policy) == ("COMPLETE", text)
    assert (found.row.expiring, found.row.transitioning) == (2, 0)
    first, second = found.results.items
    assert (first["tags"], first["action"], first["priority"], first["storage_class"]) == (
        ["v1"],
        "EXPIRE",
        1,
        "STANDARD",
    )
    assert (second["tags"], second["pushed_at"]) == ([], first["pushed_at"] + DAY * 1_000_000)
    assert await app.identifiers() == before


async def test_the_repositorys_own_policy_is_looked_at_unless_one_is_given(app: House) -> None:
    with pytest.raises(LifecyclePolicyNotFound):
        await app.registry.lifecycle_previews.start(app.caller, APP, None)
    await app.registry.lifecycle_policies.put(app.caller, APP, policy(EXPIRE_UNTAGGED))
    assert len((await finished(app)).results.items) == 1
    assert (await finished(app, NEVER)).results.items == []
    assert len((await finished(app)).results.items) == 1


async def test_images_that_would_be_archived_are_counted_apart(app: House) -> None:
    app.clock.forward(30 * DAY)
    found = await finished(app, policy(EXPIRE_UNTAGGED, ARCHIVE_UNUSED))
    assert (found.row.expiring, found.row.transitioning) == (1, 2)


async def test_one_preview_is_made_at_a_time(app: House) -> None:
    previews = app.registry.lifecycle_previews
    await previews.start(app.caller, APP, policy(KEEP_ONE))
    with pytest.raises(LifecyclePolicyPreviewInProgress):
        await previews.start(app.caller, APP, policy(KEEP_ONE))
    assert (await look(app)).results.items == []


async def test_a_preview_whose_maker_died_has_failed_and_can_be_started_again(app: House) -> None:
    previews = app.registry.lifecycle_previews
    await previews.start(app.caller, APP, policy(KEEP_ONE))
    for task in asyncio.all_tasks():
        if task.get_name() == "lifecycle preview":
            await task
    await app.rows("UPDATE lifecycle_previews SET status = 'IN_PROGRESS'")
    app.clock.forward(30)
    assert (await look(app)).row.status == "IN_PROGRESS"
    app.clock.forward(1)
    assert (await look(app)).row.status == "FAILED"
    assert (await finished(app, policy(KEEP_ONE))).row.status == "COMPLETE"


class Slow(Evaluator):
    """Evaluates once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()

    async def evaluate(self, rules: Policy, images: Sequence[Candidate], at: int) -> Outcome:
        await self.may.wait()
        return await super().evaluate(rules, images, at)


async def test_a_preview_that_takes_long_is_in_progress_as_long_as_its_maker_lives(app: House) -> None:
    evaluator = Slow()
    pages = PageTokens((await app.stores.keys.key_for("page")).box)
    previews = LifecyclePreviews(app.stores, Access(app.stores), pages, evaluator=evaluator, beat=0.01)
    await previews.start(app.caller, APP, policy(KEEP_ONE))
    for _ in range(3):
        app.clock.forward(31)
        await asyncio.sleep(0.1)
        assert (await look(app)).row.status == "IN_PROGRESS"
    evaluator.may.set()
    assert (await ended(app)).row.status == "COMPLETE"
    app.clock.forward(31)
    assert (await look(app)).row.status == "COMPLETE"


async def test_a_preview_that_is_given_up_has_failed_at_once(app: House) -> None:
    previews = app.registry.lifecycle_previews
    await previews.start(app.caller, APP, policy(KEEP_ONE))
    await asyncio.sleep(0)
    await previews.close()
    assert (await look(app)).row.status == "FAILED"
    assert (await finished(app, policy(KEEP_ONE))).row.status == "COMPLETE"


async def test_a_preview_is_old_after_a_day(app: House) -> None:
    await finished(app, policy(KEEP_ONE))
    app.clock.forward(DAY + 1)
    found = await look(app)
    assert (found.row.status, found.results.items) == ("EXPIRED", [])


async def test_what_is_no_policy_is_refused(app: House) -> None:
    with pytest.raises(InvalidParameter):
        await app.registry.lifecycle_previews.start(app.caller, APP, "{}")
    with pytest.raises(LifecyclePolicyPreviewNotFound):
        await look(app)


@pytest.mark.parametrize("status", ["ANY", "TAGGED", "UNTAGGED"])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_results_come_by_pages_of_those_asked_for(app: House, status: str, limit: int) -> None:
    app.clock.forward(30 * DAY)
    whole = await finished(app, policy(ARCHIVE_UNUSED))
    expected = [
        one["digest"] for one in whole.results.items if status == "ANY" or (status == "TAGGED") == bool(one["tags"])
    ]
    found: list[str] = []
    token: str | None = None
    while True:
        page = await look(app, limit=limit, token=token, tag_status=status)
        assert len(page.results.items) <= limit
        found += digests(page)
        token = page.results.next_token
        if token is None:
            break
    assert found == expected


async def test_a_token_continues_its_own_preview_only(app: House) -> None:
    app.clock.forward(30 * DAY)
    await finished(app, policy(ARCHIVE_UNUSED))
    token = (await look(app, limit=1)).results.next_token
    assert token
    with pytest.raises(InvalidParameter):
        await look(app, limit=1, token=token, tag_status="TAGGED")
    await finished(app, policy(ARCHIVE_UNUSED))
    with pytest.raises(InvalidParameter):
        await look(app, limit=1, token=token)


async def test_some_images_are_asked_for_by_name(app: House) -> None:
    whole = await finished(app, policy(KEEP_ONE))
    first = ImageId(tag=parse_tag("v1"))
    assert digests(await look(app, first)) == [digests(whole)[0]]
    assert digests(await look(app, ImageId(tag=parse_tag("v2")), ImageId(tag=parse_tag("gone")))) == []
    assert digests(await look(app, first, first, tag_status="TAGGED")) == [digests(whole)[0]]
    assert digests(await look(app, first, tag_status="UNTAGGED")) == []
