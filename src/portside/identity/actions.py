"""The actions of ECR's part of IAM: what each acts on, and the condition keys that only some have (iam-behaviour 3.1).

Every action of the service authorization reference is here, those of later issues and those without an API operation
too, since policies may speak of them. Names follow the service model; five operations of the model are not in the
reference yet and stand under their own names. One of them, ListImageReferrers, asks for `ecr:BatchGetImage`
(ecr-behaviour 1.10), so a policy that names it allows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TAGGING = ("aws:RequestTag/${TagKey}", "aws:TagKeys")


@dataclass(frozen=True, slots=True)
class Action:
    """One action."""

    name: str
    """`ecr:PutImage`."""
    on_repository: bool
    """Whether its resource is a repository's ARN; otherwise it is `*`, and no policy that names an ARN matches."""
    keys: tuple[str, ...] = ()
    """Condition keys besides the global ones and those of the repository's tags."""


_REPOSITORY = [
    "BatchCheckLayerAvailability",
    "BatchDeleteImage",
    "BatchGetImage",
    "BatchGetRepositoryScanningConfiguration",
    "BatchImportUpstreamImage",
    "CompleteLayerUpload",
    "DeleteLifecyclePolicy",
    "DeleteRepository",
    "DeleteRepositoryPolicy",
    "DescribeImageReplicationStatus",
    "DescribeImages",
    "DescribeImageScanFindings",
    "DescribeImageSigningStatus",
    "DescribeRepositories",
    "GetDownloadUrlForLayer",
    "GetImageCopyStatus",
    "GetLifecyclePolicy",
    "GetLifecyclePolicyPreview",
    "GetRepositoryPolicy",
    "InitiateLayerUpload",
    "ListImageReferrers",
    "ListImages",
    "PutImage",
    "PutImageScanningConfiguration",
    "PutImageTagMutability",
    "PutLifecyclePolicy",
    "ReplicateImage",
    "SetRepositoryPolicy",
    "StartImageScan",
    "StartLifecyclePolicyPreview",
    "UpdateImageStorageClass",
    "UploadLayerPart",
]
_REGISTRY = [
    "CreatePullThroughCacheRule",
    "CreateRepositoryCreationTemplate",
    "DeletePullThroughCacheRule",
    "DeleteRegistryPolicy",
    "DeleteRepositoryCreationTemplate",
    "DeleteSigningConfiguration",
    "DeregisterPullTimeUpdateExclusion",
    "DescribePullThroughCacheRules",
    "DescribeRegistry",
    "DescribeReplicationBackfillResults",
    "DescribeRepositoryCreationTemplates",
    "GetAuthorizationToken",
    "GetRegistryPolicy",
    "GetRegistryScanningConfiguration",
    "GetSigningConfiguration",
    "ListPullTimeUpdateExclusions",
    "ListReplicationBackfills",
    "PutRegistryPolicy",
    "PutRegistryScanningConfiguration",
    "PutReplicationConfiguration",
    "PutSigningConfiguration",
    "RegisterPullTimeUpdateExclusion",
    "StartReplicationBackfill",
    "StopReplicationBackfill",
    "UpdatePullThroughCacheRule",
    "UpdateRepositoryCreationTemplate",
    "ValidatePullThroughCacheRule",
]

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        *(Action(f"ecr:{name}", on_repository=True) for name in _REPOSITORY),
        *(Action(f"ecr:{name}", on_repository=False) for name in _REGISTRY),
        Action("ecr:CreateRepository", on_repository=True, keys=_TAGGING),
        Action("ecr:ListTagsForResource", on_repository=True, keys=_TAGGING),
        Action("ecr:TagResource", on_repository=True, keys=_TAGGING),
        Action("ecr:UntagResource", on_repository=True, keys=("aws:TagKeys",)),
        Action("ecr:GetAccountSetting", on_repository=False, keys=("ecr:AccountSetting",)),
        Action("ecr:PutAccountSetting", on_repository=False, keys=("ecr:AccountSetting",)),
    )
}
"""By name, as the service writes it."""

WITHOUT_OPERATION = frozenset({"ecr:BatchImportUpstreamImage", "ecr:GetImageCopyStatus", "ecr:ReplicateImage"})
"""Permissions only: what the service itself does on a caller's behalf."""
