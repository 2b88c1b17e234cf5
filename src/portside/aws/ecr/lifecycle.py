"""Put-, Get- and DeleteLifecyclePolicy, Start- and GetLifecyclePolicyPreview (ecr-behaviour 3.5)."""

from __future__ import annotations

from typing import Any, cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import page, read_image_id, seconds
from portside.core.lifecycle import policy
from portside.registry.lifecycle.previews import COMPLETE
from portside.storage.metadata.previews import PreviewRow


async def put_lifecycle_policy(
    call: Call, request: model.PutLifecyclePolicyRequest
) -> model.PutLifecyclePolicyResponse:
    """Let a repository have a policy, in place of any before."""
    repository = call.repository(request.repositoryName, request.registryId)
    shown = await call.registry.lifecycle_policies.put(call.caller, repository, request.lifecyclePolicyText)
    return model.PutLifecyclePolicyResponse(
        registryId=repository.account, repositoryName=repository.name, lifecyclePolicyText=shown
    )


async def get_lifecycle_policy(
    call: Call, request: model.GetLifecyclePolicyRequest
) -> model.GetLifecyclePolicyResponse:
    """Show it, and when it was last applied."""
    repository = call.repository(request.repositoryName, request.registryId)
    found = await call.registry.lifecycle_policies.get(call.caller, repository)
    return model.GetLifecyclePolicyResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        lifecyclePolicyText=found.document,
        lastEvaluatedAt=_time(found.evaluated_at),
    )


async def delete_lifecycle_policy(
    call: Call, request: model.DeleteLifecyclePolicyRequest
) -> model.DeleteLifecyclePolicyResponse:
    """Remove it, and show what it was."""
    repository = call.repository(request.repositoryName, request.registryId)
    found = await call.registry.lifecycle_policies.delete(call.caller, repository)
    return model.DeleteLifecyclePolicyResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        lifecyclePolicyText=found.document,
        lastEvaluatedAt=_time(found.evaluated_at),
    )


async def start_lifecycle_policy_preview(
    call: Call, request: model.StartLifecyclePolicyPreviewRequest
) -> model.StartLifecyclePolicyPreviewResponse:
    """Begin to work out what a policy would do now."""
    repository = call.repository(request.repositoryName, request.registryId)
    row = await call.registry.lifecycle_previews.start(call.caller, repository, request.lifecyclePolicyText)
    return model.StartLifecyclePolicyPreviewResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        lifecyclePolicyText=row.policy,
        status=cast("model.LifecyclePolicyPreviewStatus", row.status),
    )


async def get_lifecycle_policy_preview(
    call: Call, request: model.GetLifecyclePolicyPreviewRequest
) -> model.GetLifecyclePolicyPreviewResponse:
    """Show what it came to: a page, or what it found of the images asked for."""
    repository = call.repository(request.repositoryName, request.registryId)
    limit = page(request.maxResults, request.nextToken, request.imageIds, "imageIds")
    found = await call.registry.lifecycle_previews.get(
        call.caller,
        repository,
        [read_image_id(identifier) for identifier in request.imageIds or ()],
        tag_status=(request.filter and request.filter.tagStatus) or "ANY",
        limit=limit,
        token=request.nextToken,
    )
    return model.GetLifecyclePolicyPreviewResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        lifecyclePolicyText=found.row.policy,
        status=cast("model.LifecyclePolicyPreviewStatus", found.row.status),
        nextToken=found.results.next_token,
        previewResults=[_result(result) for result in found.results.items],
        summary=_summary(found.row) if found.row.status == COMPLETE else None,
    )


def _time(microseconds: int | None) -> float | None:
    return None if microseconds is None else seconds(microseconds)


def _result(result: dict[str, Any]) -> model.LifecyclePolicyPreviewResult:
    archived = result["action"] == policy.TRANSITION
    return model.LifecyclePolicyPreviewResult(
        imageTags=result["tags"],
        imageDigest=result["digest"],
        imagePushedAt=seconds(result["pushed_at"]),
        action=model.LifecyclePolicyRuleAction(
            type=result["action"], targetStorageClass=policy.ARCHIVE if archived else None
        ),
        appliedRulePriority=result["priority"],
        storageClass=result["storage_class"],
    )


def _summary(row: PreviewRow) -> model.LifecyclePolicyPreviewSummary:
    return model.LifecyclePolicyPreviewSummary(
        expiringImageTotalCount=row.expiring,
        transitioningImageTotalCounts=[
            model.TransitioningImageTotalCount(targetStorageClass=policy.ARCHIVE, imageTotalCount=row.transitioning)
        ],
    )
