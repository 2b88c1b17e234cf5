"""Access keys, and the kinds of credentials that there are none of here."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.iam.values import Members, Parameters, paged, sliced
from portside.core.iam_errors import NoSuchEntity
from portside.core.identities import AccessKey, Kind
from portside.core.times import instant


async def create_access_key(call: Call, parameters: Parameters) -> Members:
    """CreateAccessKey: the only answer that ever holds the secret."""
    made = await call.registry.iam.access_keys.create(call.caller, parameters.get("UserName"))
    return {"AccessKey": {**_key(made.holder.name, made.key), "SecretAccessKey": made.secret}}


async def list_access_keys(call: Call, parameters: Parameters) -> Members:
    """ListAccessKeys."""
    holder, found = await call.registry.iam.access_keys.of(call.caller, parameters.get("UserName"))
    return sliced(parameters, "AccessKeyMetadata", [_key(holder.name, key) for key in found])


async def update_access_key(call: Call, parameters: Parameters) -> None:
    """UpdateAccessKey."""
    active = parameters["Status"] == "Active"
    user, key = parameters.get("UserName"), parameters["AccessKeyId"]
    await call.registry.iam.access_keys.set_active(call.caller, user, key, active=active)


async def delete_access_key(call: Call, parameters: Parameters) -> None:
    """DeleteAccessKey."""
    await call.registry.iam.access_keys.delete(call.caller, parameters.get("UserName"), parameters["AccessKeyId"])


async def get_access_key_last_used(call: Call, parameters: Parameters) -> Members:
    """GetAccessKeyLastUsed."""
    name, key = await call.registry.iam.access_keys.last_used(call.caller, parameters["AccessKeyId"])
    used: Members = {"Region": key.last_used_region or "N/A", "ServiceName": key.last_used_service or "N/A"}
    if key.last_used_at is not None:
        used = {"LastUsedDate": instant(key.last_used_at), **used}
    return {"UserName": name, "AccessKeyLastUsed": used}


async def get_login_profile(call: Call, parameters: Parameters) -> Members:
    """GetLoginProfile: nobody has a password here."""
    await _no_login_profile(call, parameters, "iam:GetLoginProfile")
    return {}


async def delete_login_profile(call: Call, parameters: Parameters) -> None:
    """DeleteLoginProfile: nobody has one."""
    await _no_login_profile(call, parameters, "iam:DeleteLoginProfile")


async def _no_login_profile(call: Call, parameters: Parameters, action: str) -> None:
    name = parameters.get("UserName") or call.caller.principal.arn
    await call.registry.iam.directory.get(call.caller, Kind.USER, name, action)
    raise NoSuchEntity(f"Login Profile for User {name} cannot be found.")


async def list_mfa_devices(call: Call, parameters: Parameters) -> Members:
    """ListMFADevices: none."""
    return await _none(call, parameters, "iam:ListMFADevices", "MFADevices")


async def list_ssh_public_keys(call: Call, parameters: Parameters) -> Members:
    """ListSSHPublicKeys: none."""
    return await _none(call, parameters, "iam:ListSSHPublicKeys", "SSHPublicKeys")


async def list_signing_certificates(call: Call, parameters: Parameters) -> Members:
    """ListSigningCertificates: none."""
    return await _none(call, parameters, "iam:ListSigningCertificates", "Certificates")


async def list_service_specific_credentials(call: Call, parameters: Parameters) -> Members:
    """ListServiceSpecificCredentials: none."""
    return await _none(call, parameters, "iam:ListServiceSpecificCredentials", "ServiceSpecificCredentials")


async def list_virtual_mfa_devices(call: Call, parameters: Parameters) -> Members:
    """ListVirtualMFADevices: none."""
    del parameters
    await call.registry.iam.directory.may_look(call.caller, "iam:ListVirtualMFADevices", "*")
    return paged({"VirtualMFADevices": []}, None)


async def list_instance_profiles_for_role(call: Call, parameters: Parameters) -> Members:
    """ListInstanceProfilesForRole: none."""
    action = "iam:ListInstanceProfilesForRole"
    await call.registry.iam.directory.get(call.caller, Kind.ROLE, parameters["RoleName"], action)
    return paged({"InstanceProfiles": []}, None)


async def _none(call: Call, parameters: Parameters, action: str, name: str) -> Members:
    """An empty list about a user that is there."""
    user = parameters.get("UserName")
    if user is not None:
        await call.registry.iam.directory.get(call.caller, Kind.USER, user, action)
    else:
        await call.registry.iam.directory.may_look(call.caller, action, call.caller.principal.policy_arn)
    return paged({name: []}, None)


def _key(name: str, key: AccessKey) -> Members:
    return {
        "UserName": name,
        "AccessKeyId": key.id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": instant(key.created_at),
    }
