from __future__ import annotations

import json
from typing import Any

import pytest

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter, ReferencedImagesNotFound, RepositoryNotFound
from portside.core.names import ImageId, parse_tag
from portside.registry.referrers import Referrer, Referring
from tests.registry.house import APP, HOME, MEBIBYTE, House, described, image_of, index_of

SUBJECT = image_of(b"{}", annotations={"name": "subject"})
SIGNATURE, BILL = "application/vnd.signature", "application/vnd.bill"


async def page(
    house: House, subject: bytes = SUBJECT, *, kind: str | None = None, after: str = "", limit: int = 100
) -> Referring:
    return await house.registry.referrers.page(
        house.caller, APP, Digest.of(subject), artifact_type=kind, after=after, limit=limit
    )


def signature(number: int, kind: str = SIGNATURE, **annotations: str) -> bytes:
    return image_of(
        b"{}",
        artifactType=kind,
        subject=described(media_types.OCI_MANIFEST, SUBJECT),
        annotations={"number": str(number), **annotations},
    )


async def fill(house: House, *manifests: bytes) -> list[Digest]:
    """Push them; their digests in order."""
    await house.push(b"{}")
    for manifest in manifests:
        await house.put(manifest)
    return sorted(Digest.of(manifest) for manifest in manifests)


async def test_what_nobody_refers_to_has_no_referrers(app: House) -> None:
    await fill(app, SUBJECT)
    assert await page(app) == Referring([], more=False)
    assert await page(app, b"unknown") == Referring([], more=False)


async def test_a_referrer_is_told_with_what_it_says_of_itself(app: House) -> None:
    await fill(app, one := signature(1, é="\ud83d\ude00"))
    [found] = (await page(app)).items
    assert (found.image.digest, found.image.size) == (Digest.of(one), len(one))
    assert (found.image.media_type, found.image.artifact_type) == (media_types.OCI_MANIFEST, SIGNATURE)
    assert found.annotations == {"number": "1", "é": "\U0001f600"}


async def test_the_subject_may_come_later_or_go(app: House) -> None:
    [digest] = await fill(app, signature(1))
    await app.put(SUBJECT, "v1")
    assert [one.image.digest for one in (await page(app)).items] == [digest]
    await app.registry.images.untag(app.caller, APP, parse_tag("v1"))
    assert [one.image.digest for one in (await page(app)).items] == [digest]


async def test_indexes_refer_too(app: House) -> None:
    subject = described(media_types.OCI_MANIFEST, SUBJECT)
    await fill(app, index_of(subject=subject), index_of(artifactType=BILL, subject=subject))
    found = [(one.image.media_type, one.image.artifact_type) for one in (await page(app)).items]
    assert sorted(found, key=str) == [(media_types.OCI_INDEX, BILL), (media_types.OCI_INDEX, None)]


async def test_the_type_of_an_image_without_one_is_its_configurations(app: House) -> None:
    await fill(app, image_of(b"{}", subject=described(media_types.OCI_MANIFEST, SUBJECT)))
    [found] = (await page(app, kind="application/vnd.oci.image.config.v1+json")).items
    assert found.annotations == {}


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
@pytest.mark.parametrize("kind", [None, SIGNATURE, BILL, "x"])
async def test_pages_have_each_one_once_and_in_order(app: House, limit: int, kind: str | None) -> None:
    manifests = [signature(number, (SIGNATURE, BILL)[number % 2]) for number in range(7)]
    await fill(app, *manifests)
    wanted = sorted(Digest.of(one) for one in manifests if kind in {None, json.loads(one)["artifactType"]})
    found: list[Referrer] = []
    while True:
        asked = await page(app, kind=kind, after=str(found[-1].image.digest) if found else "", limit=limit)
        found += asked.items
        assert asked.more == (len(found) < len(wanted))
        if not asked.more:
            break
        assert len(asked.items) == limit
    assert [one.image.digest for one in found] == wanted


async def test_a_page_stands_for_few_enough_bytes(app: House) -> None:
    large = {"large": "x" * (3 * MEBIBYTE)}
    digests = await fill(app, signature(1, **large), signature(2, **large), signature(3))
    found: list[Digest] = []
    pages = 0
    more = True
    while more:
        asked = await page(app, after=str(found[-1]) if found else "")
        found += [one.image.digest for one in asked.items]
        pages, more = pages + 1, asked.more
    assert (found, pages) == (digests, 2)


