"""Roles, those of services too."""

from __future__ import annotations

import uuid
from typing import Any

from portside.aws.call import Call
from portside.aws.iam.values import Members, Parameters, page_of, paged, role, tags_of, whole_role
from portside.core.iam_errors import NoSuchEntity
from portside.core.identities import Kind

_ROLE = Kind.ROLE
_HOUR = 3600


async def create_role(call: Call, parameters: Parameters) -> Members:
    """CreateRole."""
    made = await call.registry.iam.roles.create(
        call.caller,
        parameters["RoleName"],
        trust=parameters["AssumeRolePolicyDocument"],
        path=parameters.get("Path", "/"),
        attributes={
            "description": parameters.get("Description", ""),
            "max_session": parameters.get("MaxSessionDuration", _HOUR),
        },
        tags=tags_of(parameters),
        boundary=parameters.get("PermissionsBoundary"),
    )
    return {"Role": await whole_role(call, made)}


async def get_role(call: Call, parameters: Parameters) -> Members:
    """GetRole."""
    found = await call.registry.iam.directory.get(call.caller, _ROLE, parameters["RoleName"])
    return {"Role": await whole_role(call, found)}


async def list_roles(call: Call, parameters: Parameters) -> Members:
    """ListRoles."""
    prefix = parameters.get("PathPrefix", "/")
    found, marker = await call.registry.iam.directory.page(call.caller, _ROLE, prefix=prefix, **page_of(parameters))
    return paged({"Roles": [await role(call, one) for one in found]}, marker)


async def update_role(call: Call, parameters: Parameters) -> Members:
    """UpdateRole."""
    changed: dict[str, Any] = {}
    if "Description" in parameters:
        changed["description"] = parameters["Description"]
    if "MaxSessionDuration" in parameters:
        changed["max_session"] = parameters["MaxSessionDuration"]
    await call.registry.iam.directory.change(call.caller, _ROLE, parameters["RoleName"], "iam:UpdateRole", changed)
    return {}


async def update_role_description(call: Call, parameters: Parameters) -> Members:
    """UpdateRoleDescription."""
    changed = await call.registry.iam.directory.change(
        call.caller,
        _ROLE,
        parameters["RoleName"],
        "iam:UpdateRoleDescription",
        {"description": parameters["Description"]},
    )
    return {"Role": await whole_role(call, changed)}


async def update_assume_role_policy(call: Call, parameters: Parameters) -> None:
    """UpdateAssumeRolePolicy."""
    await call.registry.iam.roles.set_trust(call.caller, parameters["RoleName"], parameters["PolicyDocument"])


async def delete_role(call: Call, parameters: Parameters) -> None:
    """DeleteRole."""
    await call.registry.iam.directory.delete(call.caller, _ROLE, parameters["RoleName"])


async def create_service_linked_role(call: Call, parameters: Parameters) -> Members:
    """CreateServiceLinkedRole."""
    made = await call.registry.iam.roles.create_for_service(
        call.caller,
        parameters["AWSServiceName"],
        parameters.get("CustomSuffix"),
        parameters.get("Description", ""),
    )
    return {"Role": await whole_role(call, made)}


async def delete_service_linked_role(call: Call, parameters: Parameters) -> Members:
    """DeleteServiceLinkedRole: done at once, though it answers with a task."""
    role_name = parameters["RoleName"]
    found = await call.registry.iam.directory.delete_of_service(call.caller, role_name)
    return {"DeletionTaskId": f"task{found.path}{found.name}/{uuid.uuid4()}"}


async def get_service_linked_role_deletion_status(call: Call, parameters: Parameters) -> Members:
    """GetServiceLinkedRoleDeletionStatus: whoever has a task's id is told that it is done."""
    task = parameters["DeletionTaskId"]
    await call.registry.iam.directory.may_look(call.caller, "iam:GetServiceLinkedRoleDeletionStatus", "*")
    if not task.startswith("task/aws-service-role/"):
        raise NoSuchEntity(f"Deletion task {task} cannot be found.")
    return {"Status": "SUCCEEDED"}
