"""Users and groups."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.iam.values import (
    Members,
    Parameters,
    group,
    page_of,
    paged,
    sliced,
    tags_of,
    user,
    whole_user,
)
from portside.core.iam_errors import ValidationFailed
from portside.core.identities import Kind

_USER, _GROUP = Kind.USER, Kind.GROUP


async def create_user(call: Call, parameters: Parameters) -> Members:
    """CreateUser."""
    made = await call.registry.iam.directory.create(
        call.caller,
        _USER,
        parameters["UserName"],
        path=parameters.get("Path", "/"),
        tags=tags_of(parameters),
        boundary=parameters.get("PermissionsBoundary"),
    )
    return {"User": whole_user(made)}


async def get_user(call: Call, parameters: Parameters) -> Members:
    """GetUser; without a name the caller itself, its account's root too."""
    name = parameters.get("UserName")
    principal = call.caller.principal
    if name is None:
        if principal.kind == "Account":
            await call.registry.iam.directory.may_look(call.caller, "iam:GetUser", principal.arn)
            created = "1970-01-01T00:00:00Z"
            return {"User": {"UserId": principal.account, "Arn": principal.arn, "CreateDate": created}}
        if principal.kind != "User" or principal.entity is None:
            raise ValidationFailed.of("Must specify userName when calling with non-User credentials")
        name = principal.entity.name
    return {"User": whole_user(await call.registry.iam.directory.get(call.caller, _USER, name))}


async def list_users(call: Call, parameters: Parameters) -> Members:
    """ListUsers."""
    prefix = parameters.get("PathPrefix", "/")
    found, marker = await call.registry.iam.directory.page(call.caller, _USER, prefix=prefix, **page_of(parameters))
    return paged({"Users": [user(one) for one in found]}, marker)


async def update_user(call: Call, parameters: Parameters) -> None:
    """UpdateUser."""
    await call.registry.iam.directory.rename(
        call.caller, _USER, parameters["UserName"], parameters.get("NewUserName"), parameters.get("NewPath")
    )


async def delete_user(call: Call, parameters: Parameters) -> None:
    """DeleteUser."""
    await call.registry.iam.directory.delete(call.caller, _USER, parameters["UserName"])


async def create_group(call: Call, parameters: Parameters) -> Members:
    """CreateGroup."""
    made = await call.registry.iam.directory.create(
        call.caller, _GROUP, parameters["GroupName"], path=parameters.get("Path", "/")
    )
    return {"Group": group(made)}


async def get_group(call: Call, parameters: Parameters) -> Members:
    """GetGroup: the group, and a page of its users."""
    found, users, marker = await call.registry.iam.holding.members(
        call.caller, parameters["GroupName"], **page_of(parameters)
    )
    return paged({"Group": group(found), "Users": [user(one) for one in users]}, marker)


async def list_groups(call: Call, parameters: Parameters) -> Members:
    """ListGroups."""
    prefix = parameters.get("PathPrefix", "/")
    found, marker = await call.registry.iam.directory.page(call.caller, _GROUP, prefix=prefix, **page_of(parameters))
    return paged({"Groups": [group(one) for one in found]}, marker)


async def update_group(call: Call, parameters: Parameters) -> None:
    """UpdateGroup."""
    await call.registry.iam.directory.rename(
        call.caller, _GROUP, parameters["GroupName"], parameters.get("NewGroupName"), parameters.get("NewPath")
    )


async def delete_group(call: Call, parameters: Parameters) -> None:
    """DeleteGroup."""
    await call.registry.iam.directory.delete(call.caller, _GROUP, parameters["GroupName"])


async def add_user_to_group(call: Call, parameters: Parameters) -> None:
    """AddUserToGroup."""
    await call.registry.iam.holding.join(call.caller, parameters["GroupName"], parameters["UserName"])


async def remove_user_from_group(call: Call, parameters: Parameters) -> None:
    """RemoveUserFromGroup."""
    await call.registry.iam.holding.leave(call.caller, parameters["GroupName"], parameters["UserName"])


async def list_groups_for_user(call: Call, parameters: Parameters) -> Members:
    """ListGroupsForUser."""
    found = await call.registry.iam.holding.groups(call.caller, parameters["UserName"])
    return sliced(parameters, "Groups", [group(one) for one in found])
