from __future__ import annotations

import typing
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portside.aws.ecr import model, operations
from portside.core.digest import Digest
from portside.core.errors import InvalidLayerPart, LayerInaccessible, RepositoryNotFound
from portside.core.kms_errors import KmsFailure, KmsKeyDisabled, KmsKeyNotFound
from portside.core.names import ImageId, RegistryId, Tag
from portside.core.records import Layer, Repository, RepositorySettings, TagExclusion
from portside.registry.listing import Listing
from portside.registry.outcomes import ImageFailure, Pushed, StoredImage
from tests.aws.fakes import ACCOUNT, AT, DIGEST, REGION, TEAM, UPLOAD, Bench, image

OTHER = "210987654321"
WHEN = datetime.fromtimestamp(AT / 1_000_000, UTC)
NAME = {"repositoryName": "team/app"}


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as found:
        call(**parameters)
    error = found.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize("name", sorted(operations.HANDLERS))
def test_a_handler_takes_and_gives_the_models_types(name: str) -> None:
    hints = typing.get_type_hints(operations.HANDLERS[name])
    operation = model.OPERATIONS[name]
    assert (hints["request"], hints["return"]) == (operation.request, operation.reply)


def test_without_a_registry_id_it_is_the_callers(bench: Bench) -> None:
    client = bench.client()
    client.list_images(**NAME)
    client.list_images(**NAME, registryId=OTHER)
    assert [repository.account for repository, _ in bench.images.asked] == [ACCOUNT, OTHER]


# --- authorization --------------------------------------------------------------------------------------------------


def test_an_authorization_token_is_a_user_and_a_password(bench: Bench) -> None:
    [data] = bench.client().get_authorization_token()["authorizationData"]
    assert b64decode(data["authorizationToken"]).decode() == f"AWS:password of {ACCOUNT} in {REGION}"
    assert data["expiresAt"] == WHEN
    assert data["proxyEndpoint"] == "http://localhost:4510"
    assert len(bench.client().get_authorization_token(registryIds=[ACCOUNT, OTHER])["authorizationData"]) == 2


# --- repositories ---------------------------------------------------------------------------------------------------


def test_a_repository_is_made_with_ecrs_defaults(bench: Bench) -> None:
    made = bench.client().create_repository(**NAME)["repository"]
    assert made == {
        "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app",
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "repositoryUri": "localhost:4510/team/app",
        "createdAt": WHEN,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert bench.repositories.asked == [(TEAM, RepositorySettings())]


def test_a_repository_is_made_as_it_is_asked_for(bench: Bench) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    made = bench.client().create_repository(
        **NAME,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "AES256"},
        tags=[{"Key": "team", "Value": "rød 1"}, {"Key": "cost/centre", "Value": ""}],
    )["repository"]
    assert made["imageTagMutabilityExclusionFilters"] == filters
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    [(_, settings)] = bench.repositories.asked
    assert settings.tag_exclusions == (TagExclusion("dev-*"),)
    assert settings.resource_tags == {"team": "rød 1", "cost/centre": ""}


@pytest.mark.parametrize(
    ("tags", "code", "words"),
    [
        ([("aws:x", "1")], "InvalidTagParameterException", "reserved"),
        ([("AWS:x", "1")], "InvalidTagParameterException", "reserved"),
        ([("", "1")], "InvalidTagParameterException", "1 to 128"),
        ([("k" * 129, "1")], "InvalidTagParameterException", "1 to 128"),
        ([("k", "v" * 257)], "InvalidTagParameterException", "at most 256"),
        ([("k", "a\nb")], "InvalidTagParameterException", "letters"),
        ([("k", "1"), ("k", "2")], "InvalidTagParameterException", "twice"),
        ([(f"k{number}", "1") for number in range(51)], "TooManyTagsException", "maximum number of tags is 50"),
    ],
)
def test_resource_tags_are_checked(bench: Bench, tags: list[tuple[str, str]], code: str, words: str) -> None:
    given = [{"Key": key, "Value": value} for key, value in tags]
    found = refused(bench.client().create_repository, **NAME, tags=given)
    assert found[0] == code
    assert words in found[1]
    assert bench.repositories.asked == []


