from __future__ import annotations

import json
from typing import Any

import pytest

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.records import TagExclusion
from tests.distribution.driver import V2, Client, Request, drive
from tests.registry.house import ACCOUNT, HOME, House, described, image_of, index_of

IMAGE = image_of(b"{}")
DIGEST = str(Digest.of(IMAGE))
NONE = str(Digest.of(b"none"))
THERE = f"with name 'team/app' in the registry with id '{ACCOUNT}'"


@pytest.fixture
async def pusher(client: Client) -> Client:
    """A client of a repository that holds the configuration `{}`."""
    await client.push(b"{}")
    return client


async def test_a_manifest_is_put_and_got_by_tag_and_digest(pusher: Client) -> None:
    answer = await pusher.put("v1", IMAGE)
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"] == f"{V2}/manifests/{DIGEST}"
    assert answer.headers["docker-content-digest"] == DIGEST
    for reference in ("v1", DIGEST):
        got = await pusher.ask("GET", f"{V2}/manifests/{reference}")
        assert (got.status, got.body) == (200, IMAGE)
        assert got.headers["content-type"] == media_types.OCI_MANIFEST
        assert got.headers["docker-content-digest"] == DIGEST
        head = await pusher.ask("HEAD", f"{V2}/manifests/{reference}")
        assert (head.status, head.headers) == (200, got.headers)


@pytest.mark.parametrize("accept", ["*/*", "text/plain", media_types.DOCKER_MANIFEST, ""])
async def test_what_is_stored_is_served_whatever_is_accepted(pusher: Client, accept: str) -> None:
    await pusher.put("v1", IMAGE)
    answer = await pusher.ask("GET", f"{V2}/manifests/v1", headers={"Accept": accept})
    assert (answer.status, answer.body) == (200, IMAGE)


async def test_the_same_manifest_again_is_answered_alike(pusher: Client) -> None:
    first = await pusher.put("v1", IMAGE)
    again = await pusher.put("v1", IMAGE)
    assert (again.status, again.headers) == (first.status, first.headers)


async def test_a_content_type_may_have_parameters(pusher: Client) -> None:
    assert (await pusher.put("v1", IMAGE, f"{media_types.OCI_MANIFEST}; charset=utf-8")).status == 201


async def test_the_documents_own_type_is_enough(pusher: Client) -> None:
    assert (await pusher.ask("PUT", f"{V2}/manifests/v1", IMAGE)).status == 201
    assert (await pusher.ask("PUT", f"{V2}/manifests/v1", IMAGE, {"Content-Type": " ; "})).status == 201


async def test_a_manifest_is_put_by_its_digest(pusher: Client) -> None:
    assert (await pusher.put(DIGEST, IMAGE)).status == 201
    long = str(Digest.of(IMAGE, "sha512"))
    assert (await pusher.put(long, IMAGE)).headers["docker-content-digest"] == long


async def test_another_digest_is_refused(pusher: Client) -> None:
    assert (await pusher.put(NONE, IMAGE)).error == (
        400,
        "MANIFEST_INVALID",
        (
            f"The image with digest '{NONE}' in repository 'team/app' and registry ID '{ACCOUNT}' "
            "does not match the image digest that Amazon ECR has calculated."
        ),
    )


@pytest.mark.parametrize("reference", ["none", NONE])
async def test_a_missing_manifest_is_unknown(client: Client, reference: str) -> None:
    for method in ("GET", "DELETE"):
        answer = await client.ask(method, f"{V2}/manifests/{reference}")
        assert answer.error == (404, "MANIFEST_UNKNOWN", "Requested image not found")
    assert (await client.ask("HEAD", f"{V2}/manifests/{reference}")).status == 404


async def test_missing_layers_are_named(client: Client) -> None:
    image = image_of(b"{}", b"layer")
    assert (await client.put("v1", image)).error == (
        404,
        "BLOB_UPLOAD_UNKNOWN",
        (
            f"Layers with digests '[{Digest.of(b'{}')}, {Digest.of(b'layer')}]' required for pushing image "
            f"into repository {THERE} do not exist"
        ),
    )


async def test_of_very_many_missing_layers_the_first_are_named(client: Client) -> None:
    layers = [b"%d" % number for number in range(10_000)]
    status, word, sentence = (await client.put("v1", image_of(*layers))).error
    assert (status, word) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert sentence.startswith(f"Layers with digests '[{Digest.of(layers[0])}, ")
    assert sentence.endswith(
        f", {Digest.of(layers[99])}, and 9900 more]' required for pushing image into repository {THERE} do not exist"
    )


