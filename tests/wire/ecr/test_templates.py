"""Repository creation templates through boto3, and what docker's push makes of one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.docker import Docker
from tests.registry.iam_house import document
from tests.registry.lifecycle.rules import KEEP_ONE, policy
from tests.wire.server import RunningRegistry

TAGS = [{"Key": "team", "Value": "web"}]
FILTERS = [{"filterType": "WILDCARD", "filter": "dev-*"}]
WHOLE: dict[str, Any] = {
    "description": "For production",
    "encryptionConfiguration": {"encryptionType": "AES256"},
    "resourceTags": TAGS,
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": FILTERS,
    "repositoryPolicy": document("ecr:BatchGetImage", Principal="*").replace(', "Resource": "*"', ""),
    "lifecyclePolicy": policy(KEEP_ONE),
    "appliedFor": ["CREATE_ON_PUSH", "REPLICATION"],
    "customRoleArn": "arn:aws:iam::000000000000:role/templates",
}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def test_a_template_is_made_shown_changed_and_removed(registry: RunningRegistry) -> None:
    ecr = registry.ecr
    made = ecr.create_repository_creation_template(prefix="whole", **WHOLE)["repositoryCreationTemplate"]
    times = {name: made.pop(name) for name in ("createdAt", "updatedAt")}
    assert made == {"prefix": "whole", **WHOLE}
    shown = ecr.describe_repository_creation_templates(prefixes=["whole"])
    assert shown["registryId"] == "000000000000"
    assert shown["repositoryCreationTemplates"] == [{**made, **times}]
    with pytest.raises(ClientError) as caught:
        ecr.create_repository_creation_template(prefix="whole", appliedFor=[])
    assert code(caught) == "TemplateAlreadyExistsException"
    changed = ecr.update_repository_creation_template(
        prefix="whole", description="", lifecyclePolicy="", imageTagMutability="MUTABLE", resourceTags=[]
    )["repositoryCreationTemplate"]
    assert changed["updatedAt"] > times["updatedAt"]
    kept = ("encryptionConfiguration", "repositoryPolicy", "appliedFor", "customRoleArn")
    assert {name: changed[name] for name in kept} == {name: WHOLE[name] for name in kept}
    gone = ("description", "lifecyclePolicy", "resourceTags", "imageTagMutabilityExclusionFilters")
    assert not changed.keys() & set(gone)
    assert ecr.delete_repository_creation_template(prefix="whole")["repositoryCreationTemplate"] == changed
    assert ecr.describe_repository_creation_templates(prefixes=["whole"])["repositoryCreationTemplates"] == []
    for ask in (
        lambda: ecr.delete_repository_creation_template(prefix="whole"),
        lambda: ecr.update_repository_creation_template(prefix="whole"),
    ):
        with pytest.raises(ClientError) as caught:
            ask()
        assert code(caught) == "TemplateNotFoundException"


def test_exclusion_filters_stay_while_the_mode_has_exclusions(registry: RunningRegistry) -> None:
    ecr = registry.ecr
    ecr.create_repository_creation_template(prefix="modes", **WHOLE)

    def shown_after(**given: Any) -> tuple[Any, Any]:
        changed = ecr.update_repository_creation_template(prefix="modes", **given)["repositoryCreationTemplate"]
        return changed["imageTagMutability"], changed.get("imageTagMutabilityExclusionFilters")

    for mode in ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"):
        assert shown_after(imageTagMutability=mode) == (mode, FILTERS)
    other = [{"filterType": "WILDCARD", "filter": "test-*"}]
    both = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": other}
    assert shown_after(**both) == ("IMMUTABLE_WITH_EXCLUSION", other)
    assert shown_after(imageTagMutability="IMMUTABLE") == ("IMMUTABLE", None)
    with pytest.raises(ClientError, match="can't be null"):
        shown_after(imageTagMutability="IMMUTABLE_WITH_EXCLUSION")
    ecr.delete_repository_creation_template(prefix="modes")


def test_a_template_has_defaults(registry: RunningRegistry) -> None:
    made = registry.ecr.create_repository_creation_template(prefix="bare", appliedFor=["PULL_THROUGH_CACHE"])
    template = made["repositoryCreationTemplate"]
    assert template["encryptionConfiguration"] == {"encryptionType": "AES256"}
    assert template["imageTagMutability"] == "MUTABLE"
    registry.ecr.delete_repository_creation_template(prefix="bare")


def test_templates_are_listed_by_pages(registry: RunningRegistry) -> None:
    prefixes = [f"page-{number}" for number in range(5)]
    for prefix in prefixes:
        registry.ecr.create_repository_creation_template(prefix=prefix, appliedFor=[])
    pages = registry.ecr.get_paginator("describe_repository_creation_templates").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [one["prefix"] for page in pages for one in page["repositoryCreationTemplates"]] == prefixes
    for prefix in prefixes:
        registry.ecr.delete_repository_creation_template(prefix=prefix)


def test_docker_pushes_to_what_a_template_makes(registry: RunningRegistry, docker: Docker) -> None:
    ecr = registry.ecr
    ecr.create_repository_creation_template(prefix="made", **WHOLE)
    docker.import_tiny("my-image:1")
    docker.login(registry.host, registry.password)
    docker.run("tag", "my-image:1", name := f"{registry.host}/made/by/docker:1")
    docker.run("push", name)
    [made] = ecr.describe_repositories(repositoryNames=["made/by/docker"])["repositories"]
    assert made["imageTagMutability"] == WHOLE["imageTagMutability"]
    assert made["imageTagMutabilityExclusionFilters"] == FILTERS
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == TAGS
    assert "BatchGetImage" in ecr.get_repository_policy(repositoryName="made/by/docker")["policyText"]
    assert "imageCountMoreThan" in ecr.get_lifecycle_policy(repositoryName="made/by/docker")["lifecyclePolicyText"]
    [image] = ecr.describe_images(repositoryName="made/by/docker")["imageDetails"]
    assert image["imageTags"] == ["1"]
    docker.run("rmi", name, "my-image:1")
    ecr.delete_repository_creation_template(prefix="made")
