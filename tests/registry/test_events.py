"""What is announced, in the unit that makes the change."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.core.errors import ImageTagAlreadyExists
from portside.core.names import ImageId, parse_tag
from portside.registry.events import Follower, prune
from portside.storage.errors import StorageUnavailable
from tests.registry.house import ACCOUNT, APP, REGION, SECOND, START, House, described, image_of, index_of

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def told(house: House) -> list[dict[str, Any]]:
    async with house.stores.metadata.reading() as unit:
        return [json.loads(row.document) for row in await unit.events.after(-1, 0, 100)]


async def actions(house: House) -> list[tuple[str, str | None]]:
    return [(event["detail"]["action-type"], event["detail"].get("image-tag")) for event in await told(house)]


@pytest.fixture
async def app(house: House) -> House:
    await house.create()
    return house


async def test_a_push_is_told_in_eventbridges_shape(app: House) -> None:
    digest = await app.image("v1")
    [event] = await told(app)
    assert UUID.fullmatch(event.pop("id"))
    assert event == {
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": "2026-09-21T14:13:20Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": APP.name,
            "image-digest": str(digest),
            "action-type": "PUSH",
            "image-tag": "v1",
        },
    }


async def test_a_push_is_told_once_a_tag_and_only_when_something_changed(app: House) -> None:
    await app.image()
    await app.image()
    await app.image("v1")
    await app.image("v1")
    await app.image("v2", b'{"other": 1}')
    await app.image("v1", b'{"other": 1}')
    assert await actions(app) == [("PUSH", None), ("PUSH", "v1"), ("PUSH", "v2"), ("PUSH", "v1")]


async def test_a_push_that_fails_tells_nothing(app: House) -> None:
    await app.create(other := APP.registry.repository("fixed"), tag_mutability="IMMUTABLE")
    await app.image("v1", repository=other)
    with pytest.raises(ImageTagAlreadyExists):
        await app.image("v1", b'{"other": 1}', repository=other)
    assert await actions(app) == [("PUSH", "v1")]


async def test_each_tag_that_goes_is_told_and_an_image_without_one_by_its_digest(app: House) -> None:
    first = await app.image("a")
    await app.image("b")
    bare = await app.image(config=b'{"other": 1}')
    last = await app.image("c", b'{"third": 1}')
    await app.delete(ImageId(tag=parse_tag("a")))
    await app.registry.images.untag(app.caller, APP, parse_tag("b"))
    await app.delete(ImageId(digest=bare), ImageId(digest=last), ImageId(digest=first))
    deletions = [event["detail"] for event in await told(app) if event["detail"]["action-type"] == "DELETE"]
    assert [(one.get("image-tag"), one["image-digest"]) for one in deletions] == [
        ("a", str(first)),
        ("b", str(first)),
        (None, str(bare)),
        ("c", str(last)),
    ]


async def test_a_tag_that_an_index_keeps_the_image_of_is_told_too(app: House) -> None:
    await app.image("v1")
    await app.put(index_of(image_of(b"{}")), "all")
    await app.registry.images.untag(app.caller, APP, parse_tag("v1"))
    assert (await actions(app))[-1] == ("DELETE", "v1")


async def test_what_refers_to_an_image_is_told_as_a_referrer(app: House) -> None:
    await app.image("v1")
    await app.put(image_of(b"{}", subject=described("application/vnd.oci.image.manifest.v1+json", image_of(b"{}"))))
    event = (await told(app))[-1]
    assert event["detail-type"] == "ECR Referrer Action"
    assert event["detail"]["manifest-media-type"] == "application/vnd.oci.image.manifest.v1+json"
    assert event["detail"]["artifact-media-type"] == "application/vnd.oci.image.config.v1+json"


async def test_a_repository_that_is_removed_takes_every_image_with_it(app: House) -> None:
    first, other = await app.image("v1"), await app.image(config=b'{"other": 1}')
    await app.image("v2")
    await app.registry.repositories.delete(app.caller, APP, force=True)
    gone = [event["detail"] for event in await told(app) if event["detail"]["action-type"] == "DELETE"]
    assert sorted((one["image-digest"], one.get("image-tag", "")) for one in gone) == sorted(
        [(str(first), "v1"), (str(first), "v2"), (str(other), "")]
    )


async def test_an_image_that_is_pushed_again_comes_back_from_the_archive(app: House) -> None:
    digest = await app.image("v1")
    await archive(app, digest)
    app.clock.now = START + SECOND + 120_000
    await app.image("v1")
    pushed, restored = (await told(app))[-2:]
    assert (pushed["detail"]["action-type"], pushed["detail"]["image-tag"]) == ("PUSH", "v1")
    assert restored["detail"]["target-storage-class"] == "STANDARD"
    assert restored["detail"]["last-activated-at"] == "2026-09-21T14:13:21.12Z"


async def archive(house: House, digest: Digest) -> None:
    async with house.stores.metadata.writing() as unit:
        held = await unit.repositories.find(APP)
        assert held is not None
        await unit.manifests.set_status(held.key, digest, "ARCHIVED", START)


class TestFollower:
    async def test_it_gives_each_event_once(self, app: House) -> None:
        follower = Follower(app.stores.metadata, page=2)
        await app.image("before")
        await follower.begin()
        assert await follower.more() == []
        for tag in ("a", "b", "c", "d", "e"):
            await app.image(tag)
        pages = [[json.loads(one)["detail"]["image-tag"] for one in await follower.more()] for _ in range(4)]
        assert pages == [["a", "b"], ["c", "d"], ["e"], []]

    async def test_it_begins_with_the_last_ones(self, app: House) -> None:
        for tag in ("a", "b", "c"):
            await app.image(tag)
        follower = Follower(app.stores.metadata)
        await follower.begin(2)
        assert [json.loads(one)["detail"]["image-tag"] for one in await follower.more()] == ["b", "c"]
        assert await follower.more() == []


async def test_old_events_go(app: House) -> None:
    for tag in ("a", "b", "c"):
        await app.image(tag)
        app.clock.forward(10)
    assert await prune(app.stores.metadata, app.stores.clock, 15 * SECOND, batch=1) == 2
    assert await actions(app) == [("PUSH", "c")]


async def test_a_unit_that_does_not_commit_tells_nothing(app: House) -> None:
    async def fail() -> None:
        async with app.stores.metadata.writing() as unit:
            await unit.events.add(APP.registry, START, ["{}"])
            raise StorageUnavailable("gone")

    with pytest.raises(StorageUnavailable):
        await fail()
    assert await told(app) == []
