from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import (
    ImageDigestDoesNotMatch,
    ImageNotFound,
    ImageTagAlreadyExists,
    InvalidParameter,
    LayerReferenced,
    LayersNotFound,
    ReferencedImagesNotFound,
    RepositoryNotFound,
)
from portside.core.names import ImageId, RepositoryId, parse_tag
from portside.core.records import Image, TagExclusion
from portside.registry.listing import Listing
from portside.registry.outcomes import ImageFailure
from portside.storage.errors import Damaged
from tests.conformance.nouns.counts import assert_counted
from tests.registry.fakes import Rows, full_disk
from tests.registry.house import (
    APP,
    HOME,
    LAYER_TYPE,
    START,
    Clock,
    House,
    described,
    image_of,
    index_of,
    noise,
    opened,
)

NONE = HOME.repository("team/none")
LAYER = noise(1000)


def tagged(tag: str) -> ImageId:
    return ImageId(tag=parse_tag(tag))


def named(content: bytes | Digest) -> ImageId:
    return ImageId(digest=content if isinstance(content, Digest) else Digest.of(content))


async def put(house: House, content: bytes, repository: RepositoryId = APP, **wanted: Any) -> Image:
    tags = [wanted.pop("tag")] if "tag" in wanted else []
    asked: dict[str, Any] = {"media_type": None, "tags": tags, "digest": None, **wanted}
    return (await house.registry.images.put(house.caller, repository, content, **asked)).image


async def described_image(house: House, wanted: ImageId) -> Image:
    found = await house.registry.images.describe(house.caller, APP, [wanted], tag_status="ANY", limit=1, token=None)
    return found.items[0]


# --- put --------------------------------------------------------------------------------------------------------------


async def test_an_image_is_read_back_as_it_was_pushed(app: House) -> None:
    await app.push(b"{}")
    await app.push(LAYER)
    content = image_of(b"{}", LAYER) + b"\n  \n"
    pushed = await app.put(content, "v1")
    assert pushed.changed
    for wanted in (tagged("v1"), named(content), ImageId(parse_tag("v1"), Digest.of(content))):
        stored = await app.registry.images.get(app.caller, APP, wanted)
        assert stored.content == content
        assert stored.id == ImageId(wanted.tag, Digest.of(content))


async def test_what_is_known_of_an_image(app: House) -> None:
    await app.push(b"{}")
    await app.push(LAYER)
    content = image_of(b"{}", LAYER, artifactType="text/x-test", subject=described(media_types.OCI_MANIFEST, b"s"))
    await app.put(content, "v1")
    image = await described_image(app, tagged("v1"))
    assert (image.digest, image.media_type, image.artifact_type) == (
        Digest.of(content),
        media_types.OCI_MANIFEST,
        "text/x-test",
    )
    assert (image.size, image.content_size, image.pushed_at) == (len(content), 2 + len(LAYER), START)
    assert image.subject == Digest.of(b"s")
    assert image.tags == ("v1",)


async def test_the_manifest_is_sealed_at_rest(app: House) -> None:
    await app.image("v1")
    [(content,)] = await app.rows("SELECT content FROM manifests")
    assert b"schemaVersion" not in content


async def test_the_same_image_under_the_same_tag_changes_nothing(app: House) -> None:
    await app.image("v1")
    app.clock.forward(60)
    pushed = await app.put(image_of(b"{}"), "v1")
    assert not pushed.changed
    assert pushed.image.pushed_at == START


async def test_the_same_image_without_a_tag_changes_nothing(app: House) -> None:
    await app.image("v1")
    assert not (await app.put(image_of(b"{}"))).changed


async def test_another_tag_is_added_and_the_push_time_stays(app: House) -> None:
    digest = await app.image("v1")
    app.clock.forward(60)
    assert (await app.put(image_of(b"{}"), "v2")).changed
    assert await app.tags_of(digest) == ["v1", "v2"]
    assert (await described_image(app, tagged("v2"))).pushed_at == START


async def test_a_tag_moves_and_what_it_left_is_untagged(app: House) -> None:
    first = await app.image("v1")
    second = await app.image("v1", config=b"{ }")
    assert await app.identifiers("TAGGED") == [ImageId(parse_tag("v1"), second)]
    assert await app.identifiers("UNTAGGED") == [ImageId(None, first)]


async def test_a_digest_may_be_sha512(app: House) -> None:
    await app.push(b"{}")
    digest = Digest.of(image_of(b"{}"), "sha512")
    assert (await put(app, image_of(b"{}"), digest=digest)).digest == digest
    assert (await app.registry.images.get(app.caller, APP, named(digest))).content == image_of(b"{}")