async def test_missing_images_are_named(client: Client) -> None:
    assert (await client.put("v1", index_of(IMAGE))).error == (
        404,
        "MANIFEST_BLOB_UNKNOWN",
        f"Images with digests '[{DIGEST}]' required for pushing image into repository {THERE} do not exist",
    )


async def test_an_immutable_tag_is_refused(house: House, client: Client) -> None:
    fixed = HOME.repository("team/fixed")
    await house.create(fixed, tag_mutability="IMMUTABLE")
    await house.image("v1", repository=fixed)
    path = "/v2/team/fixed/manifests/v1"
    assert (await client.ask("PUT", path, IMAGE, {"Content-Type": media_types.OCI_MANIFEST})).error == (
        400,
        "TAG_INVALID",
        (
            "The image tag 'v1' already exists in the 'team/fixed' repository "
            "and cannot be overwritten because the tag is immutable."
        ),
    )


async def test_an_immutable_tag_is_served_as_what_it_was_pushed_as(house: House, client: Client) -> None:
    fixed = HOME.repository("team/fixed")
    await house.create(fixed, tag_mutability="IMMUTABLE")
    await house.push(b"{}", fixed)
    content = json.dumps({name: it for name, it in json.loads(IMAGE).items() if name != "mediaType"}).encode()
    path = "/v2/team/fixed/manifests/"
    oci, docker = ({"Content-Type": it} for it in (media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST))
    assert (await client.ask("PUT", f"{path}v1", content, oci)).status == 201
    assert (await client.ask("PUT", f"{path}{Digest.of(content)}", content, oci)).status == 201
    assert (await client.ask("PUT", f"{path}{Digest.of(content)}", content, docker)).error == (
        400,
        "TAG_INVALID",
        (
            "The image tag 'v1' already exists in the 'team/fixed' repository "
            "and cannot be overwritten because the tag is immutable."
        ),
    )
    assert (await client.ask("GET", f"{path}v1")).headers["content-type"] == media_types.OCI_MANIFEST


@pytest.mark.parametrize(
    ("mode", "moves"),
    [
        ("MUTABLE", {"v1": True, "dev-1": True}),
        ("IMMUTABLE", {"v1": False, "dev-1": False}),
        ("MUTABLE_WITH_EXCLUSION", {"v1": True, "dev-1": False}),
        ("IMMUTABLE_WITH_EXCLUSION", {"v1": False, "dev-1": True}),
    ],
)
@pytest.mark.parametrize("again", [b"{}", b"{ }"], ids=["the same", "another"])
async def test_a_tag_moves_where_the_mode_lets_it(
    house: House, client: Client, mode: str, moves: dict[str, bool], again: bytes
) -> None:
    fixed = HOME.repository("team/fixed")
    exclusions = (TagExclusion("dev-*"),) if mode.endswith("EXCLUSION") else ()
    await house.create(fixed, tag_mutability=mode, tag_exclusions=exclusions)
    for config in (b"{}", b"{ }"):
        await house.push(config, fixed)
    for tag, may_move in moves.items():
        path = f"/v2/team/fixed/manifests/{tag}"
        assert (await client.ask("PUT", path, IMAGE)).status == 201
        answer = await client.ask("PUT", path, image_of(again))
        if may_move:
            assert answer.status == 201
            continue
        assert answer.error == (
            400,
            "TAG_INVALID",
            (
                f"The image tag '{tag}' already exists in the 'team/fixed' repository "
                "and cannot be overwritten because the tag is immutable."
            ),
        )
        assert (await client.ask("DELETE", path)).status == 202
        assert (await client.ask("PUT", path, image_of(again))).status == 201


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({"schemaVersion": 1, "name": "x", "fsLayers": []}, media_types.DOCKER_SCHEMA1),
        ({"schemaVersion": 1, "signatures": []}, media_types.DOCKER_SCHEMA1_SIGNED),
        ({"schemaVersion": 1}, "application/json"),
    ],
)
async def test_schema_1_is_refused_with_the_remedy(client: Client, document: dict[str, Any], media_type: str) -> None:
    answer = await client.put("v1", json.dumps(document).encode(), media_type)
    assert answer.error == (
        400,
        "MANIFEST_INVALID",
        (
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
            "'Docker image manifest schema 1 is not supported; push the image with a newer client'"
        ),
    )


