"""GetAccountSetting, PutAccountSetting, DescribeRegistry (ecr-behaviour 3.1 and 10.5)."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.ecr import model


async def get_account_setting(call: Call, request: model.GetAccountSettingRequest) -> model.GetAccountSettingResponse:
    """What the caller's account has set for its registry in this region."""
    value = await call.registry.settings.get(call.caller, call.registry_id(None), request.name)
    return model.GetAccountSettingResponse(name=request.name, value=value)


async def put_account_setting(call: Call, request: model.PutAccountSettingRequest) -> model.PutAccountSettingResponse:
    """Set it."""
    await call.registry.settings.put(call.caller, call.registry_id(None), request.name, request.value)
    return model.PutAccountSettingResponse(name=request.name, value=request.value)


async def describe_registry(call: Call, request: model.DescribeRegistryRequest) -> model.DescribeRegistryResponse:
    """Show how the registry replicates: to nowhere, while PutReplicationConfiguration is not implemented."""
    del request
    registry = call.registry_id(None)
    await call.registry.settings.describe(call.caller, registry)
    return model.DescribeRegistryResponse(
        registryId=registry.account, replicationConfiguration=model.ReplicationConfiguration(rules=[])
    )