async def test_the_checks_come_in_the_order_of_ecr(app: House) -> None:
    await app.create(immutable := HOME.repository("immutable"), tag_mutability="IMMUTABLE")
    await app.image("v1", repository=immutable)
    wrong, tag = Digest.of(b"wrong"), parse_tag("v1")
    missing = json.loads(image_of(b"missing")) | {"mediaType": "x"}
    with pytest.raises(RepositoryNotFound):
        await put(app, b"x", NONE, media_type="x", digest=wrong, tag=tag)
    with pytest.raises(InvalidParameter, match="Invalid JSON syntax"):
        await put(app, b"x", immutable, media_type="x", digest=wrong, tag=tag)
    with pytest.raises(InvalidParameter, match="Unsupported manifest media type"):
        await put(app, json.dumps(missing).encode(), immutable, media_type="x", digest=wrong, tag=tag)
    with pytest.raises(ImageDigestDoesNotMatch):
        await put(app, image_of(b"missing"), immutable, digest=wrong, tag=tag)
    with pytest.raises(LayersNotFound):
        await put(app, image_of(b"missing"), immutable, tag=tag)
    with pytest.raises(ReferencedImagesNotFound):
        await put(app, index_of(image_of(b"missing")), immutable, tag=tag)
    with pytest.raises(ImageTagAlreadyExists):
        await put(app, image_of(b"{}"), immutable, tag=tag)


async def test_every_missing_layer_is_named_once(app: House) -> None:
    await app.push(b"there")
    with pytest.raises(LayersNotFound) as caught:
        await app.put(image_of(b"one", b"there", b"two", b"one"), "v1")
    assert f"'[{Digest.of(b'one')}, {Digest.of(b'two')}]'" in caught.value.message


async def test_what_is_missing_is_told_while_others_write(app: House) -> None:
    async with app.stores.metadata.writing(), asyncio.timeout(10):
        with pytest.raises(LayersNotFound):
            await app.put(image_of(b"missing"), "v1")
        with pytest.raises(ReferencedImagesNotFound):
            await app.put(index_of(image_of(b"missing")), "v1")


@pytest.mark.parametrize("manifest", ["image", "index"])
async def test_others_have_their_turn_while_very_much_is_looked_for(app: House, manifest: str) -> None:
    things = [b"%d" % number for number in range(2000)]
    content = image_of(*things) if manifest == "image" else index_of(*map(image_of, things))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.ensure_future(others())
    with pytest.raises((LayersNotFound, ReferencedImagesNotFound)):
        await app.put(content)
    other.cancel()
    assert turns > 10


@pytest.mark.parametrize("manifest", ["image", "index"])
async def test_what_goes_before_the_lock_is_had_is_missing(tmp_path: Path, clock: Clock, manifest: str) -> None:
    async with opened(tmp_path, clock, metadata=Rows) as house:
        await house.create()
        await house.push(b"one")
        await house.image(config=b"two")
        rows = house.stores.metadata
        assert isinstance(rows, Rows)
        rows.pausing = True
        content = image_of(b"one") if manifest == "image" else index_of(image_of(b"two"))
        putting = asyncio.ensure_future(house.put(content, "v1"))
        await rows.reached.wait()
        await house.rows("DELETE FROM layers WHERE images = 0")
        await house.rows("DELETE FROM manifests")
        rows.go_on.set()
        with pytest.raises((LayersNotFound, ReferencedImagesNotFound)):
            await putting
        assert await house.rows("SELECT * FROM manifests") == await house.rows("SELECT * FROM tags") == []


async def test_an_image_of_very_many_layers_refers_to_each(app: House) -> None:
    layers = [b"%d" % number for number in range(250)]
    for layer in layers:
        await app.push(layer)
    image = (await app.put(image_of(*layers), "v1")).image
    assert image.content_size == sum(map(len, layers))
    assert await app.rows("SELECT count(*) FROM manifest_references") == [(250,)]
    assert await app.rows("SELECT count(*), min(images), max(images) FROM layers") == [(250, 1, 1)]


async def test_a_layer_of_another_repository_does_not_count(app: House) -> None:
    await app.create(HOME.repository("team/other"))
    await app.push(b"{}", HOME.repository("team/other"))
    with pytest.raises(LayersNotFound):
        await app.put(image_of(b"{}"))


async def test_a_foreign_layer_need_not_be_there(app: House) -> None:
    await app.push(b"{}")
    foreign = described("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LAYER) | {
        "urls": ["https://x.test"]
    }
    await app.put(image_of(b"{}", layers=[foreign]), "v1")
    assert (await described_image(app, tagged("v1"))).content_size == 2


async def test_a_refused_put_leaves_nothing(app: House) -> None:
    await app.push(b"{}")
    with pytest.raises(LayersNotFound):
        await app.put(image_of(b"{}", LAYER), "v1")
    assert await app.rows("SELECT * FROM manifests") == await app.rows("SELECT * FROM tags") == []
    assert await app.rows("SELECT images FROM layers") == [(0,)]