@pytest.mark.parametrize(
    ("mutability", "filters"),
    [
        ("MUTABLE", ["a"]),
        ("IMMUTABLE", ["a"]),
        ("MUTABLE_WITH_EXCLUSION", None),
        ("IMMUTABLE_WITH_EXCLUSION", None),
    ],
)
def test_exclusions_go_with_exclusion_and_only_with_it(
    bench: Bench, mutability: str, filters: list[str] | None
) -> None:
    given = (
        {}
        if filters is None
        else {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": one} for one in filters]}
    )
    code, words = refused(bench.client().create_repository, **NAME, imageTagMutability=mutability, **given)
    assert code == "InvalidParameterException"
    assert words.startswith("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: ")
    assert words.endswith(f"when imageTagMutability is set as {mutability}'")


@pytest.mark.parametrize("key", [{}, {"kmsKey": "alias/team"}])
@pytest.mark.parametrize("kind", ["KMS", "KMS_DSSE"])
def test_a_repository_is_made_under_a_kms_key(bench: Bench, kind: str, key: dict[str, str]) -> None:
    encryption: Any = {"encryptionType": kind, **key}
    answer = bench.client().create_repository(**NAME, encryptionConfiguration=encryption)
    assert answer["repository"]["encryptionConfiguration"] == encryption
    [(_, settings)] = bench.repositories.asked
    assert (settings.encryption_type, settings.kms_key) == (kind, key.get("kmsKey"))


def test_a_kms_key_goes_with_kms_alone(bench: Bench) -> None:
    encryption: Any = {"encryptionType": "AES256", "kmsKey": "key"}
    code, words = refused(bench.client().create_repository, **NAME, encryptionConfiguration=encryption)
    assert code == "InvalidParameterException"
    assert "'encryptionConfiguration.kmsKey'" in words
    assert bench.repositories.asked == []


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (KmsKeyNotFound("Invalid keyId 'x'"), "KMS.NotFoundException"),
        (KmsKeyDisabled("It is disabled."), "KMS.DisabledException"),
    ],
)
def test_a_kms_failure_has_the_name_that_kms_gives_it(bench: Bench, failure: KmsFailure, name: str) -> None:
    bench.repositories.failure = failure
    with pytest.raises(ClientError) as caught:
        bench.client().create_repository(**NAME)
    found: Any = caught.value.response
    assert found["Error"] == {"Code": "KmsException", "Message": failure.message}
    assert found["kmsError"] == name


def test_repositories_are_described_by_page(bench: Bench) -> None:
    bench.repositories.found = [Repository(7, TEAM, RepositorySettings(), "key", AT)]
    bench.repositories.next_token = "more"
    client = bench.client()
    answer = client.describe_repositories(maxResults=5, nextToken="there")
    assert [one["repositoryName"] for one in answer["repositories"]] == ["team/app"]
    assert answer["nextToken"] == "more"
    client.describe_repositories(repositoryNames=["bb", "aa"], registryId=OTHER)
    assert bench.repositories.asked == [
        (TEAM.registry, [], 5, "there"),
        (RegistryId(OTHER, REGION), ["bb", "aa"], 100, None),
    ]


def test_names_and_pages_do_not_go_together(bench: Bench) -> None:
    code, words = refused(bench.client().describe_repositories, repositoryNames=["team/app"], maxResults=5)
    assert code == "InvalidParameterException"
    assert "'maxResults'" in words


def test_a_missing_repository_is_told(bench: Bench) -> None:
    bench.repositories.failure = RepositoryNotFound(TEAM)
    assert refused(bench.client().delete_repository, **NAME) == (
        "RepositoryNotFoundException",
        f"The repository with name 'team/app' does not exist in the registry with id '{ACCOUNT}'",
    )


def test_a_repository_is_deleted_by_force_only_when_told(bench: Bench) -> None:
    client = bench.client()
    assert client.delete_repository(**NAME)["repository"]["repositoryName"] == "team/app"
    client.delete_repository(**NAME, force=True)
    assert bench.repositories.asked == [(TEAM, False), (TEAM, True)]


# --- images ---------------------------------------------------------------------------------------------------------


def test_an_image_is_put(bench: Bench) -> None:
    put = bench.client().put_image(
        **NAME, imageManifest="{}", imageTag="v1", imageDigest=str(DIGEST), imageManifestMediaType="a/b"
    )["image"]
    assert put == {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "imageId": {"imageDigest": str(DIGEST), "imageTag": "v1"},
        "imageManifest": "{}",
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
    }
    assert bench.images.asked == [(TEAM, b"{}", {"media_type": "a/b", "tags": ("v1",), "digest": DIGEST})]


def test_the_same_image_again_is_an_error(bench: Bench) -> None:
    bench.images.pushed = Pushed(image(), changed=False)
    assert refused(bench.client().put_image, **NAME, imageManifest="{}", imageTag="v1") == (
        "ImageAlreadyExistsException",
        (
            f"Image with digest '{DIGEST}' and tag 'v1' already exists in the repository with name 'team/app' "
            f"in registry with id '{ACCOUNT}'"
        ),
    )


@pytest.mark.parametrize("name", [{"imageTag": "no+good"}, {"imageDigest": "sha256:no"}])
def test_an_image_has_a_name_that_can_be(bench: Bench, name: dict[str, str]) -> None:
    code, words = refused(bench.client().put_image, **NAME, imageManifest="{}", **name)
    assert code == "InvalidParameterException"
    assert f"'{next(iter(name))}'" in words


