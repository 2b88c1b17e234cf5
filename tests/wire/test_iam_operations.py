"""IAM's and STS's operations as Terraform's provider calls them, and every one as somebody without rights."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portside.aws.iam import model as iam_model
from portside.aws.iam.operations import HANDLERS
from tests.wire.people import Credentials, Office, document, refusal
from tests.wire.server import serve

HOME = "111122223333"
PULL = document("ecr:BatchGetImage")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}],
    }
)
VALUES: dict[str, Any] = {
    "AWSServiceName": "replication.ecr.amazonaws.com",
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "AccountAlias": "some-alias",
    "ActionNames": ["ecr:PutImage"],
    "AssumeRolePolicyDocument": TRUST,
    "ClientID": "client",
    "DeletionTaskId": "task/aws-service-role/x",
    "OpenIDConnectProviderArn": f"arn:aws:iam::{HOME}:oidc-provider/issuer.example",
    "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "PolicyDocument": PULL,
    "PolicyInputList": [PULL],
    "PolicySourceArn": f"arn:aws:iam::{HOME}:user/somebody",
    "Status": "Active",
    "TagKeys": ["team"],
    "Tags": [{"Key": "team", "Value": "blue"}],
    "ThumbprintList": ["0" * 40],
    "Url": "https://issuer.example",
    "VersionId": "v1",
}


@pytest.fixture(scope="module")
def office(state: Path) -> Iterator[Office]:
    folder = state / "iam-operations"
    folder.mkdir(mode=0o700)
    with serve(folder, "--account", HOME) as running:
        yield Office(running)


@pytest.fixture(scope="module")
def powerless(office: Office) -> Credentials:
    return office.user("powerless")


@pytest.mark.parametrize("operation", sorted(HANDLERS))
def test_whoever_has_no_rights_is_denied_every_operation(
    office: Office, powerless: Credentials, operation: str
) -> None:
    client = office.client("iam", powerless)
    [name] = [name for name, found in client.meta.method_to_api_mapping.items() if found == operation]
    request = iam_model.REQUESTS[operation]
    required = iam_model.SHAPES[request].required if request is not None else ()
    parameters = {member: VALUES.get(member, "somebody") for member in required}
    if "UserName" in (iam_model.SHAPES[request].members if request is not None else {}):
        parameters["UserName"] = "somebody"
    code, told = refusal(getattr(client, name), **parameters)
    assert (code, told.partition(" is not authorized to perform: ")[0]) == (
        "AccessDenied",
        f"User: arn:aws:iam::{HOME}:user/powerless",
    )


def test_a_user_as_terraform_makes_reads_changes_imports_and_destroys_one(office: Office) -> None:
    iam = office.iam
    made = iam.create_user(UserName="tf", Path="/infra/", Tags=[{"Key": "a", "Value": "1"}])["User"]
    assert made == iam.get_user(UserName="tf")["User"]
    assert iam.list_user_tags(UserName="tf")["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.tag_user(UserName="tf", Tags=[{"Key": "b", "Value": "2"}])
    iam.untag_user(UserName="tf", TagKeys=["a"])
    iam.update_user(UserName="tf", NewUserName="tf2", NewPath="/")
    assert refusal(iam.get_user, UserName="tf")[0] == "NoSuchEntity"
    found = iam.get_user(UserName="tf2")["User"]
    assert (found["UserId"], found["Arn"]) == (made["UserId"], f"arn:aws:iam::{HOME}:user/tf2")
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.put_user_permissions_boundary(UserName="tf2", PermissionsBoundary=boundary)
    assert iam.get_user(UserName="tf2")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    iam.delete_user_permissions_boundary(UserName="tf2")
    key = iam.create_access_key(UserName="tf2")["AccessKey"]
    second = iam.create_access_key(UserName="tf2")["AccessKey"]
    code, told = refusal(iam.create_access_key, UserName="tf2")
    assert (code, told) == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    listed = iam.list_access_keys(UserName="tf2")["AccessKeyMetadata"]
    assert {one["AccessKeyId"] for one in listed} == {key["AccessKeyId"], second["AccessKeyId"]}
    assert refusal(iam.delete_user, UserName="tf2")[0] == "DeleteConflict"
    # force_destroy looks at every kind of thing that a user can have.
    for one in listed:
        iam.delete_access_key(UserName="tf2", AccessKeyId=one["AccessKeyId"])
    for call in (iam.list_mfa_devices, iam.list_ssh_public_keys, iam.list_signing_certificates):
        call(UserName="tf2")
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.list_service_specific_credentials(UserName="tf2")["ServiceSpecificCredentials"] == []
    assert refusal(iam.delete_login_profile, UserName="tf2")[0] == "NoSuchEntity"
    iam.delete_user(UserName="tf2")
    assert refusal(iam.delete_user, UserName="tf2") == (
        "NoSuchEntity",
        "The user with name tf2 cannot be found.",
    )


def test_a_role_as_terraform_makes_reads_changes_and_destroys_one(office: Office) -> None:
    iam = office.iam
    made = iam.create_role(RoleName="tf-role", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200)["Role"]
    assert made["AssumeRolePolicyDocument"] == json.loads(TRUST)
    iam.update_role(RoleName="tf-role", Description="new", MaxSessionDuration=3600)
    iam.update_role_description(RoleName="tf-role", Description="newer")
    found = iam.get_role(RoleName="tf-role")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("newer", 3600)
    other = TRUST.replace(HOME, "444455556666")
    iam.update_assume_role_policy(RoleName="tf-role", PolicyDocument=other)
    assert iam.get_role(RoleName="tf-role")["Role"]["AssumeRolePolicyDocument"] == json.loads(other)
    iam.put_role_policy(RoleName="tf-role", PolicyName="inline", PolicyDocument=PULL)
    iam.attach_role_policy(RoleName="tf-role", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert iam.list_role_policies(RoleName="tf-role")["PolicyNames"] == ["inline"]
    assert iam.get_role_policy(RoleName="tf-role", PolicyName="inline")["PolicyDocument"] == json.loads(PULL)
    assert len(iam.list_attached_role_policies(RoleName="tf-role")["AttachedPolicies"]) == 1
    assert refusal(iam.delete_role, RoleName="tf-role") == (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    )
    iam.detach_role_policy(RoleName="tf-role", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert refusal(iam.delete_role, RoleName="tf-role")[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName="tf-role", PolicyName="inline")
    assert iam.list_instance_profiles_for_role(RoleName="tf-role")["InstanceProfiles"] == []
    iam.delete_role(RoleName="tf-role")


def test_a_policy_and_its_versions(office: Office) -> None:
    iam = office.iam
    made = iam.create_policy(PolicyName="tf-policy", Path="/infra/", PolicyDocument=PULL, Description="d")["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{HOME}:policy/infra/tf-policy"
    assert refusal(iam.create_policy, PolicyName="tf-policy", PolicyDocument=PULL)[0] == "EntityAlreadyExists"
    push = document("ecr:PutImage")
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=push, SetAsDefault=True)["PolicyVersion"] == {
        **iam.list_policy_versions(PolicyArn=arn)["Versions"][0]
    }
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == json.loads(push)
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=PULL)
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=PULL)[0] == "LimitExceeded"
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[0] == "DeleteConflict"
    iam.create_group(GroupName="tf-group")
    iam.attach_group_policy(GroupName="tf-group", PolicyArn=arn)
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyGroups"][0]["GroupName"] == "tf-group"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert refusal(iam.delete_policy, PolicyArn=arn) == (
        "DeleteConflict",
        "Cannot delete a policy attached to entities.",
    )
    iam.detach_group_policy(GroupName="tf-group", PolicyArn=arn)
    iam.delete_group(GroupName="tf-group")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for number in (2, 3, 4, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=PULL)["PolicyVersion"]["VersionId"] == "v6"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"


def test_policies_that_are_not_there_are_not_attached_and_bound_nobody(office: Office) -> None:
    office.user("unbound")
    for account in (HOME, "444455556666"):
        arn = f"arn:aws:iam::{account}:policy/none"
        assert refusal(office.iam.attach_user_policy, UserName="unbound", PolicyArn=arn)[0] == "NoSuchEntity"
        bound = {"UserName": "unbound", "PermissionsBoundary": arn}
        assert refusal(office.iam.put_user_permissions_boundary, **bound)[0] == "NoSuchEntity"
    assert refusal(office.iam.create_user, UserName="new", PermissionsBoundary=arn)[0] == "NoSuchEntity"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"Statement": [], "Statement": []}', "MalformedPolicyDocument"),
        ("no json", "MalformedPolicyDocument"),
        ("[" * 50_000, "MalformedPolicyDocument"),
        ('{"Statement": ' + "[" * 40 + "]" * 40 + "}", "MalformedPolicyDocument"),
        ('{"Statement": NaN}', "MalformedPolicyDocument"),
        (document("ecr:*", Principal="*"), "MalformedPolicyDocument"),
        (document("ecr:*", Resource=f"arn:aws:ecr:r:{HOME}:repository/" + "a" * 10_000), "LimitExceeded"),
        ("x" * 131_073, "ValidationError"),
        ("\u0151", "ValidationError"),
    ],
)
def test_a_document_that_is_no_policy_is_refused_and_nothing_is_kept(office: Office, text: str, code: str) -> None:
    with contextlib.suppress(ClientError):
        office.iam.create_user(UserName="malformed")
    found = refusal(office.iam.put_user_policy, UserName="malformed", PolicyName="p", PolicyDocument=text)
    assert found[0] == code
    assert office.iam.list_user_policies(UserName="malformed")["PolicyNames"] == []
    assert refusal(office.iam.create_policy, PolicyName="malformed", PolicyDocument=text)[0] == code


def test_a_hostile_pattern_costs_its_owner_nothing_but_a_denial(office: Office) -> None:
    hostile = f"arn:aws:ecr:us-east-1:{HOME}:repository/" + "*a?" * 600 + "b"
    who = office.user("hostile", Action="ecr:*", Resource=hostile)
    began = time.monotonic()
    ask = {"repositoryName": "a" * 250}
    assert refusal(office.client("ecr", who).list_images, **ask)[0] == "AccessDeniedException"
    assert time.monotonic() - began < 5


def test_groups_and_their_members(office: Office) -> None:
    iam = office.iam
    iam.create_group(GroupName="pushers")
    iam.put_group_policy(GroupName="pushers", PolicyName="p", PolicyDocument=document("ecr:*"))
    who = office.user("member")
    ecr = office.client("ecr", who)
    assert refusal(ecr.describe_repositories)[0] == "AccessDeniedException"
    iam.add_user_to_group(GroupName="pushers", UserName="member")
    ecr.describe_repositories()
    assert [one["UserName"] for one in iam.get_group(GroupName="pushers")["Users"]] == ["member"]
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName="member")["Groups"]] == ["pushers"]
    assert refusal(iam.delete_group, GroupName="pushers")[0] == "DeleteConflict"
    iam.remove_user_from_group(GroupName="pushers", UserName="member")
    assert refusal(ecr.describe_repositories)[0] == "AccessDeniedException"
    iam.update_group(GroupName="pushers", NewGroupName="pullers")
    assert "pullers" in [one["GroupName"] for one in iam.list_groups()["Groups"]]


def test_identity_providers(office: Office) -> None:
    iam = office.iam
    made = iam.create_open_id_connect_provider(
        Url="https://issuer.example/path", ClientIDList=["a"], ThumbprintList=["0" * 40]
    )
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{HOME}:oidc-provider/issuer.example/path"
    assert refusal(iam.create_open_id_connect_provider, Url="https://issuer.example/path")[0] == "EntityAlreadyExists"
    assert refusal(iam.create_open_id_connect_provider, Url="http://issuer.example")[0] == "InvalidInput"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["1" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"], found["ThumbprintList"]) == (
        "issuer.example/path",
        ["b"],
        ["1" * 40],
    )
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refusal(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[0] == "NoSuchEntity"


def test_lists_come_in_pages(office: Office) -> None:
    for number in range(5):
        office.iam.create_user(UserName=f"page{number}", Path="/pages/")
    for operation, key, more in (
        ("list_users", "Users", {"PathPrefix": "/pages/"}),
        ("list_policies", "Policies", {"Scope": "AWS"}),
    ):
        whole = getattr(office.iam, operation)(**more)[key]
        pages = office.iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}, **more)
        assert [one for page in pages for one in page[key]] == whole
        assert len(whole) >= 5


def test_service_linked_roles(office: Office) -> None:
    iam = office.iam
    made = iam.create_service_linked_role(AWSServiceName="replication.ecr.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForECRReplication"
    assert made["Path"] == "/aws-service-role/replication.ecr.amazonaws.com/"
    assert refusal(iam.delete_role, RoleName=made["RoleName"])[0] == "UnmodifiableEntity"
    suffixed = {"AWSServiceName": "replication.ecr.amazonaws.com", "CustomSuffix": "x"}
    assert refusal(iam.create_service_linked_role, **suffixed)[0] == "InvalidInput"
    assert refusal(iam.create_service_linked_role, AWSServiceName="ec2.amazonaws.com")[0] == "InvalidInput"
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def test_an_account_has_an_alias_a_summary_and_all_of_its_details(office: Office) -> None:
    iam = office.iam
    iam.create_account_alias(AccountAlias="our-alias")
    assert iam.list_account_aliases()["AccountAliases"] == ["our-alias"]
    iam.delete_account_alias(AccountAlias="our-alias")
    assert iam.get_account_summary()["SummaryMap"]["Users"] >= 1
    details = iam.get_account_authorization_details()
    assert "powerless" in [one["UserName"] for one in details["UserDetailList"]] or details["UserDetailList"]


def test_simulations_answer_from_the_engine(office: Office) -> None:
    app = f"arn:aws:ecr:us-east-1:{HOME}:repository/app"
    condition = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    results = office.iam.simulate_custom_policy(
        PolicyInputList=[document("ecr:PutImage", Condition=condition)],
        ActionNames=["ecr:PutImage", "ecr:DeleteRepository"],
        ResourceArns=[app],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in results] == ["implicitDeny", "implicitDeny"]
    assert results[0]["MissingContextValues"] == ["aws:principaltag/team"]
    entry = {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["blue"], "ContextKeyType": "string"}
    results = office.iam.simulate_custom_policy(
        PolicyInputList=[document("ecr:PutImage", Condition=condition)],
        ActionNames=["ecr:PutImage"],
        ResourceArns=[app],
        ContextEntries=[entry],
    )["EvaluationResults"]
    assert results[0]["EvalDecision"] == "allowed"
    keys = office.iam.get_context_keys_for_custom_policy(PolicyInputList=[document("ecr:*", Condition=condition)])
    assert keys["ContextKeyNames"] == ["aws:principaltag/team"]


@pytest.fixture(scope="module")
def ann(office: Office) -> Credentials:
    return office.user("ann", Action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])


class TestSessions:
    """AssumeRole's conditions and limits, over the wire."""

    def test_an_external_id_must_be_the_one_that_is_asked_for(self, office: Office, ann: Credentials) -> None:
        condition = {"StringEquals": {"sts:ExternalId": "secret-id"}}
        arn = office.role("external", {"AWS": HOME}, Condition=condition)
        sts = office.client("sts", ann)
        ask = {"RoleArn": arn, "RoleSessionName": "run"}
        for more in ({}, {"ExternalId": "other-id"}):
            assert refusal(sts.assume_role, **ask, **more)[0] == "AccessDenied"
        assert sts.assume_role(**ask, ExternalId="secret-id")["Credentials"]

    def test_a_session_policy_narrows_and_never_widens(self, office: Office, ann: Credentials) -> None:
        arn = office.role("wide", {"AWS": HOME}, "AmazonEC2ContainerRegistryFullAccess")
        sts = office.client("sts", ann)
        for policy, allowed in ((document("ecr:Describe*"), True), (document("s3:*"), False)):
            found = sts.assume_role(RoleArn=arn, RoleSessionName="run", Policy=policy)
            assert found["PackedPolicySize"] > 0
            ecr = office.client("ecr", Credentials.of(found["Credentials"]))
            if allowed:
                ecr.describe_repositories()
            assert refusal(ecr.create_repository, repositoryName="x1")[1].endswith(
                "because no session policy allows the ecr:CreateRepository action"
            )
        managed = [{"arn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"}]
        found = sts.assume_role(RoleArn=arn, RoleSessionName="run", PolicyArns=managed)
        ecr = office.client("ecr", Credentials.of(found["Credentials"]))
        ecr.describe_repositories()
        assert refusal(ecr.create_repository, repositoryName="x1")[0] == "AccessDeniedException"

    def test_durations_have_limits_and_chains_shorter_ones(self, office: Office, ann: Credentials) -> None:
        iam = office.iam
        arn = office.role("long", {"AWS": HOME})
        iam.update_role(RoleName="long", MaxSessionDuration=7200)
        iam.put_role_policy(RoleName="long", PolicyName="chain", PolicyDocument=document("sts:AssumeRole"))
        sts = office.client("sts", ann)
        ask = {"RoleArn": arn, "RoleSessionName": "run"}
        assert refusal(sts.assume_role, DurationSeconds=7201, **ask)[0] == "ValidationError"
        first = sts.assume_role(DurationSeconds=7200, **ask)
        chained = office.client("sts", Credentials.of(first["Credentials"]))
        assert refusal(chained.assume_role, DurationSeconds=3601, **ask)[0] == "ValidationError"
        assert chained.assume_role(DurationSeconds=3600, **ask)["Credentials"]

    def test_tags_travel_down_a_chain_only_where_they_are_transitive(self, office: Office, ann: Credentials) -> None:
        arn = office.role("tags", {"AWS": HOME}, action=["sts:AssumeRole", "sts:TagSession"])
        same = {"StringEquals": {"aws:PrincipalTag/kept": "1"}, "Null": {"aws:PrincipalTag/lost": "true"}}
        office.iam.put_role_policy(RoleName="tags", PolicyName="c", PolicyDocument=document("sts:*"))
        office.iam.put_role_policy(RoleName="tags", PolicyName="e", PolicyDocument=document("ecr:*", Condition=same))
        ask: dict[str, Any] = {"RoleArn": arn, "RoleSessionName": "run"}
        tags = [{"Key": "kept", "Value": "1"}, {"Key": "lost", "Value": "2"}]
        sts = office.client("sts", ann)
        first = Credentials.of(sts.assume_role(Tags=tags, TransitiveTagKeys=["kept"], **ask)["Credentials"])
        assert refusal(office.client("ecr", first).describe_repositories)[0] == "AccessDeniedException"
        second = Credentials.of(office.client("sts", first).assume_role(**ask)["Credentials"])
        office.client("ecr", second).describe_repositories()
        again = {"Tags": [{"Key": "KEPT", "Value": "9"}]}
        assert refusal(office.client("sts", first).assume_role, **ask, **again)[0] == "InvalidParameterValue"
        assert refusal(sts.assume_role, TransitiveTagKeys=["none"], **ask)[0] == "InvalidParameterValue"

    def test_tagging_a_session_needs_the_trust_policys_word_too(self, office: Office, ann: Credentials) -> None:
        arn = office.role("untagged", {"AWS": HOME})
        ask: dict[str, Any] = {"RoleArn": arn, "RoleSessionName": "run"}
        code, told = refusal(office.client("sts", ann).assume_role, Tags=[{"Key": "a", "Value": "1"}], **ask)
        assert (code, "sts:TagSession" in told) == ("AccessDenied", True)

    def test_sessions_too_large_for_a_token_are_refused(self, office: Office, ann: Credentials) -> None:
        arn = office.role("heavy", {"AWS": HOME}, action=["sts:AssumeRole", "sts:TagSession"])
        tags = [{"Key": f"k{number}", "Value": secrets.token_hex(120)} for number in range(40)]
        ask: dict[str, Any] = {"RoleArn": arn, "RoleSessionName": "run", "Tags": tags}
        assert refusal(office.client("sts", ann).assume_role, **ask)[0] == "PackedPolicyTooLarge"

    def test_a_federated_user_has_what_its_policy_and_its_user_both_have(self, office: Office) -> None:
        who = office.user("broker", Action=["sts:GetFederationToken", "ecr:Describe*"])
        sts = office.client("sts", who)
        bare = Credentials.of(sts.get_federation_token(Name="guest")["Credentials"])
        assert refusal(office.client("ecr", bare).describe_repositories)[0] == "AccessDeniedException"
        found = sts.get_federation_token(Name="guest", Policy=document("ecr:*"))
        assert found["FederatedUser"]["Arn"] == f"arn:aws:sts::{HOME}:federated-user/guest"
        ecr = office.client("ecr", Credentials.of(found["Credentials"]))
        ecr.describe_repositories()
        assert refusal(ecr.create_repository, repositoryName="x1")[0] == "AccessDeniedException"

    def test_temporary_credentials_without_mfa_do_not_speak_to_iam(self, office: Office) -> None:
        who = office.user("admin", "AdministratorAccess")
        held = Credentials.of(office.client("sts", who).get_session_token()["Credentials"])
        assert refusal(office.client("iam", held).list_users)[0] == "InvalidClientTokenId"
        assert office.client("iam", who).list_users()["Users"]
        guest = office.client("sts", who).get_federation_token(Name="guest", Policy=document("*"))
        for service, call in (("iam", "list_users"), ("sts", "get_session_token")):
            found = refusal(getattr(office.client(service, Credentials.of(guest["Credentials"])), call))
            assert found[0] in {"InvalidClientTokenId", "AccessDenied"}

    def test_a_source_identity_stays_down_a_chain(self, office: Office, ann: Credentials) -> None:
        arn = office.role("sourced", {"AWS": HOME}, action=["sts:AssumeRole", "sts:SetSourceIdentity"])
        office.iam.put_role_policy(RoleName="sourced", PolicyName="c", PolicyDocument=document("sts:*"))
        ask: dict[str, Any] = {"RoleArn": arn, "RoleSessionName": "run"}
        first = office.client("sts", ann).assume_role(SourceIdentity="ann", **ask)
        chained = office.client("sts", Credentials.of(first["Credentials"]))
        assert chained.assume_role(**ask)["SourceIdentity"] == "ann"
        assert refusal(chained.assume_role, SourceIdentity="eve", **ask)[0] == "AccessDenied"

    def test_a_session_policy_must_be_one_of_the_account(self, office: Office, ann: Credentials) -> None:
        arn = office.role("narrowed", {"AWS": HOME})
        for account in (HOME, "444455556666"):
            policy = [{"arn": f"arn:aws:iam::{account}:policy/none"}]
            ask: dict[str, Any] = {"RoleArn": arn, "RoleSessionName": "run", "PolicyArns": policy}
            assert refusal(office.client("sts", ann).assume_role, **ask)[0] == "MalformedPolicyDocument"

    def test_forged_foreign_and_half_credentials_are_refused(self, office: Office, ann: Credentials) -> None:
        arn = office.role("forged", {"AWS": HOME})
        held = Credentials.of(office.client("sts", ann).assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"])
        assert held.token is not None
        wrong = [
            Credentials(held.key, held.secret),
            Credentials(held.key, held.secret, held.token[:-8] + "AAAAAAAA"),
            Credentials(ann.key, ann.secret, held.token),
            Credentials(held.key, held.secret, "rubbish"),
        ]
        for who in wrong:
            assert refusal(office.client("sts", who).get_caller_identity)[0] == "InvalidClientTokenId"
        bad = Credentials(held.key, "x" * 40, held.token)
        assert refusal(office.client("sts", bad).get_caller_identity)[0] == "SignatureDoesNotMatch"
