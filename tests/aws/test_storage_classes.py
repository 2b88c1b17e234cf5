from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portside.core.image_errors import ImageStorageClassUpdateNotSupported, LayerArchived
from portside.core.names import ImageId, Tag
from portside.registry.listing import Listing
from tests.aws.fakes import ACCOUNT, AT, DIGEST, TEAM, Bench, image

NAME = {"repositoryName": "team/app"}


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as found:
        call(**parameters)
    return found.value.response["Error"]["Code"]


@pytest.mark.parametrize(("target", "status"), [("ARCHIVE", "ARCHIVED"), ("STANDARD", "ACTIVATING")])
def test_an_image_changes_its_storage_class(bench: Bench, target: str, status: str) -> None:
    call = bench.client().update_image_storage_class
    answer = call(**NAME, imageId={"imageTag": "v1"}, targetStorageClass=target)
    del answer["ResponseMetadata"]
    assert answer == {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "imageId": {"imageTag": "v1", "imageDigest": str(DIGEST)},
        "imageStatus": status,
    }
    assert bench.storage_classes.asked == [(TEAM, ImageId(Tag("v1")), target)]


def test_an_image_that_may_not_is_refused(bench: Bench) -> None:
    bench.storage_classes.failure = ImageStorageClassUpdateNotSupported(TEAM, DIGEST, "it is so already")
    call = bench.client().update_image_storage_class
    code = refused(call, **NAME, imageId={"imageTag": "v1"}, targetStorageClass="ARCHIVE")
    assert code == "ImageStorageClassUpdateNotSupportedException"


@pytest.mark.parametrize("wrong", [{"imageId": {}}, {"targetStorageClass": "GLACIER"}, {"imageId": {"imageTag": "+"}}])
def test_a_request_that_says_nothing_sensible_is_refused(bench: Bench, wrong: dict[str, Any]) -> None:
    call = bench.client().update_image_storage_class
    known: dict[str, Any] = {"imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"}
    assert refused(call, **NAME, **(known | wrong)) in {"InvalidParameterException", "ValidationException"}
    assert bench.storage_classes.asked == []


def test_a_layer_of_archived_images_is_not_downloaded(bench: Bench) -> None:
    bench.layers.failure = LayerArchived(TEAM, DIGEST)
    code = refused(bench.client().get_download_url_for_layer, **NAME, layerDigest=str(DIGEST))
    assert code == "LayerInaccessibleException"


def test_the_times_of_moves_are_described(bench: Bench) -> None:
    bench.images.described = Listing(
        [image(status="ARCHIVED", archived_at=AT + 1_000_000, activated_at=AT), image()], None
    )
    first, second = bench.client().describe_images(**NAME)["imageDetails"]
    assert first["imageStatus"] == "ARCHIVED"
    assert first["lastActivatedAt"] == datetime.fromtimestamp(AT / 1_000_000, UTC)
    assert first["lastArchivedAt"] == datetime.fromtimestamp(AT / 1_000_000 + 1, UTC)
    assert not {"lastArchivedAt", "lastActivatedAt"} & second.keys()
