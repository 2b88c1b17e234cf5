from __future__ import annotations

import json

import pytest

from portside.core import media_types
from portside.core.digest import Digest
from tests.distribution.driver import V2, Client
from tests.distribution.test_listings import walk
from tests.registry.house import described, image_of, index_of

SUBJECT = image_of(b"{}", annotations={"name": "subject"})
PATH = f"{V2}/referrers/{Digest.of(SUBJECT)}"
KINDS = ("application/vnd.signature+json", "application/vnd.bill; v=1&x")


def artifact(number: int) -> bytes:
    return image_of(
        b"{}",
        artifactType=KINDS[number % 2],
        subject=described(media_types.OCI_MANIFEST, SUBJECT),
        annotations={"number": str(number)},
    )


@pytest.fixture
async def pusher(client: Client) -> Client:
    """A client of a repository that holds the configuration `{}`."""
    await client.push(b"{}")
    return client


@pytest.fixture
async def digests(pusher: Client) -> list[str]:
    """Five artifacts of two kinds with one subject, in order of digest."""
    for number in range(5):
        answer = await pusher.put(str(Digest.of(artifact(number))), artifact(number))
        assert answer.headers["oci-subject"] == str(Digest.of(SUBJECT))
    return sorted(str(Digest.of(artifact(number))) for number in range(5))


@pytest.mark.parametrize("query", ["", "?artifactType=x", "?last=sha256:0&n=5"])
async def test_an_unknown_subject_has_an_empty_index(client: Client, query: str) -> None:
    answer = await client.ask("GET", PATH + query)
    assert answer.status == 200
    assert answer.headers["content-type"] == media_types.OCI_INDEX
    assert answer.json == {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
    assert "link" not in answer.headers


async def test_a_referrer_is_a_descriptor(pusher: Client) -> None:
    await pusher.put("v1", artifact(1))
    [found] = (await pusher.ask("GET", PATH)).json["manifests"]
    assert found == {
        **described(media_types.OCI_MANIFEST, artifact(1)),
        "artifactType": KINDS[1],
        "annotations": {"number": "1"},
    }


async def test_what_is_not_said_is_left_out(pusher: Client) -> None:
    bare = index_of(subject=described(media_types.OCI_MANIFEST, SUBJECT))
    await pusher.put("v1", bare)
    assert (await pusher.ask("GET", PATH)).json["manifests"] == [described(media_types.OCI_INDEX, bare)]


@pytest.mark.parametrize("size", ["1", "2", "4", "5", "6", "100", "9999"])
async def test_links_lead_to_every_referrer_once(pusher: Client, digests: list[str], size: str) -> None:
    assert [one["digest"] for one in await walk(pusher, f"{PATH}?n={size}", "manifests")] == digests


@pytest.mark.parametrize("kind", KINDS)
async def test_a_type_is_filtered_by_and_kept_by_the_links(pusher: Client, digests: list[str], kind: str) -> None:
    answer = await pusher.ask("GET", PATH, artifactType=kind, n="1")
    assert answer.headers["oci-filters-applied"] == "artifactType"
    found = answer.json["manifests"]
    target = answer.headers["link"].partition(">")[0][1:]
    found += await walk(pusher, target, "manifests")
    assert {one["artifactType"] for one in found} == {kind}
    assert [one["digest"] for one in found] == [
        digest
        for digest in digests
        if digest in {str(Digest.of(artifact(number))) for number in range(5) if KINDS[number % 2] == kind}
    ]


@pytest.mark.usefixtures("digests")
@pytest.mark.parametrize("query", ["", "?artifactType="])
async def test_without_a_type_nothing_is_filtered(pusher: Client, query: str) -> None:
    answer = await pusher.ask("GET", PATH + query)
    assert len(answer.json["manifests"]) == 5
    assert "oci-filters-applied" not in answer.headers


@pytest.mark.usefixtures("digests")
async def test_no_entries_are_no_page(pusher: Client) -> None:
    answer = await pusher.ask("GET", PATH, n="0")
    assert answer.json["manifests"] == []
    assert "link" not in answer.headers


@pytest.mark.usefixtures("digests")
async def test_head_says_what_get_would(pusher: Client) -> None:
    head, get = await pusher.ask("HEAD", PATH), await pusher.ask("GET", PATH)
    assert (head.status, head.headers) == (200, get.headers)


async def test_a_deleted_referrer_is_gone(pusher: Client, digests: list[str]) -> None:
    assert (await pusher.ask("DELETE", f"{V2}/manifests/{digests[2]}")).status == 202
    found = (await pusher.ask("GET", PATH)).json["manifests"]
    assert [one["digest"] for one in found] == digests[:2] + digests[3:]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (f"{V2}/referrers/sha256:x", (400, "DIGEST_INVALID")),
        (f"{V2}/referrers/v1", (400, "DIGEST_INVALID")),
        (f"/v2/none/referrers/{Digest.of(SUBJECT)}", (404, "NAME_UNKNOWN")),
        (f"/v2/NO/referrers/{Digest.of(SUBJECT)}", (400, "NAME_INVALID")),
        (f"{PATH}?n=x", (400, "UNSUPPORTED")),
        (f"{PATH}?last=%00", (400, "UNSUPPORTED")),
        (f"{PATH}?artifactType=%00", (400, "UNSUPPORTED")),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: Client, target: str, error: tuple[int, str]) -> None:
    assert (await client.ask("GET", target)).error[:2] == error


