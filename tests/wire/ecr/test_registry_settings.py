"""Account settings, pull time exclusions and the list of referrers through boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portside.core.digest import Digest
from tests.registry.house import described, image_of
from tests.wire.people import Office, document
from tests.wire.pushing import push_image, put
from tests.wire.server import REGION, RunningRegistry

ROLE = "arn:aws:iam::000000000000:role/scanner"
SUBJECT = image_of(b"{}")


def refused(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_every_account_setting_is_put_and_shown(registry: RunningRegistry) -> None:
    for name, values in {
        "BASIC_SCAN_TYPE_VERSION": ("CLAIR", "AWS_NATIVE"),
        "REGISTRY_POLICY_SCOPE": ("V1", "V2"),
        "BLOB_MOUNTING": ("ENABLED", "DISABLED"),
    }.items():
        for value in values:
            put_answer = registry.ecr.put_account_setting(name=name, value=value)
            assert (put_answer["name"], put_answer["value"]) == (name, value)
            assert registry.ecr.get_account_setting(name=name)["value"] == value
        code, message = refused(registry.ecr.put_account_setting, name=name, value="other")
        assert (code, values[0] in message) == ("InvalidParameterException", True)
    assert refused(registry.ecr.get_account_setting, name="OTHER")[0] == "InvalidParameterException"


def test_a_registry_policy_of_version_one_grants_no_pulls_to_others(registry: RunningRegistry) -> None:
    everything = f"arn:aws:ecr:{REGION}:000000000000:repository/*"
    wide = document("ecr:BatchGetImage", Principal={"AWS": "111111111111"}, Resource=everything)
    registry.ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    assert refused(registry.ecr.put_registry_policy, policyText=wide) == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'",
    )
    registry.ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V2")
    assert json.loads(registry.ecr.put_registry_policy(policyText=wide)["policyText"])["Statement"]
    registry.ecr.delete_registry_policy()


def test_exclusions_are_registered_listed_and_removed(registry: RunningRegistry) -> None:
    ecr = registry.ecr
    assert ecr.register_pull_time_update_exclusion(principalArn=ROLE)["principalArn"] == ROLE
    assert refused(ecr.register_pull_time_update_exclusion, principalArn=ROLE)[0] == "ExclusionAlreadyExistsException"
    ecr.register_pull_time_update_exclusion(principalArn=f"{ROLE}-2")
    first = ecr.list_pull_time_update_exclusions(maxResults=1)
    assert first["pullTimeUpdateExclusions"] == [ROLE]
    second = ecr.list_pull_time_update_exclusions(maxResults=1, nextToken=first["nextToken"])
    assert (second["pullTimeUpdateExclusions"], "nextToken" in second) == ([f"{ROLE}-2"], False)
    for principal in (ROLE, f"{ROLE}-2"):
        assert ecr.deregister_pull_time_update_exclusion(principalArn=principal)["principalArn"] == principal
    assert refused(ecr.deregister_pull_time_update_exclusion, principalArn=ROLE)[0] == "ExclusionNotFoundException"


def test_a_sessions_pulls_leave_no_trace_when_its_role_is_excluded(registry: RunningRegistry) -> None:
    registry.create(name := "exclusions/session")
    digest = push_image(registry.ecr, name)
    office = Office(registry)
    role = office.role("scanner", {"AWS": f"arn:aws:iam::{office.account}:root"}, "AdministratorAccess")
    user = office.user("starter", "AdministratorAccess")
    registry.ecr.register_pull_time_update_exclusion(principalArn=role)
    found = office.client("sts", user).assume_role(RoleArn=role, RoleSessionName="today")["Credentials"]
    scanner = office.client("ecr", type(user).of(found))
    scanner.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])
    [image] = registry.ecr.describe_images(repositoryName=name)["imageDetails"]
    assert "lastRecordedPullTime" not in image
    registry.ecr.deregister_pull_time_update_exclusion(principalArn=role)


def test_referrers_are_listed_with_what_they_say_of_themselves(registry: RunningRegistry) -> None:
    registry.create(name := "referrers/listed")
    push_image(registry.ecr, name, "v1")
    subject = described("application/vnd.oci.image.manifest.v1+json", SUBJECT)
    kinds = ["application/vnd.example.bill", "application/vnd.example.signature"]
    digests = {
        kind: put(registry.ecr, name, image_of(b"{}", artifactType=kind, subject=subject, annotations={"kind": kind}))
        for kind in kinds
    }
    asked = {"repositoryName": name, "subjectId": {"imageDigest": str(Digest.of(SUBJECT))}}
    found = {one["artifactType"]: one for one in registry.ecr.list_image_referrers(**asked)["referrers"]}
    assert {kind: one["digest"] for kind, one in found.items()} == digests
    bill = found[kinds[0]]
    assert bill["annotations"] == {"kind": kinds[0]}
    assert (bill["mediaType"], bill["artifactStatus"]) == (subject["mediaType"], "ACTIVE")
    [one] = registry.ecr.list_image_referrers(**asked, filter={"artifactTypes": [kinds[1]]})["referrers"]
    assert one["digest"] == digests[kinds[1]]
    first = registry.ecr.list_image_referrers(**asked, maxResults=1)
    rest = registry.ecr.list_image_referrers(**asked, maxResults=1, nextToken=first["nextToken"])
    assert {first["referrers"][0]["digest"], rest["referrers"][0]["digest"]} == set(digests.values())
    assert (
        registry.ecr.list_image_referrers(**{**asked, "subjectId": {"imageDigest": f"sha256:{'0' * 64}"}})["referrers"]
        == []
    )
    code, _ = refused(registry.ecr.list_image_referrers, **{**asked, "repositoryName": "referrers/missing"})
    assert code == "RepositoryNotFoundException"
