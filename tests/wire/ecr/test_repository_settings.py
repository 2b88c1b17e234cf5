"""What a repository is set to after it was made, through boto3 as the root user and as others."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.wire.people import Office
from tests.wire.server import REGION, RunningRegistry


@pytest.fixture
def office(registry: RunningRegistry) -> Office:
    return Office(registry)


def refused(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as found:
        call(**members)
    error = found.value.response["Error"]
    return error["Code"], error["Message"]


def test_mutability_and_scanning_are_echoed_and_described(registry: RunningRegistry) -> None:
    name = "settings/echoed"
    registry.create(name)
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    put = registry.ecr.put_image_tag_mutability(
        repositoryName=name,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    assert (put["imageTagMutability"], put["imageTagMutabilityExclusionFilters"]) == (
        "IMMUTABLE_WITH_EXCLUSION",
        filters,
    )
    scanning = registry.ecr.put_image_scanning_configuration(
        repositoryName=name, imageScanningConfiguration={"scanOnPush": True}
    )
    assert scanning["imageScanningConfiguration"] == {"scanOnPush": True}
    [described] = registry.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert described["imageTagMutabilityExclusionFilters"] == filters
    assert described["imageScanningConfiguration"] == {"scanOnPush": True}
    assert "imageTagMutabilityExclusionFilters" not in registry.ecr.put_image_tag_mutability(
        repositoryName=name, imageTagMutability="MUTABLE"
    )


@pytest.mark.parametrize(
    ("mode", "filters"), [("MUTABLE_WITH_EXCLUSION", None), ("IMMUTABLE", [{"filterType": "WILDCARD", "filter": "x"}])]
)
def test_filters_go_with_the_modes_that_have_exclusions(mode: str, filters: Any, registry: RunningRegistry) -> None:
    registry.create("settings/filters")
    members = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    code, message = refused(
        registry.ecr.put_image_tag_mutability, repositoryName="settings/filters", imageTagMutability=mode, **members
    )
    assert code == "InvalidParameterException"
    assert "when imageTagMutability is set as" in message


def test_tags_are_merged_listed_and_removed(registry: RunningRegistry, office: Office) -> None:
    registry.create("settings/tags")
    arn = f"arn:aws:ecr:{REGION}:{office.account}:repository/settings/tags"
    assert registry.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == []
    registry.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    registry.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "b", "Value": "3"}])
    registry.ecr.untag_resource(resourceArn=arn, tagKeys=["a", "nothing"])
    assert registry.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "3"}]


@pytest.mark.parametrize(
    "arn",
    [
        "rubbish",
        "arn:aws:ecr:eu-west-9:000000000000:repository/x",
        "arn:aws:ecr:us-east-1:000000000000:repository/Bad",
        "arn:aws:s3:us-east-1:000000000000:repository/x",
        "arn:aws:ecr:us-east-1:000000000000:repository/",
    ],
)
def test_what_is_no_repository_s_arn_is_refused(arn: str, registry: RunningRegistry) -> None:
    expected = "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'"
    for call, more in (
        (registry.ecr.list_tags_for_resource, {}),
        (registry.ecr.tag_resource, {"tags": [{"Key": "a", "Value": "b"}]}),
        (registry.ecr.untag_resource, {"tagKeys": ["a"]}),
    ):
        assert refused(call, resourceArn=arn, **more) == ("InvalidParameterException", expected)


def test_bad_tags_are_refused_and_change_nothing(registry: RunningRegistry, office: Office) -> None:
    registry.create("settings/bad")
    arn = f"arn:aws:ecr:{REGION}:{office.account}:repository/settings/bad"
    for tags, word in (
        ([{"Key": "aws:x", "Value": ""}], "InvalidTagParameterException"),
        ([{"Key": "a", "Value": ""}, {"Key": "a", "Value": "1"}], "InvalidTagParameterException"),
        ([{"Key": f"k{number}", "Value": ""} for number in range(51)], "TooManyTagsException"),
    ):
        assert refused(registry.ecr.tag_resource, resourceArn=arn, tags=tags)[0] == word
    assert registry.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_nobody_changes_what_he_may_not(registry: RunningRegistry, office: Office) -> None:
    registry.create("settings/theirs")
    arn = f"arn:aws:ecr:{REGION}:{office.account}:repository/settings/theirs"
    reader = office.client("ecr", office.user("settings-reader", "AmazonEC2ContainerRegistryReadOnly"))
    assert reader.list_tags_for_resource(resourceArn=arn)["tags"] == []
    name = {"repositoryName": "settings/theirs"}
    for call, members in (
        (reader.put_image_tag_mutability, {**name, "imageTagMutability": "IMMUTABLE"}),
        (reader.put_image_scanning_configuration, {**name, "imageScanningConfiguration": {"scanOnPush": True}}),
        (reader.tag_resource, {"resourceArn": arn, "tags": [{"Key": "a", "Value": "b"}]}),
        (reader.untag_resource, {"resourceArn": arn, "tagKeys": ["a"]}),
        (reader.describe_registry, {}),
    ):
        assert refused(call, **members)[0] == "AccessDeniedException"


def test_tags_that_a_policy_asks_for_decide(registry: RunningRegistry, office: Office) -> None:
    """A tag that was put is seen by the next request, and so are the keys that a request is about."""
    registry.create("settings/abac")
    arn = f"arn:aws:ecr:{REGION}:{office.account}:repository/settings/abac"
    statement = {
        "Effect": "Allow",
        "Action": ["ecr:TagResource", "ecr:UntagResource"],
        "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
    }
    tagger = office.client("ecr", office.user("settings-tagger", **statement))
    tagger.tag_resource(resourceArn=arn, tags=[{"Key": "team", "Value": "web"}])
    assert (
        refused(tagger.tag_resource, resourceArn=arn, tags=[{"Key": "owner", "Value": "x"}])[0]
        == "AccessDeniedException"
    )
    assert refused(tagger.untag_resource, resourceArn=arn, tagKeys=["owner"])[0] == "AccessDeniedException"
    by_tag = {
        "Effect": "Allow",
        "Action": "ecr:ListImages",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "web"}},
    }
    lister = office.client("ecr", office.user("settings-lister", **by_tag))
    lister.list_images(repositoryName="settings/abac")
    tagger.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert refused(lister.list_images, repositoryName="settings/abac")[0] == "AccessDeniedException"


def test_a_registry_is_described_without_replication(registry: RunningRegistry, office: Office) -> None:
    described = registry.ecr.describe_registry()
    assert described["registryId"] == office.account
    assert described["replicationConfiguration"] == {"rules": []}
