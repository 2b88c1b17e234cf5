"""Repositories under KMS keys: what a disabled key stops, what it does not, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from portside.core.digest import Digest
from portside.core.errors import (
    ContentDamaged,
    ImageNotFound,
    RegistryError,
    RepositoryAlreadyExists,
    RepositoryNotFound,
)
from portside.core.kms_errors import KmsKeyDisabled, KmsKeyNotFound
from portside.core.names import ImageId, RegistryId, parse_tag
from portside.core.records import RepositorySettings
from portside.registry.failures import in_registry_words
from portside.registry.kms import KmsOperators, KnownKey
from portside.registry.outcomes import ImageFailure, StoredImage
from portside.registry.template_documents import CREATE_ON_PUSH, Template
from portside.registry.verification import Finding, Watch
from portside.storage.errors import Damaged, KeyDisabled
from tests.registry.house import ACCOUNT, APP, HOME, REGION, STRANGER, Clock, House, image_of, in_pieces, noise, opened

OTHER = HOME.repository("team/other")
LAYER = noise(300_000)
KINDS = ["KMS", "KMS_DSSE"]
CONFIG = b"{}"
IMAGE = image_of(CONFIG, LAYER)
MISSING = ImageId(parse_tag("missing"))
TAGGED = ImageId(parse_tag("v1"))


@pytest.fixture
async def houses(tmp_path: Path, clock: Clock) -> AsyncIterator[list[House]]:
    """Two processes at one registry."""
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        yield [one, other]


async def kms_key(house: House, alias: str | None = "team", region: str = REGION) -> KnownKey:
    return await KmsOperators(house.stores).create(ACCOUNT, region, alias)


async def switch(house: House, key: KnownKey, *, on: bool) -> None:
    await KmsOperators(house.stores).switch(None, REGION, key.arn, on=on)


async def encrypted(house: House, kind: str) -> KnownKey:
    """Make APP under a key, and push an image into it."""
    key = await kms_key(house)
    await house.create(encryption_type=kind, kms_key=key.arn)
    await push(house)
    return key


async def push(house: House) -> None:
    await house.push(LAYER)
    await house.push(CONFIG)
    await house.put(IMAGE, "v1")


async def refused(work: Awaitable[Any]) -> RegistryError:
    """What a client is told."""
    try:
        await work
    except Exception as failure:
        told = in_registry_words(failure)
        if told is None:
            raise
        return told
    raise AssertionError("it was done")


def content_calls(house: House) -> dict[str, Awaitable[Any]]:
    """Everything that reads or writes what is in APP."""
    registry, caller, digest = house.registry, house.caller, Digest.of(LAYER)
    return {
        "get": registry.images.get(caller, APP, TAGGED),
        "look": registry.images.look(caller, APP, TAGGED),
        "put": house.put(IMAGE, "v2"),
        "read": house.read(digest),
        "ticket": registry.layers.download_ticket(caller, APP, digest),
        "begin": registry.uploads.begin(caller, APP),
        "mount": registry.mounts.mount(caller, APP, digest, OTHER),
    }


# --- which key ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias ARN"])
async def test_a_key_may_be_named_in_any_of_kmss_ways(house: House, form: str, kind: str) -> None:
    key = await kms_key(house)
    text = {
        "id": key.id,
        "arn": key.arn,
        "alias": "alias/team",
        "alias ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/team",
    }[form]
    made = await house.create(encryption_type=kind, kms_key=text)
    [found] = (await house.registry.repositories.describe(house.caller, HOME, [APP.name], limit=1, token=None)).items
    assert made.settings == found.settings
    assert (found.settings.encryption_type, found.settings.kms_key) == (kind, key.arn)


@pytest.mark.parametrize("text", [None, ""])
async def test_without_a_key_there_is_one_of_the_registrys_own(houses: list[House], text: str | None) -> None:
    names = [HOME.repository(f"team/{number}") for number in range(6)]
    made = await asyncio.gather(
        *(
            house.create(name, encryption_type="KMS", kms_key=text)
            for house in houses
            for name in names[houses.index(house) :: 2]
        )
    )
    [key] = await KmsOperators(houses[0].stores).keys()
    assert (key.alias, key.managed, key.enabled) == ("alias/aws/ecr", True, True)
    assert {one.settings.kms_key for one in made} == {key.arn}
    assert len({one.content_key for one in made}) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "Invalid keyId 'x'"),
        ("alias/x", "Alias arn:aws:kms:eu-west-1:123456789012:alias/x is not found."),
        ("arn:aws:kms:eu-west-1:1:key/x", "Invalid keyId 'arn:aws:kms:eu-west-1:1:key/x'"),
        (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x", f"Key 'arn:aws:kms:{REGION}:{ACCOUNT}:key/x' does not exist"),
        (f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/x", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/x is not found."),
        (
            "00000000-0000-4000-8000-000000000001",
            f"Key 'arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000001' does not exist",
        ),
    ],
)
async def test_an_unknown_key_is_told_as_kms_tells_it(house: House, text: str, said: str) -> None:
    told = await refused(house.create(encryption_type="KMS", kms_key=text))
    assert type(told) is KmsKeyNotFound
    assert (told.code, told.message) == ("KMS.NotFoundException", said)
    assert not await house.rows("SELECT name FROM repositories")


async def test_a_key_of_another_account_or_region_is_not_there(house: House) -> None:
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.add(STRANGER, 0)
    operators = KmsOperators(house.stores)
    for key in (
        await operators.create(STRANGER, REGION, "team"),
        await operators.create(ACCOUNT, "us-east-1", "team"),
    ):
        forms = [key.id, key.arn, f"arn:aws:kms:{key.region}:{key.account}:alias/team", "alias/team"]
        # An id in the ARN of the registry's own place is another key, too.
        for text in (*forms, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key.id}"):
            assert type(await refused(house.create(encryption_type="KMS", kms_key=text))) is KmsKeyNotFound


async def test_no_repository_is_made_under_a_disabled_key(house: House) -> None:
    key = await kms_key(house)
    await switch(house, key, on=False)
    for kind in KINDS:
        told = await refused(house.create(encryption_type=kind, kms_key="alias/team"))
        assert type(told) is KmsKeyDisabled
        assert (told.code, told.message) == ("KMS.DisabledException", f"{key.arn} is disabled.")
    await switch(house, key, on=True)
    await house.create(encryption_type="KMS", kms_key="alias/team")


async def test_a_repository_that_is_there_is_said_to_be_there_whatever_has_become_of_keys(house: House) -> None:
    own, asked = await kms_key(house), await kms_key(house, "other")
    await house.create(encryption_type="KMS", kms_key=own.arn)
    for key in (own, asked):
        await switch(house, key, on=False)
        assert type(await refused(house.create(encryption_type="KMS", kms_key=key.arn))) is RepositoryAlreadyExists
    assert type(await refused(house.create(encryption_type="KMS", kms_key="alias/none"))) is RepositoryAlreadyExists


# --- what is stored -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_pushed_is_pulled_from_any_process(houses: list[House], kind: str) -> None:
    await encrypted(houses[0], kind)
    for house in houses:
        assert await house.read(Digest.of(LAYER)) == LAYER
        assert await house.read(Digest.of(LAYER), start=70_000, stop=200_000) == LAYER[70_000:200_000]
        assert (await house.registry.images.get(house.caller, APP, TAGGED)).content == IMAGE
    assert not any(LAYER[:1000] in path.read_bytes() for path in houses[0].files())


@pytest.mark.parametrize("kind", KINDS)
async def test_an_upload_goes_on_in_another_process(houses: list[House], kind: str) -> None:
    await houses[0].create(encryption_type=kind)
    uploads = [house.registry.uploads for house in houses]
    caller = houses[0].caller
    upload = await uploads[0].begin(caller, APP)
    await uploads[0].receive(caller, APP, upload.id, in_pieces(LAYER[:100_001]))
    await uploads[1].receive(caller, APP, upload.id, in_pieces(LAYER[100_001:]))
    await uploads[0].complete(caller, APP, upload.id, [Digest.of(LAYER)])
    assert await houses[1].read(Digest.of(LAYER)) == LAYER


async def test_blobs_are_shared_within_a_key_and_never_across(house: House) -> None:
    key = await kms_key(house)
    scopes: list[dict[str, Any]] = [
        {},
        {"encryption_type": "KMS"},
        {"encryption_type": "KMS", "kms_key": key.arn},
        {"encryption_type": "KMS_DSSE", "kms_key": key.arn},
    ]
    for number, scope in enumerate(scopes * 2):
        repository = HOME.repository(f"team/{number}")
        await house.create(repository, **scope)
        await house.push(LAYER, repository)
    placed = await house.rows("SELECT content_key, location, holders FROM blobs")
    assert len({scope for scope, _, _ in placed}) == len(placed) == len(scopes)
    assert {holders for _, _, holders in placed} == {2}
    sizes = sorted(path.stat().st_size for path in house.files() if "blobs" in path.parts)
    segments = -(-len(LAYER) // 65536)
    assert sizes == [len(LAYER) + 28 * segments] * 3 + [len(LAYER) + 56 * segments]


# --- a disabled key -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_disabled_key_stops_every_reading_and_writing_at_once_on_every_process(
    houses: list[House], kind: str
) -> None:
    key = await encrypted(houses[0], kind)
    await houses[0].create(OTHER)
    for house in houses:  # whatever is remembered, is remembered
        await house.read(Digest.of(LAYER))
        await house.registry.images.get(house.caller, APP, TAGGED)
        await house.registry.images.look(house.caller, APP, TAGGED)
    await switch(houses[0], key, on=False)
    for house in reversed(houses):
        for name, call in content_calls(house).items():
            told = await refused(call)
            assert (name, type(told), told.message) == (name, KmsKeyDisabled, f"{key.arn} is disabled.")
        found = await house.registry.images.get_many(house.caller, APP, [TAGGED, MISSING], ())
        assert [one.code for one in found if isinstance(one, ImageFailure)] == ["KmsError", "ImageNotFound"]
        assert not isinstance(found[0], StoredImage)
        assert found[0].reason == f"{key.arn} is disabled."
    await switch(houses[1], key, on=True)
    for house in houses:
        assert await house.read(Digest.of(LAYER)) == LAYER
        assert (await house.registry.images.get(house.caller, APP, TAGGED)).content == IMAGE
        [image] = await house.registry.images.get_many(house.caller, APP, [TAGGED], ())
        assert isinstance(image, StoredImage)
        assert image.content == IMAGE


async def test_referrers_are_listed_without_their_annotations_under_a_disabled_key(house: House) -> None:
    key = await encrypted(house, "KMS")
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(IMAGE)}
    await house.put(image_of(CONFIG, subject={**subject, "digest": str(Digest.of(IMAGE))}, annotations={"a": "b"}))

    async def listed() -> list[dict[str, str]]:
        page = await house.registry.referrers.page(
            house.caller, APP, Digest.of(IMAGE), artifact_type=None, after="", limit=10
        )
        of_the_api = await house.registry.referrers.listing(
            house.caller, APP, Digest.of(IMAGE), artifact_types=(), status="ANY", limit=10, token=None
        )
        assert list(page.items) == list(of_the_api.items)
        return [one.annotations for one in page.items]

    await switch(house, key, on=False)
    with capture_logs() as logs:
        assert await listed() == [{}]
    assert logs == []
    await switch(house, key, on=True)
    assert await listed() == [{"a": "b"}]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_upload_waits_for_its_key(house: House, kind: str) -> None:
    key = await encrypted(house, kind)
    uploads, content = house.registry.uploads, noise(200_000, 7)
    upload = await uploads.begin(house.caller, APP)
    await uploads.receive(house.caller, APP, upload.id, in_pieces(content[:150_000]))
    await switch(house, key, on=False)
    told = await refused(uploads.receive(house.caller, APP, upload.id, in_pieces(content[150_000:])))
    assert type(told) is KmsKeyDisabled
    for _ in range(2):
        told = await refused(uploads.complete(house.caller, APP, upload.id, [Digest.of(content)]))
        assert type(told) is KmsKeyDisabled
    await switch(house, key, on=True)
    await uploads.receive(house.caller, APP, upload.id, in_pieces(content[150_000:]))
    await uploads.complete(house.caller, APP, upload.id, [Digest.of(content)])
    assert await house.read(Digest.of(content)) == content


@pytest.mark.parametrize("kind", KINDS)
async def test_repositories_under_other_keys_go_on(house: House, kind: str) -> None:
    key = await encrypted(house, kind)
    for number, scope in enumerate([{}, {"encryption_type": "KMS"}]):
        repository = HOME.repository(f"team/{number}")
        await house.create(repository, **scope)
        await switch(house, key, on=False)
        await house.image("v1", config=LAYER, repository=repository)
        assert await house.read(Digest.of(LAYER), repository) == LAYER


async def test_what_is_known_of_images_is_told_all_the_same(house: House) -> None:
    key = await encrypted(house, "KMS")
    await switch(house, key, on=False)
    assert await house.tags_of(Digest.of(IMAGE)) == ["v1"]
    assert await house.identifiers() == [ImageId(parse_tag("v1"), Digest.of(IMAGE))]
    assert await house.holds(Digest.of(LAYER))


@pytest.mark.parametrize("kind", KINDS)
async def test_images_and_repositories_are_deleted_and_swept_under_a_disabled_key(house: House, kind: str) -> None:
    key = await encrypted(house, kind)
    await house.image("v2", config=noise(1000, 3))
    await switch(house, key, on=False)
    assert await house.delete(TAGGED) == ([ImageId(parse_tag("v1"), Digest.of(IMAGE))], [])
    await house.registry.repositories.delete(house.caller, APP, force=True)
    for _ in range(2):
        house.clock.forward(2 * 24 * 3600)
        await house.collection.sweep()
    assert await house.rows("SELECT digest FROM blobs") == []
    assert [path for path in house.files() if "blobs" in path.parts] == []
    with pytest.raises(RepositoryNotFound):
        await house.read(Digest.of(LAYER))


@pytest.mark.parametrize("kind", KINDS)
async def test_archived_layers_are_moved_and_come_back_while_the_key_is_disabled(
    tmp_path: Path, clock: Clock, kind: str
) -> None:
    (tmp_path / "main").mkdir()
    async with opened(tmp_path / "main", clock, archive=tmp_path / "archive") as house:
        key = await encrypted(house, kind)
        assert house.moving is not None
        update = house.registry.storage_classes.update
        await switch(house, key, on=False)
        await update(house.caller, APP, TAGGED, "ARCHIVE")
        moved = await house.moving.run()
        assert (moved.archived, moved.left) == (2, 0)
        await update(house.caller, APP, TAGGED, "STANDARD")
        moved = await house.moving.run()
        assert (moved.restored, moved.images, moved.left) == (2, 1, 0)
        await switch(house, key, on=True)
        assert await house.read(Digest.of(LAYER)) == LAYER


@pytest.mark.parametrize("kind", KINDS)
async def test_a_push_makes_its_repository_under_the_key_of_a_template(house: House, kind: str) -> None:
    key = await kms_key(house)
    settings = RepositorySettings(encryption_type=kind, kms_key=key.arn)
    await house.registry.templates.create(house.caller, HOME, Template("team", (CREATE_ON_PUSH,), settings))
    await push(house)
    assert await house.read(Digest.of(LAYER)) == LAYER
    await switch(house, key, on=False)
    assert type(await refused(house.read(Digest.of(LAYER)))) is KmsKeyDisabled
    assert type(await refused(house.registry.uploads.begin(house.caller, OTHER))) is KmsKeyDisabled
    with pytest.raises(RepositoryNotFound):
        await house.read(Digest.of(LAYER), OTHER)


# --- nothing is taken for damage ------------------------------------------------------------------------------------


async def verify(house: House) -> tuple[list[Finding], int, int]:
    found: list[Finding] = []
    progress = await house.verification.run(Watch(found.append, lambda _: None))
    return found, progress.blobs, progress.manifests


@pytest.mark.parametrize("kind", KINDS)
async def test_verification_calls_nothing_damaged_under_a_disabled_key(houses: list[House], kind: str) -> None:
    house = houses[0]
    key = await encrypted(house, kind)
    await house.create(OTHER)
    await house.image("v1", repository=OTHER)
    assert await verify(house) == ([], 3, 2)
    before = [(path, path.read_bytes()) for path in house.files()]
    await switch(house, key, on=False)
    for each in houses:
        found, blobs, manifests = await verify(each)
        assert (blobs, manifests) == (1, 1)
        assert sorted(one.kind for one in found) == ["blob", "blob", "manifest"]
        assert {(one.state, one.reason) for one in found} == {("unreadable", f"{key.arn} is disabled.")}
    assert [(path, path.read_bytes()) for path in house.files()] == before
    assert await house.rows("SELECT digest FROM blobs WHERE damaged") == []
    await switch(house, key, on=True)
    assert await verify(house) == ([], 3, 2)


async def test_verification_misses_a_file_under_a_disabled_key_too(house: House) -> None:
    key = await encrypted(house, "KMS_DSSE")
    await switch(house, key, on=False)
    for path in house.files():
        if "blobs" in path.parts:
            path.unlink()
    found, _, _ = await verify(house)
    assert sorted((one.kind, one.state) for one in found) == [
        ("blob", "missing"),
        ("blob", "missing"),
        ("manifest", "unreadable"),
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_refused_for_its_key_changes_nothing(house: House, kind: str) -> None:
    key = await encrypted(house, kind)
    tables = ("blobs", "layers", "manifests", "manifest_references", "tags")
    before = [await house.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
    await house.create(OTHER)
    await switch(house, key, on=False)
    for call in content_calls(house).values():
        await refused(call)
    assert [await house.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables] == before


@pytest.mark.parametrize("kind", KINDS)
async def test_real_damage_is_still_found_and_healed(house: House, kind: str) -> None:
    await encrypted(house, kind)
    for path in house.files():
        if "blobs" in path.parts and path.stat().st_size > len(LAYER):
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
    assert type(await refused(house.read(Digest.of(LAYER)))) is ContentDamaged
    await push(house)
    assert await house.read(Digest.of(LAYER)) == LAYER
    await house.rows("UPDATE manifests SET content = zeroblob(100)")
    with pytest.raises(Damaged):
        await house.registry.images.get(house.caller, APP, TAGGED)
    with pytest.raises(ImageNotFound):
        await house.registry.images.look(house.caller, APP, TAGGED)
    await push(house)
    assert (await house.registry.images.get(house.caller, APP, TAGGED)).content == IMAGE


async def test_a_failure_names_the_key_and_shows_nothing_of_it(house: House) -> None:
    key = await encrypted(house, "KMS")
    await switch(house, key, on=False)
    with pytest.raises(KeyDisabled) as caught:
        await house.read(Digest.of(LAYER))
    assert re.fullmatch(rf"{key.arn} is disabled\.", str(caught.value))
    assert RegistryId(key.account, key.region) == HOME
