"""Managed policies and their versions."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.iam.values import Members, Parameters, encoded, page_of, paged, sliced, tags, tags_of
from portside.core.identities import Kind, PolicyVersion
from portside.core.times import instant
from portside.registry.iam.managed import Shown


async def create_policy(call: Call, parameters: Parameters) -> Members:
    """CreatePolicy."""
    made = await call.registry.iam.managed.create(
        call.caller,
        parameters["PolicyName"],
        parameters["PolicyDocument"],
        path=parameters.get("Path", "/"),
        description=parameters.get("Description", ""),
        tags=tags_of(parameters),
    )
    return {"Policy": {**_policy(made), "Tags": tags(made.policy) or None}}


async def get_policy(call: Call, parameters: Parameters) -> Members:
    """GetPolicy."""
    found = await call.registry.iam.managed.get(call.caller, parameters["PolicyArn"])
    description = found.policy.attributes.get("description") or None
    return {"Policy": {**_policy(found), "Description": description, "Tags": tags(found.policy)}}


async def list_policies(call: Call, parameters: Parameters) -> Members:
    """ListPolicies."""
    found, marker = await call.registry.iam.managed.page(
        call.caller,
        prefix=parameters.get("PathPrefix", "/"),
        scope=parameters.get("Scope", "All"),
        **page_of(parameters),
    )
    if parameters.get("OnlyAttached"):
        found = [one for one in found if one.attached]
    return paged({"Policies": [_policy(one) for one in found]}, marker)


async def delete_policy(call: Call, parameters: Parameters) -> None:
    """DeletePolicy."""
    await call.registry.iam.managed.delete(call.caller, parameters["PolicyArn"])


async def create_policy_version(call: Call, parameters: Parameters) -> Members:
    """CreatePolicyVersion."""
    made = await call.registry.iam.managed.add_version(
        call.caller,
        parameters["PolicyArn"],
        parameters["PolicyDocument"],
        chosen=parameters.get("SetAsDefault", False),
    )
    return {"PolicyVersion": _version(made)}


async def get_policy_version(call: Call, parameters: Parameters) -> Members:
    """GetPolicyVersion."""
    found = await call.registry.iam.managed.version(call.caller, parameters["PolicyArn"], parameters["VersionId"])
    return {"PolicyVersion": {"Document": encoded(found.text), **_version(found)}}


async def list_policy_versions(call: Call, parameters: Parameters) -> Members:
    """ListPolicyVersions."""
    found = await call.registry.iam.managed.versions(call.caller, parameters["PolicyArn"])
    return sliced(parameters, "Versions", [_version(one) for one in found])


async def set_default_policy_version(call: Call, parameters: Parameters) -> None:
    """SetDefaultPolicyVersion."""
    arn, version = parameters["PolicyArn"], parameters["VersionId"]
    await call.registry.iam.managed.choose_version(call.caller, arn, version)


async def delete_policy_version(call: Call, parameters: Parameters) -> None:
    """DeletePolicyVersion."""
    arn, version = parameters["PolicyArn"], parameters["VersionId"]
    await call.registry.iam.managed.delete_version(call.caller, arn, version)


async def list_entities_for_policy(call: Call, parameters: Parameters) -> Members:
    """ListEntitiesForPolicy."""
    attached, bounded = await call.registry.iam.managed.holders(call.caller, parameters["PolicyArn"])
    found = bounded if parameters.get("PolicyUsageFilter") == "PermissionsBoundary" else attached
    wanted, prefix = parameters.get("EntityFilter"), parameters.get("PathPrefix", "/")
    members: Members = {}
    for kind, word in ((Kind.GROUP, "Group"), (Kind.USER, "User"), (Kind.ROLE, "Role")):
        members[f"Policy{word}s"] = [
            {f"{word}Name": one.name, f"{word}Id": one.id}
            for one in found
            if one.kind is kind and wanted in {None, word} and one.path.startswith(prefix)
        ]
    return paged(members, None)


async def tag_policy(call: Call, parameters: Parameters) -> None:
    """TagPolicy."""
    await call.registry.iam.managed.tag(call.caller, parameters["PolicyArn"], tags_of(parameters))


async def untag_policy(call: Call, parameters: Parameters) -> None:
    """UntagPolicy."""
    await call.registry.iam.managed.untag(call.caller, parameters["PolicyArn"], parameters["TagKeys"])


async def list_policy_tags(call: Call, parameters: Parameters) -> Members:
    """ListPolicyTags."""
    found = await call.registry.iam.managed.get(call.caller, parameters["PolicyArn"], "iam:ListPolicyTags")
    return sliced(parameters, "Tags", tags(found.policy))


def _policy(shown: Shown) -> Members:
    policy = shown.policy
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{shown.default}",
        "AttachmentCount": shown.attached,
        "PermissionsBoundaryUsageCount": shown.bounds,
        "IsAttachable": True,
        "CreateDate": instant(policy.created_at),
        "UpdateDate": instant(shown.updated_at),
    }


def _version(version: PolicyVersion) -> Members:
    return {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.is_default,
        "CreateDate": instant(version.created_at),
    }