def test_a_batch_gives_images_and_failures(bench: Bench) -> None:
    missing = ImageId(tag=Tag("gone"))
    bench.images.stored = [
        StoredImage(ImageId(Tag("v1"), DIGEST), image(), '{"ø":1}'.encode()),
        ImageFailure(missing, "ImageNotFound", "Requested image not found"),
    ]
    asked = [{"imageTag": "v1"}, {"imageTag": "v1"}, {"imageTag": "gone"}, {}, {"imageDigest": "x"}, {"imageTag": "+"}]
    answer = bench.client().batch_get_image(**NAME, imageIds=asked, acceptedMediaTypes=["a/b"])
    assert [(one["imageManifest"], one["imageId"]) for one in answer["images"]] == [
        ('{"ø":1}', {"imageTag": "v1", "imageDigest": str(DIGEST)})
    ]
    assert {(one["failureCode"], str(one["imageId"])) for one in answer["failures"]} == {
        ("MissingDigestAndTag", "{}"),
        ("InvalidImageDigest", "{'imageDigest': 'x'}"),
        ("InvalidImageTag", "{'imageTag': '+'}"),
        ("ImageNotFound", "{'imageTag': 'gone'}"),
    }
    reasons = {one["failureCode"]: one["failureReason"] for one in answer["failures"]}
    assert reasons["MissingDigestAndTag"] == "Invalid request parameters: both tag and digest cannot be null"
    assert reasons["InvalidImageDigest"] == (
        "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
    )
    assert bench.images.asked == [(TEAM, [ImageId(tag=Tag("v1")), missing], ["a/b"])]


def test_a_batch_is_deleted(bench: Bench) -> None:
    bench.images.removed = ([ImageId(Tag("v1"), DIGEST), ImageId(None, DIGEST)], [])
    answer = bench.client().batch_delete_image(**NAME, imageIds=[{"imageDigest": str(DIGEST)}])
    assert answer["imageIds"] == [
        {"imageTag": "v1", "imageDigest": str(DIGEST)},
        {"imageDigest": str(DIGEST)},
    ]
    assert answer["failures"] == []


def test_images_are_listed(bench: Bench) -> None:
    bench.images.listed = Listing([ImageId(Tag("v1"), DIGEST), ImageId(None, DIGEST)], "more")
    client = bench.client()
    answer = client.list_images(**NAME, filter={"tagStatus": "TAGGED"}, maxResults=2, nextToken="there")
    assert answer["imageIds"] == [{"imageTag": "v1", "imageDigest": str(DIGEST)}, {"imageDigest": str(DIGEST)}]
    assert answer["nextToken"] == "more"
    client.list_images(**NAME)
    assert [wanted for _, wanted in bench.images.asked] == [
        {"tag_status": "TAGGED", "status": "ACTIVE", "limit": 2, "token": "there"},
        {"tag_status": "ANY", "status": "ACTIVE", "limit": 100, "token": None},
    ]


@pytest.mark.parametrize("status", ["ACTIVE", "ANY", "ARCHIVED", "ACTIVATING"])
def test_images_of_a_status_are_asked_for(bench: Bench, status: str) -> None:
    bench.images.described = Listing([image(status="ARCHIVED")], None)
    client = bench.client()
    client.list_images(**NAME, filter={"imageStatus": status})
    [detail] = client.describe_images(**NAME, filter={"imageStatus": status})["imageDetails"]
    assert [asked[-1]["status"] for asked in bench.images.asked] == [status, status]
    assert detail["imageStatus"] == "ARCHIVED"


def test_an_account_setting_is_put_and_got(bench: Bench) -> None:
    client = bench.client()
    setting = {"name": "BLOB_MOUNTING", "value": "ENABLED"}
    assert client.put_account_setting(**setting)["value"] == "ENABLED"
    answer = client.get_account_setting(name="BLOB_MOUNTING")
    assert {name: answer[name] for name in setting} == setting
    assert bench.settings.asked == [(TEAM.registry, *setting.values()), (TEAM.registry, "BLOB_MOUNTING")]


def test_a_layer_of_archived_images_alone_is_archived(bench: Bench) -> None:
    bench.layers.held[DIGEST] = Layer(DIGEST, 5, "", "a/b", referenced=True, archived=True)
    [layer] = bench.client().batch_check_layer_availability(**NAME, layerDigests=[str(DIGEST)])["layers"]
    assert layer["layerAvailability"] == "ARCHIVED"


