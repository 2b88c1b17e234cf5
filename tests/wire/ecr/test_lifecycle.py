"""Lifecycle policies and previews through boto3, as pipelines and Terraform use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.registry.lifecycle.rules import ARCHIVE_UNUSED, KEEP_ONE, policy
from tests.wire.pushing import push_image
from tests.wire.server import RunningRegistry

HARMLESS = {**KEEP_ONE, "selection": {**KEEP_ONE["selection"], "countNumber": 1000}}


def test_a_policy_is_put_shown_and_removed(registry: RunningRegistry) -> None:
    registry.create(name := "lifecycle/policy")
    text = policy(HARMLESS)
    put = registry.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
    assert put["lifecyclePolicyText"] == json.dumps(json.loads(text), separators=(",", ":"))
    got = registry.ecr.get_lifecycle_policy(repositoryName=name)
    assert (got["repositoryName"], got["lifecyclePolicyText"]) == (name, put["lifecyclePolicyText"])
    deleted = registry.ecr.delete_lifecycle_policy(repositoryName=name)
    assert deleted["lifecyclePolicyText"] == put["lifecyclePolicyText"]
    with pytest.raises(ClientError, match="Lifecycle policy does not exist") as caught:
        registry.ecr.get_lifecycle_policy(repositoryName=name)
    assert caught.value.response["Error"]["Code"] == "LifecyclePolicyNotFoundException"


def test_what_is_no_policy_is_refused_word_for_word(registry: RunningRegistry) -> None:
    registry.create(name := "lifecycle/refused")
    for ask in (registry.ecr.put_lifecycle_policy, registry.ecr.start_lifecycle_policy_preview):
        with pytest.raises(ClientError) as caught:
            ask(repositoryName=name, lifecyclePolicyText="{}" + " " * 100)
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidParameterException"
        assert error["Message"] == (
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation "
            'failure: object has missing required properties (["rules"])\''
        )


def previewed(registry: RunningRegistry, name: str, **members: Any) -> dict[str, Any]:
    started = registry.ecr.start_lifecycle_policy_preview(repositoryName=name, **members)
    assert started["status"] == "IN_PROGRESS"
    waiter = registry.ecr.get_waiter("lifecycle_policy_preview_complete")
    waiter.config.delay = 0.05
    waiter.wait(repositoryName=name)
    return registry.ecr.get_lifecycle_policy_preview(repositoryName=name)


def test_a_preview_is_made_as_the_waiter_waits_for_it(registry: RunningRegistry) -> None:
    registry.create(name := "lifecycle/preview")
    old = push_image(registry.ecr, name, "v1", b"1")
    push_image(registry.ecr, name, "v2", b"2")
    found = previewed(registry, name, lifecyclePolicyText=policy(KEEP_ONE))
    assert found["summary"] == {
        "expiringImageTotalCount": 1,
        "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 0}],
    }
    [result] = found["previewResults"]
    assert result.pop("imagePushedAt")
    assert result == {
        "imageTags": ["v1"],
        "imageDigest": old,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": 1,
        "storageClass": "STANDARD",
    }
    pages = registry.ecr.get_paginator("get_lifecycle_policy_preview").paginate(
        repositoryName=name, PaginationConfig={"PageSize": 1}
    )
    assert [one["imageDigest"] for page in pages for one in page["previewResults"]] == [old]
    assert len(registry.ecr.list_images(repositoryName=name)["imageIds"]) == 2


def test_the_repositorys_own_policy_is_previewed_when_none_is_given(registry: RunningRegistry) -> None:
    registry.create(name := "lifecycle/own")
    registry.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy(HARMLESS, ARCHIVE_UNUSED_LATER))
    assert previewed(registry, name)["summary"]["expiringImageTotalCount"] == 0


ARCHIVE_UNUSED_LATER = {
    **ARCHIVE_UNUSED,
    "rulePriority": 1,
    "selection": {**ARCHIVE_UNUSED["selection"], "tagStatus": "untagged"},
}
HARMLESS["rulePriority"] = 9
