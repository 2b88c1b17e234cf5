"""Which handler carries out which operation of the ECR model; the others are answered as not implemented, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from portside.aws.call import Call
from portside.aws.ecr import (
    authorization,
    images,
    layers,
    lifecycle,
    model,
    policies,
    pull_exclusions,
    referrers,
    repositories,
    scanning,
    settings,
    templates,
)

Handler = Callable[[Call, Any], Awaitable[model.Shape]]

HANDLERS: Mapping[str, Handler] = {
    "BatchCheckLayerAvailability": layers.batch_check_layer_availability,
    "BatchDeleteImage": images.batch_delete_image,
    "BatchGetImage": images.batch_get_image,
    "BatchGetRepositoryScanningConfiguration": scanning.batch_get_repository_scanning_configuration,
    "CompleteLayerUpload": layers.complete_layer_upload,
    "CreateRepository": repositories.create_repository,
    "CreateRepositoryCreationTemplate": templates.create_repository_creation_template,
    "DeleteLifecyclePolicy": lifecycle.delete_lifecycle_policy,
    "DeleteRegistryPolicy": policies.delete_registry_policy,
    "DeleteRepository": repositories.delete_repository,
    "DeleteRepositoryCreationTemplate": templates.delete_repository_creation_template,
    "DeleteRepositoryPolicy": policies.delete_repository_policy,
    "DeregisterPullTimeUpdateExclusion": pull_exclusions.deregister_pull_time_update_exclusion,
    "DescribeImages": images.describe_images,
    "DescribeRegistry": settings.describe_registry,
    "DescribeRepositories": repositories.describe_repositories,
    "DescribeRepositoryCreationTemplates": templates.describe_repository_creation_templates,
    "GetAccountSetting": settings.get_account_setting,
    "GetAuthorizationToken": authorization.get_authorization_token,
    "GetDownloadUrlForLayer": layers.get_download_url_for_layer,
    "GetLifecyclePolicy": lifecycle.get_lifecycle_policy,
    "GetLifecyclePolicyPreview": lifecycle.get_lifecycle_policy_preview,
    "GetRegistryPolicy": policies.get_registry_policy,
    "GetRegistryScanningConfiguration": scanning.get_registry_scanning_configuration,
    "GetRepositoryPolicy": policies.get_repository_policy,
    "InitiateLayerUpload": layers.initiate_layer_upload,
    "ListImageReferrers": referrers.list_image_referrers,
    "ListImages": images.list_images,
    "ListPullTimeUpdateExclusions": pull_exclusions.list_pull_time_update_exclusions,
    "ListTagsForResource": repositories.list_tags_for_resource,
    "PutAccountSetting": settings.put_account_setting,
    "PutImage": images.put_image,
    "PutImageScanningConfiguration": repositories.put_image_scanning_configuration,
    "PutImageTagMutability": repositories.put_image_tag_mutability,
    "PutLifecyclePolicy": lifecycle.put_lifecycle_policy,
    "PutRegistryPolicy": policies.put_registry_policy,
    "PutRegistryScanningConfiguration": scanning.put_registry_scanning_configuration,
    "RegisterPullTimeUpdateExclusion": pull_exclusions.register_pull_time_update_exclusion,
    "SetRepositoryPolicy": policies.set_repository_policy,
    "StartLifecyclePolicyPreview": lifecycle.start_lifecycle_policy_preview,
    "TagResource": repositories.tag_resource,
    "UntagResource": repositories.untag_resource,
    "UpdateImageStorageClass": images.update_image_storage_class,
    "UploadLayerPart": layers.upload_layer_part,
    "UpdateRepositoryCreationTemplate": templates.update_repository_creation_template,
}

_MIB = 1024 * 1024
_LIMITS: Mapping[str, int] = {
    "PutImage": 16 * _MIB,  # a manifest of 4 MiB and its escaping
    "UploadLayerPart": 28 * _MIB,  # a part of 20 MiB in base64
}
SMALL = _MIB
"""No other operation needs a larger body."""


def longest_body(operation: str) -> int:
    """Give the bytes that a request of this operation may have."""
    return _LIMITS.get(operation, SMALL)