async def test_an_archived_image_is_unknown_until_it_is_pushed_again(house: House, pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    await house.rows("UPDATE manifests SET status = 'ARCHIVED'")
    config = f"{V2}/blobs/{Digest.of(b'{}')}"
    for reference in ("v1", DIGEST):
        assert (await pusher.ask("GET", f"{V2}/manifests/{reference}")).error == (
            404,
            "MANIFEST_UNKNOWN",
            "Requested image not found",
        )
        assert (await pusher.ask("HEAD", f"{V2}/manifests/{reference}")).status == 404
    assert (await pusher.ask("GET", config)).error[:2] == (404, "BLOB_UNKNOWN")
    assert (await pusher.ask("HEAD", config)).status == 404
    await pusher.push(b"{}")
    assert (await pusher.put("v1", IMAGE)).status == 201
    assert (await pusher.ask("GET", f"{V2}/manifests/v1")).body == IMAGE
    assert (await pusher.ask("GET", config)).body == b"{}"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"{}"])
async def test_what_is_no_manifest_is_refused_in_the_words_of_ecr(client: Client, content: bytes) -> None:
    assert (await client.ask("PUT", f"{V2}/manifests/v1", content)).error == (
        400,
        "MANIFEST_INVALID",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    )


@pytest.mark.parametrize("media_type", ["text/plain", "\xff\xfe", media_types.DOCKER_LIST, "x" * 10_000])
async def test_another_type_is_refused(pusher: Client, media_type: str) -> None:
    assert (await pusher.put("v1", IMAGE, media_type)).error[:2] == (400, "MANIFEST_INVALID")


async def test_text_that_is_half_a_character_is_refused(pusher: Client) -> None:
    image = image_of(b"{}", artifactType="\ud800")
    assert (await pusher.put("v1", image)).error[:2] == (400, "MANIFEST_INVALID")


async def test_a_manifest_has_at_most_four_mebibytes(pusher: Client) -> None:
    limit = 4 * 1024 * 1024
    assert (await pusher.put("v1", IMAGE.ljust(limit))).status == 201
    answer = await pusher.put("v2", IMAGE.ljust(limit + 1))
    assert answer.error == (
        413,
        "MANIFEST_INVALID",
        f"The request body is larger than the {limit} bytes that this operation takes.",
    )


async def test_a_chunked_body_is_limited_too(pusher: Client) -> None:
    headers = {"Content-Type": media_types.OCI_MANIFEST, "Transfer-Encoding": "chunked"}
    assert (await asked_chunked(pusher, IMAGE.ljust(5 * 1024 * 1024), headers)) == 413
    assert (await asked_chunked(pusher, IMAGE, headers)) == 201


async def asked_chunked(client: Client, body: bytes, headers: dict[str, str]) -> int:
    known = {"Authorization": client._authorization or "", **headers}
    return (await drive(client._plane, Request("PUT", f"{V2}/manifests/v1", body, known))).status


async def test_a_manifest_cut_short_is_not_stored(pusher: Client) -> None:
    headers = {"Content-Type": media_types.OCI_MANIFEST, "Content-Length": str(len(IMAGE) + 10)}
    answer = await pusher.ask("PUT", f"{V2}/manifests/v1", IMAGE, headers, cut=len(IMAGE))
    assert answer.error[0] == 400
    assert (await pusher.ask("HEAD", f"{V2}/manifests/v1")).status == 404


