"""An archived image: known, and not pulled, until it is pushed again (ecr-behaviour 10.3)."""

from __future__ import annotations

import pytest

from portside.core.digest import Digest
from portside.core.errors import ImageNotFound, ImageTagAlreadyExists, LayerNotFound
from portside.core.image_errors import LayerArchived
from portside.core.names import ImageId, parse_tag
from portside.core.records import Image
from portside.registry.outcomes import ImageFailure, StoredImage
from tests.conformance.nouns.counts import assert_counted
from tests.registry.house import APP, HOME, LIMIT, START, House, image_of, index_of

V1 = ImageId(parse_tag("v1"))
CONFIG = Digest.of(b"{}")


@pytest.fixture
async def archive(app: House) -> House:
    """APP holds one image, which is archived, and another one that is not."""
    await app.image("v1")
    await app.image("v2", config=b"{ }")
    await archived(app, Digest.of(image_of(b"{}")))
    return app


async def archived(house: House, digest: Digest) -> None:
    await house.rows(f"UPDATE manifests SET status = 'ARCHIVED' WHERE digest = '{digest}'")


async def described(house: House, *wanted: ImageId, status: str = "ACTIVE") -> list[Image]:
    found = await house.registry.images.describe(
        house.caller, APP, wanted, tag_status="ANY", limit=LIMIT, token=None, status=status
    )
    return list(found.items)


async def test_it_is_not_pulled(archive: House) -> None:
    digest = Digest.of(image_of(b"{}"))
    for wanted in (V1, ImageId(digest=digest), ImageId(V1.tag, digest)):
        for ask in (archive.registry.images.get, archive.registry.images.look):
            with pytest.raises(ImageNotFound):
                await ask(archive.caller, APP, wanted)
    assert (await described(archive, V1))[0].last_pull_at is None


async def test_a_batch_says_why_it_is_left_out(archive: House) -> None:
    wanted = [V1, ImageId(parse_tag("v2"))]
    failure, stored = await archive.registry.images.get_many(archive.caller, APP, wanted, ())
    assert failure == ImageFailure(
        V1, "ImageInaccessible", "Requested image is archived; push or restore it to pull it"
    )
    assert isinstance(stored, StoredImage)


async def test_its_layers_are_archived_and_not_read(archive: House) -> None:
    layers = archive.registry.layers
    [layer, other] = await layers.availability(archive.caller, APP, [CONFIG, Digest.of(b"{ }")])
    assert layer is not None
    assert other is not None
    assert (layer.archived, other.archived) == (True, False)
    for ask in (layers.look, layers.open):
        with pytest.raises(LayerNotFound):
            await ask(archive.caller, APP, CONFIG)
    with pytest.raises(LayerArchived):
        await layers.download_ticket(archive.caller, APP, CONFIG)


async def test_a_layer_that_another_image_has_is_read(archive: House) -> None:
    await archive.put(image_of(b"{}", b"{ }"), "both")
    assert await archive.read(CONFIG) == b"{}"


@pytest.mark.parametrize(
    ("status", "tags"), [("ACTIVE", ["v2"]), ("ARCHIVED", ["v1"]), ("ANY", ["v1", "v2"]), ("ACTIVATING", [])]
)
async def test_lists_tell_images_by_status(archive: House, status: str, tags: list[str]) -> None:
    found = await archive.registry.images.identifiers(
        archive.caller, APP, tag_status="ANY", limit=LIMIT, token=None, status=status
    )
    assert sorted(str(one.tag) for one in found.items) == tags
    assert sorted(tag for image in await described(archive, status=status) for tag in image.tags) == tags


async def test_it_is_described_when_it_is_asked_for(archive: House) -> None:
    [image] = await described(archive, V1)
    assert (image.status, image.tags) == ("ARCHIVED", ("v1",))


async def test_pushing_it_again_restores_it_at_once(archive: House) -> None:
    archive.clock.forward(60)
    pushed = await archive.put(image_of(b"{}"), "v1")
    assert pushed.changed
    assert (pushed.image.status, pushed.image.pushed_at) == ("ACTIVE", START)
    assert (await archive.registry.images.get(archive.caller, APP, V1)).content == image_of(b"{}")
    assert await archive.read(CONFIG) == b"{}"
    assert not (await archive.put(image_of(b"{}"), "v1")).changed
    await assert_counted(archive.stores.metadata)


async def test_pushing_all_of_it_again_restores_it(archive: House) -> None:
    assert await archive.image("v1") == Digest.of(image_of(b"{}"))
    assert [image.status for image in await described(archive)] == ["ACTIVE", "ACTIVE"]


async def test_a_push_that_is_refused_restores_nothing(house: House) -> None:
    await house.create(APP, tag_mutability="IMMUTABLE")
    digest = await house.image("v1")
    await archived(house, digest)
    with pytest.raises(ImageTagAlreadyExists):
        await house.put(image_of(b"{}"), "v1")
    assert [image.status for image in await described(house, V1)] == ["ARCHIVED"]
    assert (await house.put(image_of(b"{}"))).changed


async def test_its_tag_may_move_to_another_image(archive: House) -> None:
    other = await archive.image("v1", config=b"{ }")
    assert (await archive.registry.images.look(archive.caller, APP, V1)).digest == other


async def test_it_may_be_deleted(archive: House) -> None:
    removed, failures = await archive.delete(V1)
    assert removed == [ImageId(V1.tag, Digest.of(image_of(b"{}")))]
    assert failures == []
    await assert_counted(archive.stores.metadata)


async def test_an_index_of_it_is_kept(archive: House) -> None:
    await archive.put(index_of(image_of(b"{}"), image_of(b"{ }")), "multi")
    _, failures = await archive.delete(V1)
    assert failures == ["ImageReferencedByManifestList"]


async def test_the_same_image_elsewhere_is_another(archive: House) -> None:
    await archive.create(other := HOME.repository("team/other"))
    await archive.image("v1", repository=other)
    assert (await archive.registry.images.look(archive.caller, other, V1)).status == "ACTIVE"
