"""Register-, Deregister- and ListPullTimeUpdateExclusion(s) (ecr-behaviour 3.9)."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import page, seconds


async def register_pull_time_update_exclusion(
    call: Call, request: model.RegisterPullTimeUpdateExclusionRequest
) -> model.RegisterPullTimeUpdateExclusionResponse:
    """Let a principal's pulls leave pull times alone."""
    at = await call.registry.pull_exclusions.register(call.caller, call.registry_id(None), request.principalArn)
    return model.RegisterPullTimeUpdateExclusionResponse(principalArn=request.principalArn, createdAt=seconds(at))


async def deregister_pull_time_update_exclusion(
    call: Call, request: model.DeregisterPullTimeUpdateExclusionRequest
) -> model.DeregisterPullTimeUpdateExclusionResponse:
    """Let them count again."""
    await call.registry.pull_exclusions.deregister(call.caller, call.registry_id(None), request.principalArn)
    return model.DeregisterPullTimeUpdateExclusionResponse(principalArn=request.principalArn)


async def list_pull_time_update_exclusions(
    call: Call, request: model.ListPullTimeUpdateExclusionsRequest
) -> model.ListPullTimeUpdateExclusionsResponse:
    """A page of the principals."""
    found = await call.registry.pull_exclusions.page(
        call.caller,
        call.registry_id(None),
        limit=page(request.maxResults, request.nextToken, None, ""),
        token=request.nextToken,
    )
    return model.ListPullTimeUpdateExclusionsResponse(
        pullTimeUpdateExclusions=list(found.items), nextToken=found.next_token
    )