async def test_a_put_whose_commit_fails_leaves_nothing(tmp_path: Any, clock: Any) -> None:
    async with opened(tmp_path, clock, metadata=Rows) as house:
        await house.create()
        await house.push(b"{}")
        rows = house.stores.metadata
        assert isinstance(rows, Rows)
        rows.failure = full_disk()
        with pytest.raises(type(rows.failure)):
            await house.put(image_of(b"{}"), "v1")
        rows.failure = None
        with pytest.raises(ImageNotFound):
            await house.registry.images.get(house.caller, APP, tagged("v1"))
        assert (await house.put(image_of(b"{}"), "v1")).changed


@pytest.mark.parametrize(
    "members",
    [{"artifactType": "\ud800"}, {"layers": [described("a\ud800", b"{}")]}, {"layers": [described("a\0", b"{}")]}],
)
async def test_a_media_type_that_no_database_can_hold_is_refused(app: House, members: dict[str, Any]) -> None:
    await app.push(b"{}")
    with pytest.raises(InvalidParameter):
        await app.put(image_of(b"{}", **members))


# --- indexes ----------------------------------------------------------------------------------------------------------


async def test_an_index_is_as_large_as_its_largest_image(app: House) -> None:
    for layer in (LAYER, b"small"):
        await app.push(layer)
        await app.image(config=layer)
    index = index_of(image_of(LAYER), image_of(b"small"), image_of(LAYER))
    await app.put(index, "multi")
    image = await described_image(app, tagged("multi"))
    assert (image.content_size, image.artifact_type) == (len(LAYER), None)


async def test_an_empty_index_is_kept(app: House) -> None:
    await app.put(index_of(), "none")
    assert (await described_image(app, tagged("none"))).content_size == 0


async def test_an_index_of_an_index_has_its_size(app: House) -> None:
    await app.image(config=LAYER)
    inner = index_of(image_of(LAYER))
    await app.put(inner)
    await app.put(index_of(inner), "outer")
    assert (await described_image(app, tagged("outer"))).content_size == len(LAYER)


async def test_an_index_may_list_an_image_many_times(app: House) -> None:
    digest = await app.image(config=LAYER)
    await app.put(index_of(*[image_of(LAYER)] * 1000), "multi")
    assert (await described_image(app, tagged("multi"))).content_size == len(LAYER)
    assert await app.rows("SELECT child FROM manifest_references WHERE is_image") == [(str(digest),)]


async def test_every_missing_child_is_named_once(app: House) -> None:
    await app.image(config=b"there")
    one, two = image_of(b"one"), image_of(b"two")
    with pytest.raises(ReferencedImagesNotFound) as caught:
        await app.put(index_of(one, image_of(b"there"), two, one))
    assert f"'[{Digest.of(one)}, {Digest.of(two)}]'" in caught.value.message


# --- immutability -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "moves"),
    [
        ("MUTABLE", {"v1": True, "dev-1": True}),
        ("IMMUTABLE", {"v1": False, "dev-1": False}),
        ("MUTABLE_WITH_EXCLUSION", {"v1": True, "dev-1": False}),
        ("IMMUTABLE_WITH_EXCLUSION", {"v1": False, "dev-1": True}),
    ],
)
async def test_a_tag_moves_where_the_mode_lets_it(house: House, mode: str, moves: dict[str, bool]) -> None:
    exclusions = (TagExclusion("dev-*"),) if mode.endswith("EXCLUSION") else ()
    await house.create(tag_mutability=mode, tag_exclusions=exclusions)
    for tag, may_move in moves.items():
        first = await house.image(tag)
        if may_move:
            assert await house.image(tag, config=b"{ }") != first
        else:
            with pytest.raises(ImageTagAlreadyExists):
                await house.image(tag, config=b"{ }")
            assert tag in await house.tags_of(first)