async def test_deleting_the_last_tag_deletes_the_image(pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    await pusher.put("v2", IMAGE)
    assert (await pusher.ask("DELETE", f"{V2}/manifests/v1")).status == 202
    assert (await pusher.ask("HEAD", f"{V2}/manifests/v1")).status == 404
    assert (await pusher.ask("HEAD", f"{V2}/manifests/{DIGEST}")).status == 200
    assert (await pusher.ask("DELETE", f"{V2}/manifests/v2")).status == 202
    assert (await pusher.ask("HEAD", f"{V2}/manifests/{DIGEST}")).status == 404


async def test_deleting_the_digest_deletes_every_tag(pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    await pusher.put("v2", IMAGE)
    assert (await pusher.ask("DELETE", f"{V2}/manifests/{DIGEST}")).status == 202
    assert (await pusher.ask("GET", f"{V2}/tags/list")).json["tags"] == []


async def test_an_image_that_an_index_lists_cannot_be_deleted(pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    index = index_of(IMAGE)
    assert (await pusher.put("multi", index)).status == 201
    for _ in range(2):
        assert (await pusher.ask("DELETE", f"{V2}/manifests/{DIGEST}")).error == (
            405,
            "UNSUPPORTED",
            f"Requested image referenced by manifest list: [{Digest.of(index)}]",
        )
        assert (await pusher.ask("HEAD", f"{V2}/manifests/{DIGEST}")).status == 200
    assert (await pusher.ask("DELETE", f"{V2}/manifests/multi")).status == 202
    assert (await pusher.ask("DELETE", f"{V2}/manifests/{DIGEST}")).status == 202


async def test_a_subject_that_is_not_there_is_accepted(pusher: Client) -> None:
    image = image_of(b"{}", subject=described(media_types.OCI_MANIFEST, b"not there"))
    answer = await pusher.put("v1", image)
    assert answer.status == 201
    assert answer.headers["oci-subject"] == str(Digest.of(b"not there"))
    assert "oci-subject" not in (await pusher.put("v2", image_of(b"{}"))).headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("reference", ["v1", str(Digest.of(IMAGE))])
async def test_a_client_that_has_the_manifest_is_not_sent_it(pusher: Client, method: str, reference: str) -> None:
    await pusher.put("v1", IMAGE)
    path, tag = f"{V2}/manifests/{reference}", f'"{Digest.of(IMAGE)}"'
    assert (await pusher.ask(method, path)).headers["etag"] == tag
    answer = await pusher.ask(method, path, headers={"If-None-Match": tag})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in answer.headers
    assert (await pusher.ask(method, path, headers={"If-None-Match": '"x"'})).status == 200


async def test_a_tag_that_moved_is_sent_again(pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    await pusher.put("v1", other := image_of(b"{}", annotations={"a": "b"}))
    answer = await pusher.ask("GET", f"{V2}/manifests/v1", headers={"If-None-Match": f'"{Digest.of(IMAGE)}"'})
    assert (answer.status, answer.body) == (200, other)


async def test_tags_come_with_a_push_by_digest(pusher: Client) -> None:
    digest = Digest.of(IMAGE)
    answer = await pusher.put(f"{digest}?tag=a&tag=b&tag=a", IMAGE)
    assert (answer.status, answer.headers["oci-tag"]) == (201, "a, b")
    for tag in ("a", "b"):
        assert (await pusher.ask("GET", f"{V2}/manifests/{tag}")).body == IMAGE
    assert "oci-tag" not in (await pusher.put(str(digest), IMAGE)).headers
    assert "oci-tag" not in (await pusher.put("c?tag=d", IMAGE)).headers


@pytest.mark.parametrize("query", ["tag=a&tag=no/tag", "&".join(f"tag=t{number}" for number in range(101))])
async def test_tags_are_set_together_or_not_at_all(pusher: Client, query: str) -> None:
    answer = await pusher.put(f"{Digest.of(IMAGE)}?{query}", IMAGE)
    assert answer.error[:2] == (400, "TAG_INVALID")
    assert (await pusher.ask("GET", f"{V2}/tags/list")).json["tags"] == []


async def test_sha512_names_manifests_from_end_to_end(pusher: Client) -> None:
    digest = Digest.of(IMAGE, "sha512")
    answer = await pusher.put(str(digest), IMAGE)
    assert (answer.status, answer.headers["docker-content-digest"]) == (201, str(digest))
    got = await pusher.ask("GET", answer.headers["location"])
    assert (got.status, got.body, got.headers["docker-content-digest"]) == (200, IMAGE, str(digest))
    assert (await pusher.ask("DELETE", answer.headers["location"])).status == 202
    assert (await pusher.ask("HEAD", answer.headers["location"])).status == 404


async def test_the_last_tag_of_what_an_index_lists_goes_and_the_image_stays(pusher: Client) -> None:
    await pusher.put("v1", IMAGE)
    await pusher.put("list", index_of(IMAGE))
    assert (await pusher.ask("DELETE", f"{V2}/manifests/v1")).status == 202
    assert (await pusher.ask("GET", f"{V2}/manifests/v1")).error[:2] == (404, "MANIFEST_UNKNOWN")
    assert (await pusher.ask("GET", f"{V2}/manifests/{Digest.of(IMAGE)}")).body == IMAGE


@pytest.mark.parametrize("media_type", [media_types.DOCKER_MANIFEST, media_types.OCI_MANIFEST])
async def test_docker_and_oci_images_keep_their_type(pusher: Client, media_type: str) -> None:
    image = json.dumps(json.loads(IMAGE) | {"mediaType": media_type}).encode()
    await pusher.put("v1", image)
    assert (await pusher.ask("HEAD", f"{V2}/manifests/v1")).headers["content-type"] == media_type