async def test_a_page_has_no_more_bytes_than_clients_read(pusher: Client) -> None:
    room = 4 * 1024 * 1024
    # In escapes each would be three times as long.
    bodies = [large(number, "\u00e9" * 1_040_000) for number in range(3)]
    for body in bodies:
        assert (await pusher.put(str(Digest.of(body)), body)).status == 201
    found: list[dict[str, object]] = []
    path: str | None = PATH
    pages = 0
    while path:
        answer = await pusher.ask("GET", path)
        assert len(answer.body) <= room
        found += answer.json["manifests"]
        path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
        pages += 1
    assert [one["digest"] for one in found] == sorted(str(Digest.of(body)) for body in bodies)
    assert all(one["annotations"] for one in found)
    assert pages == 2


async def test_the_index_around_the_descriptors_counts_too(pusher: Client) -> None:
    bodies = [artifact_of(2 * 1024 * 1024, letter) for letter in "xy"]
    for body in bodies:
        assert (await pusher.put(str(Digest.of(body)), body)).status == 201
    first = await pusher.ask("GET", PATH)
    second = await pusher.ask("GET", first.headers["link"].partition(">")[0].removeprefix("<"))
    assert max(len(first.body), len(second.body)) <= 4 * 1024 * 1024
    assert "link" not in second.headers
    found = [*first.json["manifests"], *second.json["manifests"]]
    assert [one["digest"] for one in found] == sorted(str(Digest.of(body)) for body in bodies)


async def test_one_that_is_too_long_for_a_page_is_listed_without_its_annotations(pusher: Client) -> None:
    body = artifact_of(4 * 1024 * 1024, "x")
    assert (await pusher.put(str(Digest.of(body)), body)).status == 201
    answer = await pusher.ask("GET", PATH)
    assert len(answer.body) <= 4 * 1024 * 1024
    assert answer.json["manifests"] == [described(media_types.OCI_ARTIFACT, body) | {"artifactType": "x/y"}]


def large(number: int, text: str) -> bytes:
    document = json.loads(artifact(number)) | {"annotations": {"number": str(number), "a": text}}
    return json.dumps(document, ensure_ascii=False).encode()


def artifact_of(size: int, letter: str) -> bytes:
    """A manifest that is nearly all annotations."""
    subject = {"mediaType": "a/b", "digest": str(Digest.of(SUBJECT)), "size": 1}
    head = json.dumps({"mediaType": media_types.OCI_ARTIFACT, "artifactType": "x/y", "subject": subject})
    head = head.replace(" ", "")[:-1] + ',"annotations":{"a":"'
    return (head + letter * (size - len(head) - 3) + '"}}').encode()