async def test_even_the_same_image_is_refused_under_an_immutable_tag(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    await house.image("v1")
    with pytest.raises(ImageTagAlreadyExists):
        await house.put(image_of(b"{}"), "v1")


async def test_a_refused_tag_leaves_no_image_behind(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    await house.image("v1")
    with pytest.raises(ImageTagAlreadyExists):
        await house.image("v1", config=b"{ }")
    assert len(await house.identifiers()) == 1


async def test_an_immutable_tag_may_be_deleted_and_set_anew(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    await house.image("v1")
    await house.delete(tagged("v1"))
    await house.image("v1", config=b"{ }")


def untyped(content: bytes) -> bytes:
    """A manifest that leaves it to its pusher what it is."""
    return json.dumps({name: it for name, it in json.loads(content).items() if name != "mediaType"}).encode()


NAMELESS = untyped(image_of(b"{}"))


async def put_as(house: House, media_type: str, tag: str | None = None, content: bytes = NAMELESS) -> Image:
    return await put(house, content, media_type=media_type, tags=[parse_tag(tag)] if tag else [])


@pytest.mark.parametrize("mode", ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"])
@pytest.mark.parametrize("tag", ["v1", "dev-1", None])
@pytest.mark.parametrize("again", [None, "new"])
async def test_what_an_immutable_tag_names_keeps_its_media_type(
    house: House, mode: str, tag: str | None, again: str | None
) -> None:
    exclusions = (TagExclusion("dev-*"),) if mode.endswith("EXCLUSION") else ()
    await house.create(tag_mutability=mode, tag_exclusions=exclusions)
    await house.push(b"{}")
    await put_as(house, media_types.OCI_MANIFEST, tag)
    fixed = {"MUTABLE": [], "IMMUTABLE": ["v1", "dev-1"], "MUTABLE_WITH_EXCLUSION": ["dev-1"]}.get(mode, ["v1"])
    if tag in fixed:
        with pytest.raises(ImageTagAlreadyExists, match=f"'{tag}'"):
            await put_as(house, media_types.DOCKER_MANIFEST, again)
    else:
        await put_as(house, media_types.DOCKER_MANIFEST, again)
    image = await described_image(house, named(NAMELESS))
    assert image.media_type == (media_types.OCI_MANIFEST if tag in fixed else media_types.DOCKER_MANIFEST)
    assert await house.rows("SELECT images FROM layers") == [(1,)]


@pytest.mark.parametrize("tag", ["v1", "dev-1", None])
async def test_what_an_immutable_tag_lists_keeps_its_media_type(house: House, tag: str | None) -> None:
    await house.create(tag_mutability="IMMUTABLE_WITH_EXCLUSION", tag_exclusions=(TagExclusion("dev-*"),))
    await house.push(b"{}")
    await put_as(house, media_types.OCI_MANIFEST)
    listed = [described(media_types.OCI_MANIFEST, NAMELESS)]
    inner = index_of(manifests=listed)
    await house.put(inner)
    await house.put(index_of(inner), tag)
    if tag == "v1":
        with pytest.raises(ImageTagAlreadyExists, match="'v1'"):
            await put_as(house, media_types.DOCKER_MANIFEST)
    else:
        await put_as(house, media_types.DOCKER_MANIFEST)
    image = await described_image(house, named(NAMELESS))
    assert image.media_type == (media_types.OCI_MANIFEST if tag == "v1" else media_types.DOCKER_MANIFEST)
    assert await house.delete(named(NAMELESS)) == ([], ["ImageReferencedByManifestList"])


async def test_an_index_that_an_immutable_tag_names_keeps_its_media_type(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    content = untyped(index_of())
    await put_as(house, media_types.OCI_INDEX, "v1", content)
    with pytest.raises(ImageTagAlreadyExists):
        await put_as(house, media_types.DOCKER_LIST, None, content)


async def test_an_image_may_be_another_thing_once_its_immutable_tag_is_deleted(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    await house.push(b"{}")
    await put_as(house, media_types.OCI_MANIFEST, "v1")
    assert not (await house.put(image_of(b"{}"))).image.tags
    await house.delete(tagged("v1"))
    assert (await put_as(house, media_types.DOCKER_MANIFEST, "v1")).media_type == media_types.DOCKER_MANIFEST


async def test_a_damaged_image_of_an_immutable_tag_is_healed_as_what_it_was(house: House) -> None:
    await house.create(tag_mutability="IMMUTABLE")
    await house.push(b"{}")
    await put_as(house, media_types.OCI_MANIFEST, "v1")
    await house.rows("UPDATE manifests SET content = zeroblob(100)")
    with pytest.raises(ImageTagAlreadyExists):
        await put_as(house, media_types.DOCKER_MANIFEST)
    await put_as(house, media_types.OCI_MANIFEST)
    assert (await house.registry.images.get(house.caller, APP, tagged("v1"))).content == NAMELESS


@pytest.mark.parametrize("harm", [None, "content = zeroblob(100)"])
async def test_an_image_that_is_recorded_anew_keeps_its_tags_and_what_became_of_its_subject(
    app: House, harm: str | None
) -> None:
    subject = await app.image("subject", config=b"{ }")
    await app.push(b"{}")
    content = untyped(image_of(b"{}", subject=described(media_types.OCI_MANIFEST, image_of(b"{ }"))))
    await put_as(app, media_types.OCI_MANIFEST, "v1", content)
    await app.delete(named(subject))
    if harm:
        await app.rows(f"UPDATE manifests SET {harm}")
    await put_as(app, media_types.OCI_MANIFEST if harm else media_types.DOCKER_MANIFEST, None, content)
    assert await app.identifiers("TAGGED") == [ImageId(parse_tag("v1"), Digest.of(content))]
    assert await app.identifiers("UNTAGGED") == []
    assert (await described_image(app, tagged("v1"))).bereft
    await assert_counted(app.stores.metadata)


# --- get --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [tagged("none"), named(b"none"), ImageId()], ids=["tag", "digest", "neither"])
async def test_a_missing_image_is_not_found(app: House, wanted: ImageId) -> None:
    await app.image("v1")
    for ask in (app.registry.images.get, app.registry.images.look):
        with pytest.raises(ImageNotFound):
            await ask(app.caller, APP, wanted)


async def test_a_tag_and_a_digest_must_agree(app: House) -> None:
    await app.image("v1")
    other = await app.image("v2", config=b"{ }")
    with pytest.raises(ImageNotFound):
        await app.registry.images.get(app.caller, APP, ImageId(parse_tag("v1"), other))


async def test_a_batch_tells_for_each_what_is_wrong(app: House) -> None:
    digest = await app.image("v1")
    other = await app.image("v2", config=b"{ }")
    wanted = [tagged("v1"), tagged("none"), ImageId(parse_tag("v1"), other), named(digest), ImageId()]
    answers = await app.registry.images.get_many(app.caller, APP, wanted, ())
    assert [answer.code if isinstance(answer, ImageFailure) else answer.content for answer in answers] == [
        image_of(b"{}"),
        "ImageNotFound",
        "ImageTagDoesNotMatchDigest",
        image_of(b"{}"),
        "ImageNotFound",
    ]
    assert [answer.id.digest for answer in answers] == [digest, None, other, digest, None]


async def test_a_pull_is_recorded_within_the_hour(app: House) -> None:
    await app.image("v1")
    for wait, recorded in ((0, START), (3599, START), (2, START + 3_601_000_000)):
        app.clock.forward(wait)
        await app.registry.images.get(app.caller, APP, tagged("v1"))
        await app.stores.pulls.flush()
        assert (await described_image(app, tagged("v1"))).last_pull_at == recorded


async def test_a_look_counts_as_a_pull_and_a_description_does_not(app: House) -> None:
    await app.image("v1")
    assert (await described_image(app, tagged("v1"))).last_pull_at is None
    await app.registry.images.look(app.caller, APP, tagged("v1"))
    await app.stores.pulls.flush()
    assert (await described_image(app, tagged("v1"))).last_pull_at == START


async def test_a_batch_counts_as_a_pull(app: House) -> None:
    await app.image("v1")
    await app.registry.images.get_many(app.caller, APP, [tagged("v1")], ())
    await app.stores.pulls.flush()
    assert (await described_image(app, tagged("v1"))).last_pull_at == START


async def test_a_full_disk_stops_no_pull(tmp_path: Any, clock: Any) -> None:
    async with opened(tmp_path, clock, metadata=Rows) as house:
        await house.create()
        await house.image("v1")
        rows = house.stores.metadata
        assert isinstance(rows, Rows)
        rows.failure = full_disk()
        stored = await house.registry.images.get(house.caller, APP, tagged("v1"))
        assert stored.content == image_of(b"{}")
        await house.registry.images.look(house.caller, APP, tagged("v1"))
        await house.stores.pulls.flush()


async def test_pulls_are_recorded_behind_the_answer(app: House) -> None:
    await app.image("v1")
    await app.registry.images.get(app.caller, APP, tagged("v1"))
    assert (await described_image(app, tagged("v1"))).last_pull_at is None
    await app.stores.pulls.close()
    assert (await described_image(app, tagged("v1"))).last_pull_at == START


async def test_a_damaged_manifest_is_never_served_and_pushing_it_again_heals_it(app: House) -> None:
    digest = await app.image("v1")
    app.clock.forward(60)
    await app.rows("UPDATE manifests SET content = zeroblob(100)")
    for _ in range(2):
        with pytest.raises(Damaged):
            await app.registry.images.get(app.caller, APP, tagged("v1"))
    await app.put(image_of(b"{}"), "v1")
    assert (await app.registry.images.get(app.caller, APP, tagged("v1"))).content == image_of(b"{}")
    assert (await described_image(app, named(digest))).pushed_at == START
    assert await app.rows("SELECT images FROM layers") == [(1,)]


@pytest.mark.parametrize("media_type", [media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST])
async def test_bytes_that_were_stored_as_something_else_keep_what_they_refer_to_as_an_image(
    app: House, media_type: str
) -> None:
    content = json.dumps({name: it for name, it in json.loads(image_of(b"{}")).items() if name != "mediaType"}).encode()
    await app.push(b"{}")
    first = await app.registry.images.put(
        app.caller, APP, content, media_type=media_types.OCI_MANIFEST, tags=[parse_tag("v1")], digest=None
    )
    # As a version before this one took it, which read the same bytes as an artifact without layers.
    await app.rows(f"UPDATE manifests SET media_type = '{media_types.OCI_ARTIFACT}'")
    await app.rows("DELETE FROM manifest_references")
    await app.rows("UPDATE layers SET images = 0")
    app.clock.forward(60)
    again = await app.registry.images.put(app.caller, APP, content, media_type=media_type, tags=(), digest=None)
    assert (again.image.digest, again.image.media_type, again.changed) == (first.image.digest, media_type, True)
    assert await app.tags_of(first.image.digest) == ["v1"]
    assert await app.rows("SELECT images FROM layers") == [(1,)]
    app.clock.forward(10 * 86400)
    await app.collection.sweep()
    assert await app.holds(Digest.of(b"{}"))


async def test_an_artifact_that_could_be_an_image_is_refused(app: House) -> None:
    content = json.dumps({name: it for name, it in json.loads(image_of(b"{}")).items() if name != "mediaType"}).encode()
    with pytest.raises(InvalidParameter):
        await app.registry.images.put(
            app.caller, APP, content, media_type=media_types.OCI_ARTIFACT, tags=(), digest=None
        )


# --- delete -----------------------------------------------------------------------------------------------------------


async def test_a_tag_goes_and_the_image_stays_under_its_other_one(app: House) -> None:
    digest = await app.image("v1")
    await app.put(image_of(b"{}"), "v2")
    assert await app.delete(tagged("v1")) == ([ImageId(parse_tag("v1"), digest)], [])
    assert await app.tags_of(digest) == ["v2"]


async def test_an_image_goes_with_its_last_tag(app: House) -> None:
    digest = await app.image("v1")
    assert await app.delete(tagged("v1")) == ([ImageId(parse_tag("v1"), digest)], [])
    assert await app.identifiers() == []
    assert await app.rows("SELECT images FROM layers") == [(0,)]


async def test_a_digest_takes_all_tags_with_it(app: House) -> None:
    digest = await app.image("v1")
    await app.put(image_of(b"{}"), "v2")
    removed, failures = await app.delete(named(digest))
    assert removed == [ImageId(parse_tag(tag), digest) for tag in ("v1", "v2")]
    assert failures == []
    assert await app.rows("SELECT * FROM tags") == []


async def test_an_untagged_image_goes_by_its_digest(app: House) -> None:
    digest = await app.image()
    assert await app.delete(named(digest)) == ([ImageId(None, digest)], [])


async def test_a_tag_named_twice_takes_only_itself(app: House) -> None:
    digest = await app.image("v1")
    await app.put(image_of(b"{}"), "v2")
    _, failures = await app.delete(tagged("v1"), tagged("v1"), ImageId(parse_tag("v1"), digest))
    assert failures == ["ImageNotFound", "ImageNotFound"]
    assert await app.tags_of(digest) == ["v2"]


async def test_every_tag_named_takes_the_image(app: House) -> None:
    await app.image("v1")
    await app.put(image_of(b"{}"), "v2")
    removed, failures = await app.delete(tagged("v1"), tagged("v2"))
    assert ([one.tag for one in removed], failures) == (["v1", "v2"], [])
    assert await app.identifiers() == []


async def test_what_is_missing_is_a_failure_and_the_rest_goes(app: House) -> None:
    digest = await app.image("v1")
    other = await app.image("v2", config=b"{ }")
    disagreeing = ImageId(parse_tag("v2"), digest)
    removed, failures = await app.delete(tagged("none"), named(b"none"), disagreeing, named(digest))
    assert removed == [ImageId(parse_tag("v1"), digest)]
    assert failures == ["ImageNotFound", "ImageNotFound", "ImageTagDoesNotMatchDigest"]
    assert await app.tags_of(other) == ["v2"]


async def test_an_image_that_an_index_lists_stays(app: House) -> None:
    child = await app.image("v1")
    await app.put(index_of(image_of(b"{}")), "multi")
    for wanted in (named(child), tagged("v1")):
        assert await app.delete(wanted) == ([], ["ImageReferencedByManifestList"])
    [answer] = (await app.registry.images.delete_many(app.caller, APP, [named(child)]))[1]
    assert answer.reason == f"Requested image referenced by manifest list: [{Digest.of(index_of(image_of(b'{}')))}]"
    await app.put(image_of(b"{}"), "v2")
    assert await app.delete(tagged("v1")) == ([ImageId(parse_tag("v1"), child)], [])


async def test_after_the_index_its_image_goes(app: House) -> None:
    child = await app.image("v1")
    await app.put(index_of(image_of(b"{}")), "multi")
    await app.delete(tagged("multi"))
    assert await app.delete(named(child)) == ([ImageId(parse_tag("v1"), child)], [])


@pytest.mark.parametrize("members", [{}, {"artifactType": "text/x-test"}], ids=["plain", "artifact"])
async def test_an_index_and_its_image_go_in_one_call_in_any_order(app: House, members: dict[str, Any]) -> None:
    for backwards in (False, True):
        child = await app.image("v1")
        index = index_of(image_of(b"{}"), **members)
        outer = index_of(index)
        await app.put(index)
        await app.put(outer, "outer")
        wanted = [named(outer), named(index), named(child)]
        removed, failures = await app.delete(*(reversed(wanted) if backwards else wanted))
        assert {one.digest for one in removed} == {Digest.of(outer), Digest.of(index), child}
        assert failures == []
    assert await app.rows("SELECT * FROM manifest_references") == []


async def test_an_image_stays_while_its_index_keeps_a_tag(app: House) -> None:
    child = await app.image()
    await app.put(index_of(image_of(b"{}")), "one")
    await app.put(index_of(image_of(b"{}")), "two")
    removed, failures = await app.delete(named(child), tagged("one"))
    assert ([one.tag for one in removed], failures) == (["one"], ["ImageReferencedByManifestList"])


async def test_a_deleted_image_is_pushed_anew_at_the_new_time(app: House) -> None:
    await app.image("v1")
    await app.delete(tagged("v1"))
    app.clock.forward(60)
    assert (await app.put(image_of(b"{}"), "v1")).image.pushed_at == START + 60_000_000


async def test_two_images_share_a_layer_and_it_is_counted(app: House) -> None:
    await app.push(LAYER)
    for config in (b"{}", b"{ }"):
        await app.push(config)
        await app.put(image_of(config, LAYER, LAYER))
    count = f"SELECT images FROM layers WHERE digest = '{Digest.of(LAYER)}'"
    assert await app.rows(count) == [(2,)]
    await app.delete(named(image_of(b"{}", LAYER, LAYER)))
    assert await app.rows(count) == [(1,)]


# --- lists ------------------------------------------------------------------------------------------------------------


async def images(house: House, count: int) -> list[Digest]:
    """Images in the order that lists have; every third without a tag, the first with two."""
    digests: list[Digest] = []
    for number in range(count):
        house.clock.forward(number % 2)
        tag = None if number % 3 == 2 else f"t{number}"
        digests.append(await house.image(tag, config=str(number).encode()))
    await house.put(image_of(b"0"), "extra")
    return digests


async def walk(house: House, ask: Any, tag_status: str = "ANY", limit: int = 2) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        listing = await ask(house, tag_status, limit, token)
        assert len(listing.items) <= limit
        found += listing.items
        token = listing.next_token
        if token is None:
            return found


async def by_identifier(house: House, tag_status: str, limit: int, token: str | None) -> Any:
    return await house.registry.images.identifiers(house.caller, APP, tag_status=tag_status, limit=limit, token=token)


async def by_description(house: House, tag_status: str, limit: int, token: str | None) -> Any:
    return await house.registry.images.describe(house.caller, APP, [], tag_status=tag_status, limit=limit, token=token)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_give_every_image_and_tag_once(app: House, limit: int) -> None:
    digests = await images(app, 8)
    for tag_status, tags in (("TAGGED", 7), ("UNTAGGED", 2), ("ANY", 9)):
        found = await walk(app, by_identifier, tag_status, limit)
        assert len(found) == len(set(found)) == tags
    assert {image.digest for image in await walk(app, by_description, limit=limit)} == set(digests)
    assert all(image.tags for image in await walk(app, by_description, "TAGGED", limit))
    assert not any(image.tags for image in await walk(app, by_description, "UNTAGGED", limit))


@pytest.mark.parametrize("ask", [by_identifier, by_description])
async def test_pages_stay_whole_while_images_come_and_go(app: House, ask: Any) -> None:
    digests = await images(app, 9)
    order = [image.digest for image in await walk(app, by_description)]
    first = await ask(app, "ANY", 4, None)
    seen = {found.digest for found in first.items}
    last = first.items[-1].digest
    await app.delete(named(last), named(order[-1]))
    app.clock.forward(1)
    await app.image("late", config=b"late")
    rest = await ask(app, "ANY", 1000, first.next_token)
    found = {image.digest for image in rest.items}
    assert found | seen >= set(digests) - {order[-1]}
    assert Digest.of(image_of(b"late")) in found
    assert not found & (seen - {last})


@pytest.mark.parametrize("ask", [by_identifier, by_description])
async def test_a_page_token_is_bound_to_its_query(app: House, ask: Any) -> None:
    await images(app, 4)
    token = (await ask(app, "ANY", 1, None)).next_token
    with pytest.raises(InvalidParameter, match="Invalid next token"):
        await ask(app, "TAGGED", 1, token)
    with pytest.raises(InvalidParameter, match="Invalid next token"):
        await (by_description if ask is by_identifier else by_identifier)(app, "ANY", 1, token)
    await app.create(HOME.repository("team/other"))
    with pytest.raises(InvalidParameter, match="Invalid next token"):
        await app.registry.images.identifiers(
            app.caller, HOME.repository("team/other"), tag_status="ANY", limit=1, token=token
        )


async def test_a_made_up_position_is_refused(app: House) -> None:
    token = b64encode(b'[0,"",""]').decode()
    with pytest.raises(InvalidParameter, match="Invalid next token"):
        await by_identifier(app, "ANY", 1, token)


async def test_descriptions_of_named_images_come_once_each(app: House) -> None:
    digest = await app.image("v1")
    found = await app.registry.images.describe(
        app.caller, APP, [tagged("v1"), named(digest)], tag_status="ANY", limit=1, token=None
    )
    assert [image.digest for image in found.items] == [digest]


async def test_one_missing_image_fails_the_description(app: House) -> None:
    await app.image("v1")
    with pytest.raises(ImageNotFound) as caught:
        await app.registry.images.describe(
            app.caller, APP, [tagged("v1"), tagged("none")], tag_status="ANY", limit=1, token=None
        )
    assert "{imageDigest:'null', imageTag:'none'}" in caught.value.message


async def test_tags_are_listed_in_lexical_order(app: House) -> None:
    for tag in ("b", "B", "_", "a", "10", "9"):
        await app.image(tag)
    assert await app.registry.images.tags(app.caller, APP, after="", limit=10) == Listing(
        ["10", "9", "B", "_", "a", "b"], None
    )
    assert await app.registry.images.tags(app.caller, APP, after="9", limit=2) == Listing(["B", "_"], "_")
    assert await app.registry.images.tags(app.caller, APP, after="_", limit=2) == Listing(["a", "b"], None)


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_tags_of_images_that_cannot_be_pulled_are_not_listed(app: House, limit: int) -> None:
    for number in range(30):
        await app.image(f"t{number:02}", config=str(number).encode())
        if number not in {3, 4, 28}:
            asked = tagged(f"t{number:02}")
            await app.registry.storage_classes.update(app.caller, APP, asked, "ARCHIVE")
    found = list[str]()
    after: str | None = ""
    while after is not None:
        page = await app.registry.images.tags(app.caller, APP, after=after, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        after = page.next_token
    assert found == ["t03", "t04", "t28"]


async def test_a_missing_repository_has_no_images(house: House) -> None:
    ask = house.registry.images
    for question in (
        ask.get(house.caller, APP, tagged("v1")),
        ask.look(house.caller, APP, tagged("v1")),
        ask.get_many(house.caller, APP, [], ()),
        ask.identifiers(house.caller, APP, tag_status="ANY", limit=1, token=None),
        ask.tags(house.caller, APP, after="", limit=1),
        ask.describe(house.caller, APP, [], tag_status="ANY", limit=1, token=None),
        ask.delete_many(house.caller, APP, [tagged("v1")]),
    ):
        with pytest.raises(RepositoryNotFound):
            await question


async def test_a_layer_knows_the_type_that_its_image_gives_it(app: House) -> None:
    await app.push(LAYER)
    await app.push(b"{}")
    await app.put(image_of(b"{}", LAYER))
    layer = await app.registry.layers.look(app.caller, APP, Digest.of(LAYER))
    assert (layer.media_type, layer.referenced) == (LAYER_TYPE, True)


# --- sparse -----------------------------------------------------------------------------------------------------------


async def test_a_sparse_image_waits_for_its_layers(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, sparse=True) as house:
        await house.create()
        image = (await house.put(image_of(b"{}", b"layer"), "v1")).image
        assert image.content_size == 0
        digest = await house.push(b"layer")
        with pytest.raises(LayerReferenced):
            await house.registry.layers.delete(house.caller, APP, digest)
        await house.delete(ImageId(digest=image.digest))
        await house.registry.layers.delete(house.caller, APP, digest)
        assert not await house.holds(digest)


async def test_a_sparse_index_waits_for_its_images(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, sparse=True) as house:
        await house.create()
        child = image_of(b"{}")
        index = (await house.put(index_of(child, image_of(b"never")), "v1")).image
        assert index.content_size == 0
        await house.image()
        assert await house.delete(named(child)) == ([], ["ImageReferencedByManifestList"])
        await house.delete(ImageId(digest=index.digest))
        assert await house.delete(named(child)) == ([named(child)], [])


async def test_several_tags_are_set_together(app: House) -> None:
    await app.push(b"{}")
    tags = [parse_tag("a"), parse_tag("b")]
    assert (await put(app, image_of(b"{}"), tags=tags)).tags == ()
    assert await app.tags_of(Digest.of(image_of(b"{}"))) == ["a", "b"]


async def test_of_several_tags_one_that_is_immutable_stops_all(app: House) -> None:
    await app.create(fixed := HOME.repository("fixed"), tag_mutability="IMMUTABLE")
    await app.image("b", repository=fixed)
    await app.push(b"{ }", fixed)
    with pytest.raises(ImageTagAlreadyExists):
        await put(app, image_of(b"{ }"), fixed, tags=[parse_tag("a"), parse_tag("b")])
    assert await app.identifiers(repository=fixed) == [ImageId(parse_tag("b"), Digest.of(image_of(b"{}")))]
