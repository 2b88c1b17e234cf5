"""Applying policies: what was decided is done, unless it is no longer so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from portside.core.digest import Digest
from portside.core.errors import RepositoryNotFound
from portside.core.lifecycle.grammar import read
from portside.core.names import ImageId, RepositoryId, parse_tag
from portside.core.settings_errors import LifecyclePolicyNotFound
from portside.jobs.lifecycle import apply_lifecycle_policies
from portside.registry.lifecycle.evaluator import Evaluator
from portside.registry.lifecycle.runs import Failure, LifecycleRuns, Run, one_by_one
from portside.storage.errors import KeyDisabled, StorageUnavailable
from portside.storage.metadata.port import Metadata, Unit
from tests.conformance.nouns.counts import assert_counted
from tests.registry.house import APP, HOME, SECOND, Clock, House, described, image_of, index_of, opened
from tests.registry.lifecycle.rules import ARCHIVE_UNUSED, DAY, EXPIRE_UNTAGGED, KEEP_ONE, policy

INTERVAL = DAY * SECOND


KEEP_ALL = {**KEEP_ONE, "selection": {**KEEP_ONE["selection"], "countNumber": 1000}}
V1 = ImageId(tag=parse_tag("v1"))


def runs(house: House) -> LifecycleRuns:
    return LifecycleRuns(house.stores, INTERVAL, pulls_late=0)


async def put(house: House, *rules: dict[str, Any]) -> None:
    await house.registry.lifecycle_policies.put(house.caller, APP, policy(*rules))


async def tags(house: House) -> list[str | None]:
    return [one.tag and str(one.tag) for one in await house.identifiers()]


async def told(house: House) -> list[tuple[str, str | None]]:
    async with house.stores.metadata.reading() as unit:
        details = [json.loads(row.document)["detail"] for row in await unit.events.after(-1, 0, 1000)]
    return [(one.get("target-storage-class", one["action-type"]), one.get("image-tag")) for one in details]


@pytest.fixture
async def app(house: House) -> House:
    """Images v1, one without a tag, v2, a day apart."""
    await fill(house)
    return house


async def fill(house: House) -> None:
    await house.create()
    for tag, config in (("v1", b"1"), (None, b"2"), ("v2", b"3")):
        await house.image(tag, config)
        house.clock.forward(DAY)


async def test_images_expire_with_an_event_and_a_line_that_names_rule_and_image(app: House) -> None:
    await put(app, {**KEEP_ONE, "description": "only the newest"})
    with capture_logs() as logs:
        run = await runs(app).run(APP)
    assert (run.expired, run.archived, run.spared, run.finished) == (2, 0, 0, True)
    assert await tags(app) == ["v2"]
    assert (await told(app))[3:] == [("DELETE", "v1"), ("DELETE", None)]
    first = Digest.of(image_of(b"1"))
    assert next(line for line in logs if line["event"] == "image expired") == {
        "event": "image expired",
        "log_level": "info",
        "repository": APP.arn,
        "digest": str(first),
        "tags": ["v1"],
        "rule": 1,
        "description": "only the newest",
    }
    await assert_counted(app.stores.metadata)
    assert (await runs(app).run(APP)).outcome.actions == []


async def test_images_are_archived_by_a_transition(app: House) -> None:
    await put(app, ARCHIVE_UNUSED)
    app.clock.forward(40 * DAY)
    with capture_logs() as logs:
        run = await runs(app).run(APP)
    assert (run.expired, run.archived) == (0, 3)
    assert await tags(app) == []
    assert [line["event"] for line in logs].count("image archived") == 3
    assert (await told(app))[3:] == [("ARCHIVE", None)] * 3
    assert (await runs(app).run(APP)).archived == 0


async def test_what_was_pulled_just_before_a_run_stays(app: House) -> None:
    await put(app, ARCHIVE_UNUSED)
    app.clock.forward(40 * DAY)
    await app.registry.images.get(app.caller, APP, V1)
    assert (await LifecycleRuns(app.stores, INTERVAL).run(APP)).spared == 1
    assert await tags(app) == ["v1"]


async def test_what_an_index_lists_goes_after_it_in_one_run(app: House) -> None:
    await app.push(b"1")
    await app.put(index_of(image_of(b"1")))
    app.clock.forward(3 * DAY)
    await app.image("newest", b"9")
    await put(app, KEEP_ONE)
    run = await runs(app).run(APP)
    assert (run.expired, run.spared) == (4, 0)
    assert await tags(app) == ["newest"]


async def test_a_signature_goes_with_its_image(app: House) -> None:
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": str(Digest.of(image_of(b"1")))}
    await app.put(image_of(b"1", subject={**subject, "size": len(image_of(b"1"))}))
    await put(app, KEEP_ONE)
    assert (await runs(app).run(APP)).expired == 3
    assert await tags(app) == ["v2"]


def referring(subject: bytes, config: bytes) -> bytes:
    """An image that refers to another."""
    return image_of(config, subject=described("application/vnd.oci.image.manifest.v1+json", subject))


async def test_what_refers_to_an_image_that_somebody_deleted_goes(app: House) -> None:
    first, never = image_of(b"1"), image_of(b"never pushed")
    await app.put(signature := referring(first, b"1"), "signature")
    await app.put(referring(signature, b"1"), "of-the-signature")
    await app.put(referring(never, b"1"), "early")
    await app.delete(V1)
    await put(app, EXPIRE_UNTAGGED)
    with capture_logs() as logs:
        assert (await runs(app).run(APP)).expired == 3
    assert await tags(app) == ["v2", "early"]
    [line] = [line for line in logs if line["event"] == "image expired" and line["tags"] == ["signature"]]
    assert line["subject"] == str(Digest.of(first))
    await assert_counted(app.stores.metadata)


async def test_what_refers_to_an_image_that_was_pushed_again_stays(app: House) -> None:
    await app.put(referring(image_of(b"1"), b"1"), "signature")
    await app.delete(V1)
    await app.image("v1", b"1")
    await put(app, KEEP_ALL)
    assert (await runs(app).run(APP)).outcome.actions == []
    await app.delete(V1)
    assert (await runs(app).run(APP)).expired == 1


async def test_what_refers_to_an_image_that_is_archived_already_is_archived(app: House) -> None:
    await app.registry.storage_classes.update(app.caller, APP, V1, "ARCHIVE")
    await app.put(referring(image_of(b"1"), b"1"), "signature")
    assert await tags(app) == [None, "v2", "signature"]
    await put(app, KEEP_ALL)
    assert (await runs(app).run(APP)).archived == 1
    assert await tags(app) == [None, "v2"]


async def test_images_whose_lists_and_subjects_lead_back_to_each_other_go(app: House) -> None:
    subject = image_of(b"1")
    inner = index_of(subject)
    kind = {"subject": described("application/vnd.oci.image.manifest.v1+json", subject)}
    outer = index_of(inner, **kind)
    await app.put(inner)
    await app.put(outer)
    app.clock.forward(DAY)
    await app.image("newest", b"3 ")
    await put(app, KEEP_ONE)
    run = await runs(app).run(APP)
    assert (run.expired, run.spared, len(run.outcome.kept)) == (5, 0, 0)
    assert await tags(app) == ["newest"]
    await assert_counted(app.stores.metadata)


async def test_a_policy_is_applied_when_it_is_due_and_not_before(app: House) -> None:
    assert await runs(app).run_due() == 0
    await put(app, EXPIRE_UNTAGGED)
    assert await runs(app).run_due() == 1
    assert await tags(app) == ["v1", "v2"]
    row = await app.registry.lifecycle_policies.get(app.caller, APP)
    assert row.evaluated_at == app.clock()
    assert await runs(app).run_due() == 0
    app.clock.forward(DAY)
    assert await runs(app).run_due() == 1


async def test_the_job_looks_often_and_each_policy_has_its_interval(app: House) -> None:
    job = apply_lifecycle_policies(runs(app), INTERVAL)
    assert (job.name, job.interval) == ("lifecycle", 300 * SECOND)
    assert apply_lifecycle_policies(runs(app), 20 * SECOND).interval == 20 * SECOND
    await put(app, KEEP_ONE)
    await job.work()
    assert await tags(app) == ["v2"]


async def test_a_shorter_interval_waits_for_no_longer_one(app: House) -> None:
    await put(app, EXPIRE_UNTAGGED)
    assert await LifecycleRuns(app.stores, 30 * INTERVAL).run_due() == 1
    assert await runs(app).run_due() == 1
    assert await runs(app).run_due() == 0


async def test_a_rehearsal_changes_nothing(app: House) -> None:
    await put(app, KEEP_ONE)
    run = await runs(app).preview(APP, None, app.clock())
    assert len(run.outcome.actions) == 2
    given = await runs(app).preview(APP, read(policy(EXPIRE_UNTAGGED)), app.clock())
    assert len(given.outcome.actions) == 1
    later = await runs(app).preview(APP, read(policy(ARCHIVE_UNUSED)), app.clock() + 31 * DAY * SECOND)
    assert len(later.outcome.actions) == 3
    assert len(await tags(app)) == 3
    assert await runs(app).with_policies() == [APP]


async def test_what_is_missing_is_said(house: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await runs(house).run(APP)
    await house.create()
    with pytest.raises(LifecyclePolicyNotFound):
        await runs(house).run(APP)


async def test_a_policy_that_cannot_be_read_is_said_and_keeps_no_other_from_its_turn(app: House) -> None:
    await app.create(other := HOME.repository("other"))
    await app.registry.lifecycle_policies.put(app.caller, other, policy(KEEP_ONE))
    await app.rows("UPDATE lifecycle_policies SET document = '{}', due_at = 0")
    await put(app, KEEP_ONE)
    with capture_logs() as logs:
        assert await runs(app).run_due() == 2
    assert [line["repository"] for line in logs if line["log_level"] == "error"] == [other.arn]
    assert await tags(app) == ["v2"]
    assert await runs(app).run_due() == 0


async def test_a_policy_that_takes_too_long_is_put_off_and_keeps_no_other_waiting(app: House) -> None:
    await app.create(other := HOME.repository("other"))
    await app.registry.lifecycle_policies.put(app.caller, other, policy(KEEP_ONE))
    await put(app, KEEP_ONE)
    slow = LifecycleRuns(app.stores, INTERVAL, Evaluator(longest=0.0))
    with capture_logs() as logs:
        assert await slow.run_due() == 2
    assert [line["reason"][:18] for line in logs if "reason" in line] == ["It takes too long:"]
    assert await tags(app) == ["v1", None, "v2"]
    assert await slow.run_due() == 0


async def test_of_several_that_somebody_asks_for_one_that_fails_is_told_and_the_others_are_done(app: House) -> None:
    await app.create(other := HOME.repository("other"))
    await app.registry.lifecycle_policies.put(app.caller, other, policy(KEEP_ONE))
    await put(app, KEEP_ONE)
    slow, quick = LifecycleRuns(app.stores, INTERVAL, Evaluator(longest=0.0)), runs(app)
    done, [failure] = await one_by_one([APP, other], lambda one: (slow if one == APP else quick).run(one))
    assert [run.repository for run in done] == [other]
    assert (failure.repository, failure.reason[:18]) == (APP, "It takes too long:")

    async def disabled(repository: RepositoryId) -> Run:
        raise KeyDisabled(repository.arn)

    assert await one_by_one([APP], disabled) == ([], [Failure(APP, f"{APP.arn} is disabled.")])


async def test_a_database_that_is_gone_is_gone_for_all() -> None:
    async def gone(repository: RepositoryId) -> Run:
        raise StorageUnavailable(repository.name)

    with pytest.raises(StorageUnavailable):
        await one_by_one([APP], gone)


# --- what happens meanwhile -----------------------------------------------------------------------------------------


class Meanwhile:
    """A Metadata before whose next units of writing something else happens."""

    def __init__(self, inner: Metadata) -> None:
        self._inner = inner
        self.waiting: list[Callable[[], Awaitable[object]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def writing(self, *, durable: bool = True) -> AsyncIterator[Unit]:
        if self.waiting:
            await self.waiting.pop(0)()
        async with self._inner.writing(durable=durable) as unit:
            yield unit


@pytest.fixture
async def meanwhile(tmp_path: Path, clock: Clock) -> AsyncIterator[tuple[House, House, Meanwhile]]:
    """A house whose runs are interrupted, and another process on the same folder that does it."""
    port: list[Meanwhile] = []

    def before(inner: Metadata) -> Metadata:
        port.append(Meanwhile(inner))
        return port[0]  # type: ignore[return-value]

    async with opened(tmp_path, clock, metadata=before) as house, opened(tmp_path, clock) as other:
        await fill(other)
        await put(other, KEEP_ONE)
        yield house, other, port[0]


@pytest.mark.parametrize(
    ("happens", "left"),
    [
        (lambda other: other.image("again", b"1"), ["again", "v1", "v2"]),
        (lambda other: other.put(index_of(image_of(b"1")), "all"), ["v1", "v2", "all"]),
        (lambda other: other.delete(V1), ["v2"]),
    ],
    ids=["tagged", "listed by an index", "deleted"],
)
async def test_an_image_that_changed_meanwhile_is_spared(
    meanwhile: tuple[House, House, Meanwhile], happens: Callable[[House], Awaitable[object]], left: list[str]
) -> None:
    house, other, port = meanwhile
    port.waiting.append(lambda: happens(other))
    run = await runs(house).run(APP)
    assert (run.expired, run.spared) == (1, 1)
    assert await tags(other) == left


async def test_an_image_that_was_deleted_and_pushed_again_is_spared(meanwhile: tuple[House, House, Meanwhile]) -> None:
    house, other, port = meanwhile

    async def again() -> None:
        await other.delete(V1)
        await other.image("v1", b"1")

    port.waiting.append(again)
    run = await runs(house).run(APP)
    assert (run.expired, run.spared) == (1, 1)
    assert await tags(other) == ["v2", "v1"]


@pytest.mark.parametrize("rule", [KEEP_ONE, {**KEEP_ONE, "action": ARCHIVE_UNUSED["action"]}])
async def test_what_refers_to_an_image_that_is_spared_is_spared_too(
    meanwhile: tuple[House, House, Meanwhile], rule: dict[str, Any]
) -> None:
    house, other, port = meanwhile
    subject = described("application/vnd.oci.image.manifest.v1+json", image_of(b"1"))
    await other.put(image_of(b"1", subject=subject), "signature")
    await put(other, rule)
    port.waiting.append(lambda: other.image("again", b"1"))
    run = await runs(house).run(APP)
    assert (run.expired + run.archived, run.spared) == (1, 2)
    assert await tags(other) == ["again", "v1", "v2", "signature"]


async def test_a_policy_that_is_replaced_meanwhile_does_nothing_more(
    meanwhile: tuple[House, House, Meanwhile],
) -> None:
    house, other, port = meanwhile
    port.waiting.append(lambda: put(other, EXPIRE_UNTAGGED))
    run = await runs(house).run(APP)
    assert (run.expired, run.finished) == (0, False)
    assert await runs(other).run_due() == 1
    assert await tags(other) == ["v1", "v2"]


async def test_a_repository_that_is_made_anew_meanwhile_is_another(
    meanwhile: tuple[House, House, Meanwhile],
) -> None:
    house, other, port = meanwhile

    async def anew() -> None:
        await other.registry.repositories.delete(other.caller, APP, force=True)
        await fill(other)
        await put(other, KEEP_ONE)

    port.waiting.append(anew)
    assert not (await runs(house).run(APP)).finished
    assert len(await tags(other)) == 3


async def test_a_run_that_is_cut_off_is_due_and_goes_on(meanwhile: tuple[House, House, Meanwhile]) -> None:
    house, other, port = meanwhile
    for number in range(150):
        await other.put(image_of(b"1", annotations={"number": str(number)}))
    other.clock.forward(DAY)
    await other.image("newest", b"9")

    async def nothing() -> None: ...

    async def fail() -> None:
        raise StorageUnavailable("gone")

    port.waiting += [nothing, nothing, fail]
    with pytest.raises(StorageUnavailable):
        await runs(house).run_due()
    assert len(await tags(other)) == 54
    assert (await other.registry.lifecycle_policies.get(other.caller, APP)).evaluated_at is None
    assert await runs(house).run_due() == 1
    assert await tags(other) == ["newest"]
