"""The calls of Terraform's AWS provider, replayed: what it sends, in its order, and what it must see.

Taken down from provider 5.100.0 (`make terraform` runs the real one): its SDK leaves out a member that is false,
every change is read back, and an update sends what changed. It compares documents by meaning and not by letter:
repository and registry policies as IAM policies, lifecycle policies as JSON whose rules are ordered by priority.
Its SDK knows for each operation only the errors that the model lists, so that any other one is a failure to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.wire.people import Office, document, refusal
from tests.wire.pushing import push_image
from tests.wire.server import REGION, RunningRegistry

MANAGED = {"Key": "managed-by", "Value": "terraform"}
AES256 = {"encryptionType": "AES256"}


@pytest.fixture
def office(registry: RunningRegistry) -> Office:
    return Office(registry)


def rule(priority: int, number: int, **selection: Any) -> dict[str, Any]:
    """A rule as `jsonencode` writes it: members in the order of the alphabet."""
    selected = {"countNumber": number, "countType": "imageCountMoreThan", "tagStatus": "any", **selection}
    return {"action": {"type": "expire"}, "rulePriority": priority, "selection": selected}


def lifecycle(*rules: Mapping[str, Any]) -> str:
    return json.dumps({"rules": rules}, separators=(",", ":"))


def by_priority(text: str) -> list[Any]:
    """What the provider compares of a lifecycle policy."""
    return sorted(json.loads(text)["rules"], key=lambda one: one["rulePriority"])


def listed(value: Any) -> Any:
    """What it compares of a policy: one of something and a list of one are the same, and lists have no order."""
    if isinstance(value, dict):
        return {key: listed(one) for key, one in value.items()}
    if isinstance(value, list):
        items = [listed(one) for one in value]
        return items[0] if len(items) == 1 else sorted(items, key=str)
    return value


def means(text: str) -> Any:
    return listed(json.loads(text))


def described(ecr: Any, name: str) -> dict[str, Any]:
    """Its read of a repository: the repository, then its tags; the names that its state is made of."""
    [found] = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    tags = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    return {**found, "tags": {tag["Key"]: tag["Value"] for tag in tags}}


def test_a_bare_repository_reads_as_the_provider_s_defaults(registry: RunningRegistry, office: Office) -> None:
    ecr, name = registry.ecr, "calls/bare"
    made = ecr.create_repository(repositoryName=name, imageTagMutability="MUTABLE", tags=[MANAGED])["repository"]
    assert made["registryId"] == office.account
    found = described(ecr, name)
    assert found.pop("createdAt") == made["createdAt"]
    assert found == {
        "repositoryArn": f"arn:aws:ecr:{REGION}:{office.account}:repository/{name}",
        "registryId": office.account,
        "repositoryName": name,
        "repositoryUri": f"{registry.host}/{name}",
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": AES256,
        "tags": {"managed-by": "terraform"},
    }


def test_a_repository_is_made_changed_and_removed(registry: RunningRegistry, office: Office) -> None:
    ecr, name = registry.ecr, "calls/repository"
    known = {"registryId": office.account, "repositoryName": name}
    ecr.create_repository(
        repositoryName=name,
        imageTagMutability="MUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration=AES256,
        tags=[MANAGED, {"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "platform"}],
    )
    found = described(ecr, name)
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    arn = found["repositoryArn"]
    ecr.put_image_tag_mutability(**known, imageTagMutability="IMMUTABLE")
    # False is left out, and means false.
    ecr.put_image_scanning_configuration(**known, imageScanningConfiguration={})
    ecr.untag_resource(resourceArn=arn, tagKeys=["stage"])
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "cost centre", "Value": ""}, {"Key": "team", "Value": "web"}])
    found = described(ecr, name)
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": False})
    assert found["tags"] == {"managed-by": "terraform", "cost centre": "", "team": "web"}
    push_image(ecr, name, "v1")
    assert refusal(ecr.delete_repository, **known)[0] == "RepositoryNotEmptyException"
    ecr.delete_repository(**known, force=True)
    # It waits for this one, and for it again where somebody else was faster.
    assert refusal(ecr.describe_repositories, repositoryNames=[name])[0] == "RepositoryNotFoundException"
    assert refusal(ecr.list_tags_for_resource, resourceArn=arn)[0] == "RepositoryNotFoundException"
    assert refusal(ecr.delete_repository, **known)[0] == "RepositoryNotFoundException"


def test_a_repository_s_policy_means_what_was_put_and_its_absence_is_told(
    registry: RunningRegistry, office: Office
) -> None:
    ecr, name = registry.ecr, "calls/policy"
    registry.create(name)
    role = office.role("calls-reader", {"AWS": f"arn:aws:iam::{office.account}:root"})
    first = document(
        ["ecr:ListImages", "ecr:DescribeRepositories"],
        Principal={"AWS": role, "Service": "codebuild.amazonaws.com"},
        Resource=None,
    ).replace('"Resource": null, ', "")
    second = json.dumps(
        {
            "Statement": [
                {"Action": ["ecr:BatchGetImage"], "Effect": "Allow", "Principal": {"AWS": [role]}, "Sid": "pull"},
                {"Action": "ecr:ListImages", "Effect": "Allow", "Principal": "*", "Sid": "look"},
            ],
            "Version": "2012-10-17",
        }
    )
    for text in (first, second):
        ecr.set_repository_policy(repositoryName=name, policyText=text)
        assert means(ecr.get_repository_policy(repositoryName=name)["policyText"]) == means(text)
    known = {"registryId": office.account, "repositoryName": name}
    ecr.delete_repository_policy(**known)
    gone = "RepositoryPolicyNotFoundException"
    assert refusal(ecr.get_repository_policy, repositoryName=name)[0] == gone
    assert refusal(ecr.delete_repository_policy, **known)[0] == gone
    ecr.delete_repository(repositoryName=name)
    assert refusal(ecr.get_repository_policy, repositoryName=name)[0] == "RepositoryNotFoundException"
    assert refusal(ecr.delete_repository_policy, **known)[0] == "RepositoryNotFoundException"


def test_a_lifecycle_policy_means_what_was_put_and_its_absence_is_told(registry: RunningRegistry) -> None:
    """A change of it is a Delete and a Put: the provider replaces it."""
    ecr, name = registry.ecr, "calls/lifecycle"
    registry.create(name)
    tagged = {"tagStatus": "tagged", "tagPatternList": ["v*", "release-*"]}
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    for texts in (
        lifecycle(rule(30, 100), rule(1, 14, **untagged), rule(20, 10, **tagged)),
        lifecycle({**rule(1, 50), "description": "Keep fifty"}),
    ):
        put = ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=texts)
        assert put["repositoryName"] == name
        got = ecr.get_lifecycle_policy(repositoryName=name)
        assert by_priority(got["lifecyclePolicyText"]) == by_priority(texts)
        ecr.delete_lifecycle_policy(repositoryName=name)
        gone = "LifecyclePolicyNotFoundException"
        assert refusal(ecr.get_lifecycle_policy, repositoryName=name)[0] == gone
        assert refusal(ecr.delete_lifecycle_policy, repositoryName=name)[0] == gone
    ecr.delete_repository(repositoryName=name)
    assert refusal(ecr.get_lifecycle_policy, repositoryName=name)[0] == "RepositoryNotFoundException"
    assert refusal(ecr.delete_lifecycle_policy, repositoryName=name)[0] == "RepositoryNotFoundException"


def template(ecr: Any, prefix: str) -> list[dict[str, Any]]:
    """Its read of a template: the one that there is, and an empty list where there is none."""
    found = ecr.describe_repository_creation_templates(prefixes=[prefix])["repositoryCreationTemplates"]
    for one in found:
        one.pop("createdAt")
        one.pop("updatedAt")
    return found


def test_a_template_is_made_changed_emptied_and_removed(registry: RunningRegistry, office: Office) -> None:
    ecr, prefix = registry.ecr, "calls-made/"
    role = office.role("calls-template", {"AWS": f"arn:aws:iam::{office.account}:root"})
    principal = {"AWS": f"arn:aws:iam::{office.account}:root"}
    statement = {"Action": "ecr:BatchGetImage", "Effect": "Allow", "Principal": principal, "Sid": "pull"}
    policy = json.dumps({"Statement": [statement], "Version": "2012-10-17"}, separators=(",", ":"))
    whole = {
        "prefix": prefix,
        "appliedFor": ["REPLICATION", "PULL_THROUGH_CACHE"],
        "customRoleArn": role,
        "description": "Whatever is replicated",
        "encryptionConfiguration": AES256,
        "imageTagMutability": "IMMUTABLE",
        "lifecyclePolicy": lifecycle(rule(2, 5), rule(1, 4, tagStatus="untagged")),
        "repositoryPolicy": policy,
        "resourceTags": [{"Key": "made-by", "Value": "template"}],
    }
    made = ecr.create_repository_creation_template(**whole)
    assert made["repositoryCreationTemplate"]["prefix"] == prefix
    assert refusal(ecr.create_repository_creation_template, **whole)[0] == "TemplateAlreadyExistsException"
    assert template(ecr, prefix) == [whole]
    ecr.update_repository_creation_template(prefix=prefix, appliedFor=["REPLICATION"], imageTagMutability="MUTABLE")
    assert template(ecr, prefix) == [{**whole, "appliedFor": ["REPLICATION"], "imageTagMutability": "MUTABLE"}]
    ecr.update_repository_creation_template(
        prefix=prefix, customRoleArn="", description="", lifecyclePolicy="", repositoryPolicy="", resourceTags=[]
    )
    bare = {"appliedFor": ["REPLICATION"], "encryptionConfiguration": AES256, "imageTagMutability": "MUTABLE"}
    assert template(ecr, prefix) == [{"prefix": prefix, **bare}]
    ecr.delete_repository_creation_template(prefix=prefix)
    # The model has no error for it here, and the provider could not tell one from a failure.
    assert template(ecr, prefix) == []
    gone = "TemplateNotFoundException"
    assert refusal(ecr.delete_repository_creation_template, prefix=prefix)[0] == gone
    assert refusal(ecr.update_repository_creation_template, prefix=prefix)[0] == gone


def test_a_registry_s_policy_scanning_and_settings_are_put_read_and_put_back(own_registry: RunningRegistry) -> None:
    ecr, account = own_registry.ecr, Office(own_registry).account
    gone = "RegistryPolicyNotFoundException"
    assert refusal(ecr.get_registry_policy)[0] == gone
    resource = f"arn:aws:ecr:{REGION}:{account}:repository/*"
    for action in (["ecr:ReplicateImage", "ecr:CreateRepository"], "ecr:ReplicateImage"):
        principal = {"AWS": f"arn:aws:iam::{account}:root"}
        text = document(action, Sid="replication", Principal=principal, Resource=resource)
        assert ecr.put_registry_policy(policyText=text)["registryId"] == account
        assert means(ecr.get_registry_policy()["policyText"]) == means(text)
    ecr.delete_registry_policy()
    assert refusal(ecr.get_registry_policy)[0] == gone
    assert refusal(ecr.delete_registry_policy)[0] == gone
    filters = [{"filter": one, "filterType": "WILDCARD"} for one in ("terraform/*", "another")]
    on_push = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}
    always = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": filters[:1]}
    for kind, rules in (("ENHANCED", [on_push, always]), ("BASIC", [on_push]), ("BASIC", [])):
        ecr.put_registry_scanning_configuration(scanType=kind, rules=rules)
        found = ecr.get_registry_scanning_configuration()
        assert found["registryId"] == account
        assert found["scanningConfiguration"] == {"scanType": kind, "rules": rules}
    for name, values in (("BASIC_SCAN_TYPE_VERSION", ("CLAIR", "AWS_NATIVE")), ("REGISTRY_POLICY_SCOPE", ("V1", "V2"))):
        for value in values:
            put = ecr.put_account_setting(name=name, value=value)
            assert (put["name"], put["value"]) == (name, value)
            assert ecr.get_account_setting(name=name)["value"] == value


def test_the_data_sources_find_repositories_images_and_a_token(registry: RunningRegistry, office: Office) -> None:
    ecr, name = registry.ecr, "calls/read"
    registry.create(name)
    known = {"registryId": office.account, "repositoryName": name}
    # It looks for the newest image of a repository that may be empty.
    assert ecr.describe_images(**known)["imageDetails"] == []
    wanted = {"repositoryName": name, "imageIds": [{"imageTag": "v1"}]}
    assert refusal(ecr.describe_images, **wanted)[0] == "ImageNotFoundException"
    digest = push_image(ecr, name, "v1")
    [detail] = ecr.describe_images(**wanted)["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"], detail["registryId"]) == (digest, ["v1"], office.account)
    assert ecr.describe_images(**known)["imageDetails"] == [detail]
    # aws_ecr_images, of version 6, lists them.
    [identifiers] = list(ecr.get_paginator("list_images").paginate(**known))
    assert identifiers["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]
    pages = ecr.get_paginator("describe_repositories").paginate()
    assert name in [one["repositoryName"] for page in pages for one in page["repositories"]]
    [given] = ecr.get_authorization_token()["authorizationData"]
    assert given["proxyEndpoint"] == registry.url