def test_images_are_described(bench: Bench) -> None:
    subject = Digest.of(b"subject")
    bench.images.described = Listing(
        [image(last_pull_at=AT, subject=subject), image(tags=(), artifact_type=None)], None
    )
    first, second = bench.client().describe_images(**NAME)["imageDetails"]
    assert first == {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "imageDigest": str(DIGEST),
        "imageTags": ["v1", "v2"],
        "imageSizeInBytes": 1234,
        "imagePushedAt": WHEN,
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "lastRecordedPullTime": WHEN,
        "subjectManifestDigest": str(subject),
        "imageStatus": "ACTIVE",
    }
    assert not {"imageTags", "artifactMediaType", "lastRecordedPullTime", "subjectManifestDigest"} & second.keys()


@pytest.mark.parametrize("identifier", [{}, {"imageDigest": "x"}, {"imageTag": "+"}])
def test_an_image_that_cannot_be_is_not_described(bench: Bench, identifier: dict[str, str]) -> None:
    assert refused(bench.client().describe_images, **NAME, imageIds=[identifier])[0] == "InvalidParameterException"


# --- layers ---------------------------------------------------------------------------------------------------------


def test_layers_are_available_or_not(bench: Bench) -> None:
    held, plain, missing = Digest.of(b"held"), Digest.of(b"plain"), Digest.of(b"missing")
    bench.layers.held = {
        held: Layer(held, 7, "there", "application/vnd.oci.image.layer.v1.tar+gzip", referenced=True),
        plain: Layer(plain, 0, "there", None, referenced=False),
    }
    asked = [str(held), str(plain), str(missing), "", "sha256:no"]
    answer = bench.client().batch_check_layer_availability(**NAME, layerDigests=asked)
    assert answer["layers"] == [
        {
            "layerDigest": str(held),
            "layerAvailability": "AVAILABLE",
            "layerSize": 7,
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        },
        {
            "layerDigest": str(plain),
            "layerAvailability": "AVAILABLE",
            "layerSize": 0,
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        },
        {"layerDigest": str(missing), "layerAvailability": "UNAVAILABLE"},
    ]
    assert [one["failureCode"] for one in answer["failures"]] == ["MissingLayerDigest", "InvalidLayerDigest"]


def test_a_layer_is_uploaded_in_parts(bench: Bench) -> None:
    client = bench.client()
    begun = client.initiate_layer_upload(**NAME)
    assert (begun["uploadId"], begun["partSize"]) == (UPLOAD, 10_485_760)
    part = bytes(range(256)) * 8192 + b"end"
    answer = client.upload_layer_part(
        **NAME, uploadId=UPLOAD, partFirstByte=0, partLastByte=len(part) - 1, layerPartBlob=part
    )
    assert answer["lastByteReceived"] == len(part) - 1
    assert bytes(bench.uploads.content) == part
    digest = Digest.of(part)
    completed = client.complete_layer_upload(**NAME, uploadId=UPLOAD, layerDigests=[str(digest)])
    assert (completed["layerDigest"], completed["registryId"]) == (str(digest), ACCOUNT)
    assert bench.uploads.asked[1:] == [
        (UPLOAD, {"first": 0, "last": len(part) - 1, "through_api": True}),
        (UPLOAD, [digest], {"through_api": True}),
    ]


@pytest.mark.parametrize(("received", "members"), [(5, {"lastValidByteReceived": 4}), (0, {})])
def test_a_part_that_does_not_follow_on_is_told_where_to_go_on(
    bench: Bench, received: int, members: dict[str, int]
) -> None:
    bench.uploads.failure = InvalidLayerPart("First byte of the layer part is 9 instead of 5", TEAM, UPLOAD, received)
    with pytest.raises(ClientError) as found:
        bench.client().upload_layer_part(**NAME, uploadId=UPLOAD, partFirstByte=9, partLastByte=9, layerPartBlob=b"x")
    response = found.value.response
    assert response["Error"]["Code"] == "InvalidLayerPartException"
    kept = {"registryId": ACCOUNT, "repositoryName": "team/app", "uploadId": UPLOAD, **members}
    assert kept.items() <= response.items()
    assert ("lastValidByteReceived" in response) == bool(members)


def test_a_layer_that_was_there_is_an_error(bench: Bench) -> None:
    bench.uploads.existed = True
    found = refused(bench.client().complete_layer_upload, **NAME, uploadId=UPLOAD, layerDigests=[str(DIGEST)])
    assert found[0] == "LayerAlreadyExistsException"


def test_a_layer_has_an_address(bench: Bench) -> None:
    answer = bench.client().get_download_url_for_layer(**NAME, layerDigest=str(DIGEST))
    assert answer["downloadUrl"] == f"http://localhost:4510/v2/team/app/blobs/{DIGEST}?X-Portside-Ticket=a%2Bticket"
    assert answer["layerDigest"] == str(DIGEST)
    bench.layers.failure = LayerInaccessible(TEAM, DIGEST)
    found = refused(bench.client().get_download_url_for_layer, **NAME, layerDigest=str(DIGEST))
    assert found[0] == "LayerInaccessibleException"