async def test_a_damaged_referrer_does_not_hide_the_others(app: House) -> None:
    digests = await fill(app, signature(1), signature(2))
    await app.rows(f"UPDATE manifests SET content = x'00' WHERE digest = '{digests[0]}'")
    found = (await page(app)).items
    assert [one.image.digest for one in found] == digests
    assert found[0].annotations == {}
    assert found[1].annotations != {}


@pytest.mark.parametrize("annotations", [{"a": 1, "b": "c", "d": None, "e": ["f"]}, {"b": "c"}])
async def test_annotations_are_text(app: House, annotations: dict[str, object]) -> None:
    subject = described(media_types.OCI_MANIFEST, SUBJECT)
    await fill(app, image_of(b"{}", subject=subject, annotations=annotations))
    assert (await page(app)).items[0].annotations == {"b": "c"}


@pytest.mark.parametrize("annotations", [None, [], "x", 5])
async def test_annotations_of_another_form_are_none(app: House, annotations: object) -> None:
    subject = described(media_types.OCI_MANIFEST, SUBJECT)
    await fill(app, image_of(b"{}", subject=subject, annotations=annotations))
    assert (await page(app)).items[0].annotations == {}


async def test_another_repositorys_referrers_are_its_own(app: House) -> None:
    await fill(app, signature(1))
    await app.create(other := HOME.repository("other"))
    found = await app.registry.referrers.page(
        app.caller, other, Digest.of(SUBJECT), artifact_type=None, after="", limit=9
    )
    assert found.items == []


async def test_a_missing_repository_has_no_referrers(app: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await app.registry.referrers.page(
            app.caller, HOME.repository("none"), Digest.of(SUBJECT), artifact_type=None, after="", limit=9
        )


async def test_a_subject_may_be_named_by_sha512(app: House) -> None:
    subject = {**described(media_types.OCI_MANIFEST, SUBJECT), "digest": str(Digest.of(SUBJECT, "sha512"))}
    await fill(app, image_of(b"{}", subject=subject))
    found = await app.registry.referrers.page(
        app.caller, APP, Digest.of(SUBJECT, "sha512"), artifact_type=None, after="", limit=9
    )
    assert len(found.items) == 1
    assert (await page(app)).items == []


async def test_a_referrer_needs_what_every_manifest_needs(app: House) -> None:
    with pytest.raises(ReferencedImagesNotFound):
        await fill(app, index_of(SUBJECT, subject=described(media_types.OCI_MANIFEST, SUBJECT)))


# --- the API's list -------------------------------------------------------------------------------------------------


async def listing(house: House, *kinds: str, limit: int = 50, status: str = "ACTIVE") -> list[Digest]:
    found: list[Digest] = []
    token: str | None = None
    while True:
        page = await house.registry.referrers.listing(
            house.caller, APP, Digest.of(SUBJECT), artifact_types=kinds, status=status, limit=limit, token=token
        )
        assert len(page.items) <= limit
        found += [one.image.digest for one in page.items]
        token = page.next_token
        if token is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_the_api_lists_referrers_of_several_types_by_pages(app: House, limit: int) -> None:
    kinds = {kind: [signature(number, kind) for number in range(3)] for kind in (SIGNATURE, BILL, "application/x")}
    everything = await fill(app, *(one for some in kinds.values() for one in some))
    assert await listing(app, limit=limit) == everything
    wanted = sorted(Digest.of(one) for kind in (SIGNATURE, BILL) for one in kinds[kind])
    assert await listing(app, BILL, SIGNATURE, BILL, limit=limit) == wanted
    assert await listing(app, "application/unknown", limit=limit) == []


async def test_the_api_lists_archived_referrers_when_asked(app: House) -> None:
    await app.push(b"{}")
    await app.put(SUBJECT)
    [digest] = await fill(app, signature(1))
    await app.registry.storage_classes.update(app.caller, APP, ImageId(digest=digest), "ARCHIVE")
    assert await listing(app) == []
    for status in ("ARCHIVED", "ANY"):
        assert await listing(app, status=status) == [digest]


async def test_a_token_continues_its_own_list(app: House) -> None:
    await fill(app, signature(1), signature(2))
    ask: dict[str, Any] = {"status": "ACTIVE", "limit": 1}
    first = await app.registry.referrers.listing(
        app.caller, APP, Digest.of(SUBJECT), artifact_types=[], token=None, **ask
    )
    with pytest.raises(InvalidParameter, match="nextToken"):
        await app.registry.referrers.listing(
            app.caller, APP, Digest.of(SUBJECT), artifact_types=[BILL], token=first.next_token, **ask
        )
