"""Archiving and restoring (ecr-behaviour 10.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.core.errors import ImageNotFound
from portside.core.image_errors import ImageStorageClassUpdateNotSupported
from portside.core.names import ImageId, parse_tag
from portside.core.records import Image
from tests.registry.house import APP, LIMIT, SECOND, START, House, described, image_of, index_of

V1 = ImageId(parse_tag("v1"))
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


async def update(house: House, asked: ImageId, target: str) -> tuple[ImageId, str]:
    return await house.registry.storage_classes.update(house.caller, APP, asked, target)


async def found(house: House, asked: ImageId) -> Image:
    listing = await house.registry.images.describe(house.caller, APP, [asked], tag_status="ANY", limit=LIMIT, token="")
    return listing.items[0]


async def status(house: House, digest: Digest) -> str:
    return (await found(house, ImageId(digest=digest))).status


async def told(house: House) -> list[tuple[str, str, str]]:
    """Moves, as (kind of event, target, digest)."""
    async with house.stores.metadata.reading() as unit:
        events: list[Any] = [json.loads(row.document) for row in await unit.events.after(-1, 0, 100)]
    return [
        (event["detail-type"], event["detail"]["target-storage-class"], event["detail"]["image-digest"])
        for event in events
        if event["detail"]["action-type"] == "UPDATE_STORAGE_CLASS"
    ]


async def referring(house: House, subject: bytes, config: bytes) -> bytes:
    """Push an image whose subject is another."""
    await house.push(config)
    content = image_of(config, subject=described(MANIFEST, subject))
    await house.put(content)
    return content


async def test_an_image_is_archived_at_once(app: House) -> None:
    digest = await app.image("v1")
    app.clock.forward(5)
    assert await update(app, V1, "ARCHIVE") == (ImageId(V1.tag, digest), "ARCHIVED")
    image = await found(app, V1)
    assert (image.status, image.archived_at, image.activated_at) == ("ARCHIVED", START + 5 * SECOND, None)
    assert await told(app) == [("ECR Image Action", "ARCHIVE", str(digest))]
    with pytest.raises(ImageNotFound):
        await app.registry.images.get(app.caller, APP, V1)


async def test_it_is_restored_at_once_where_nothing_was_moved_away(app: House) -> None:
    digest = await app.image("v1")
    await update(app, V1, "ARCHIVE")
    app.clock.forward(5)
    assert await update(app, ImageId(digest=digest), "STANDARD") == (ImageId(digest=digest), "ACTIVATING")
    image = await found(app, V1)
    assert (image.status, image.archived_at, image.activated_at) == ("ACTIVE", START, START + 5 * SECOND)
    assert (await told(app))[1:] == [("ECR Image Action", "STANDARD", str(digest))]
    assert (await app.registry.images.get(app.caller, APP, V1)).content == image_of(b"{}")
    assert await app.read(Digest.of(b"{}")) == b"{}"


async def test_it_may_be_archived_again(app: House) -> None:
    await app.image("v1")
    for target in ("ARCHIVE", "STANDARD", "ARCHIVE"):
        app.clock.forward(5)
        await update(app, V1, target)
    image = await found(app, V1)
    assert (image.archived_at, image.activated_at) == (START + 15 * SECOND, START + 10 * SECOND)


async def test_an_image_that_is_there_already_is_refused(app: House) -> None:
    digest = await app.image("v1")
    for target, said in (("STANDARD", "ACTIVE"), ("ARCHIVE", "ARCHIVED")):
        if target == "ARCHIVE":
            await update(app, V1, target)
        with pytest.raises(ImageStorageClassUpdateNotSupported) as caught:
            await update(app, V1, target)
        assert f"'{digest}'" in caught.value.message
        assert caught.value.message.endswith(f"cannot be updated because it is {said} already")
    assert len(await told(app)) == 1


async def test_an_unknown_image_is_refused(app: House) -> None:
    digest = await app.image("v1")
    await app.image("v2", config=b"{ }")
    for asked in (ImageId(parse_tag("none")), ImageId(digest=Digest.of(b"none")), ImageId(parse_tag("v2"), digest)):
        with pytest.raises(ImageNotFound):
            await update(app, asked, "ARCHIVE")


async def test_what_an_index_lists_is_archived_after_the_index(app: House) -> None:
    child = await app.image("v1")
    indexes = [index_of(image_of(b"{}")), index_of(image_of(b"{}"), annotations={"other": "one"})]
    for index in indexes:
        await app.put(index)
    for index in indexes:
        with pytest.raises(ImageStorageClassUpdateNotSupported, match="and is not archived"):
            await update(app, V1, "ARCHIVE")
        await update(app, ImageId(digest=Digest.of(index)), "ARCHIVE")
        assert await status(app, child) == "ACTIVE"
    await update(app, V1, "ARCHIVE")
    assert await status(app, child) == "ARCHIVED"


async def test_an_index_comes_back_with_what_it_lists(app: House) -> None:
    child = await app.image("v1")
    index = ImageId(digest=Digest.of(index_of(image_of(b"{}"))))
    await app.put(index_of(image_of(b"{}")))
    for asked in (index, V1):
        await update(app, asked, "ARCHIVE")
    await update(app, index, "STANDARD")
    assert (await found(app, index)).status == "ACTIVE"
    assert await status(app, child) == "ACTIVE"


async def test_what_refers_to_an_image_goes_and_comes_with_it(app: House) -> None:
    digest = await app.image("v1")
    first = await referring(app, image_of(b"{}"), b"{ }")
    second = await referring(app, first, b"{  }")
    unrelated = await app.image(config=b"{   }")
    digests = [digest, Digest.of(first), Digest.of(second)]
    kinds = ["ECR Image Action", "ECR Referrer Action", "ECR Referrer Action"]
    for target, wanted in (("ARCHIVE", "ARCHIVED"), ("STANDARD", "ACTIVE")):
        await update(app, V1, target)
        assert [await status(app, one) for one in digests] == [wanted] * 3
        expected = [(kind, target, str(one)) for kind, one in zip(kinds, digests, strict=True)]
        assert (await told(app))[-3:] == expected
    assert await status(app, unrelated) == "ACTIVE"


async def test_pushing_an_image_again_brings_back_what_refers_to_it(app: House) -> None:
    await app.image("v1")
    referrer = Digest.of(await referring(app, image_of(b"{}"), b"{ }"))
    await update(app, V1, "ARCHIVE")
    await app.image("v1")
    assert await status(app, referrer) == "ACTIVE"
    assert [target for _, target, _ in await told(app)] == ["ARCHIVE", "ARCHIVE", "STANDARD", "STANDARD"]


async def test_a_referrer_that_an_index_lists_stays(app: House) -> None:
    await app.image("v1")
    referrer = await referring(app, image_of(b"{}"), b"{ }")
    await app.put(index_of(referrer))
    await update(app, V1, "ARCHIVE")
    assert await status(app, Digest.of(referrer)) == "ACTIVE"


async def test_an_image_with_many_referrers_takes_all_of_them(app: House) -> None:
    await app.image("v1")
    await app.push(b"{ }")
    subject = described(MANIFEST, image_of(b"{}"))
    for number in range(205):
        await app.put(image_of(b"{ }", subject=subject, annotations={"number": str(number)}))
    await update(app, V1, "ARCHIVE")
    assert await app.rows("SELECT status, count(*) FROM manifests GROUP BY status") == [("ARCHIVED", 206)]
    await update(app, V1, "STANDARD")
    assert await app.rows("SELECT status, count(*) FROM manifests GROUP BY status") == [("ACTIVE", 206)]


async def test_an_index_that_comes_back_brings_what_it_lists(app: House) -> None:
    child = await app.image("child")
    index = Digest.of(index_of(image_of(b"{}")))
    for comes_back in (
        lambda: app.registry.storage_classes.update(app.caller, APP, ImageId(digest=index), "STANDARD"),
        lambda: app.put(index_of(image_of(b"{}")), "all"),
    ):
        await app.put(index_of(image_of(b"{}")), "all")
        for digest in (index, child):
            await app.registry.storage_classes.update(app.caller, APP, ImageId(digest=digest), "ARCHIVE")
        await comes_back()
        found = await app.registry.images.describe(
            app.caller, APP, [ImageId(digest=index), ImageId(digest=child)], tag_status="ANY", limit=9, token=None
        )
        assert [image.status for image in found.items] == ["ACTIVE", "ACTIVE"]


async def test_a_new_index_brings_back_what_it_lists(app: House) -> None:
    child = await app.image("child")
    await app.registry.storage_classes.update(app.caller, APP, ImageId(digest=child), "ARCHIVE")
    await app.put(index_of(image_of(b"{}")), "all")
    assert await status(app, child) == "ACTIVE"
