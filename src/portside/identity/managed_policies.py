"""The managed policies that every account has from the start, under AWS's own names and ARNs (iam-behaviour 3.3).

Those of ECR say what AWS's say; the general ones are cut down to the services that are here. They cannot be changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_READ = (
    "GetAuthorizationToken BatchCheckLayerAvailability GetDownloadUrlForLayer GetRepositoryPolicy DescribeRepositories "
    "ListImages DescribeImages BatchGetImage GetLifecyclePolicy GetLifecyclePolicyPreview ListTagsForResource "
    "DescribeImageScanFindings"
)
_PUSH = "InitiateLayerUpload UploadLayerPart CompleteLayerUpload PutImage"
_CACHE = (
    "GetAuthorizationToken BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload "
    "PutImage BatchGetImage BatchImportUpstreamImage GetDownloadUrlForLayer GetImageCopyStatus"
)


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """One of them."""

    name: str
    path: str
    version: int
    created: str
    """The day that AWS gave this version, or the first one where only that is known."""
    document: str

    @property
    def arn(self) -> str:
        """`arn:aws:iam::aws:policy/PATH/NAME`."""
        return f"arn:aws:iam::aws:policy{self.path}{self.name}"

    @property
    def id(self) -> str:
        """A unique id, always the same."""
        return "ANPA" + base64.b32encode(hashlib.sha256(self.arn.encode()).digest()).decode("ascii")[:17]


def _allow(actions: str, *, service: str = "ecr", resource: str = "*", **more: Any) -> dict[str, Any]:
    named = [f"{service}:{action}" for action in actions.split()]
    return {"Effect": "Allow", "Action": named, "Resource": resource, **more}


def _policy(name: str, *statements: dict[str, Any], path: str = "/", version: int = 1, created: str) -> ManagedPolicy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return ManagedPolicy(name, path, version, created, json.dumps(document, indent=2))


_SERVICE_ROLE = "/aws-service-role/"
_ALL = (
    _policy(
        "AmazonEC2ContainerRegistryFullAccess",
        {"Effect": "Allow", "Action": ["ecr:*", "cloudtrail:LookupEvents"], "Resource": "*"},
        _allow(
            "CreateServiceLinkedRole",
            service="iam",
            Condition={"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
        ),
        version=3,
        created="2015-12-21",
    ),
    _policy("AmazonEC2ContainerRegistryPowerUser", _allow(f"{_READ} {_PUSH}"), version=3, created="2015-12-21"),
    _policy("AmazonEC2ContainerRegistryReadOnly", _allow(_READ), version=3, created="2015-12-21"),
    _policy(
        "AmazonEC2ContainerRegistryPullOnly",
        _allow("GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer BatchImportUpstreamImage"),
        created="2024-10-04",
    ),
    _policy(
        "AWSECRPullThroughCache_ServiceRolePolicy",
        _allow(_CACHE, Condition={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}),
        _allow(
            "GetSecretValue",
            service="secretsmanager",
            resource="arn:aws:secretsmanager:*:*:secret:ecr-pullthroughcache/*",
        ),
        path=_SERVICE_ROLE,
        version=4,
        created="2021-11-26",
    ),
    _policy(
        "ECRReplicationServiceRolePolicy",
        _allow("CreateRepository ReplicateImage"),
        path=_SERVICE_ROLE,
        created="2020-12-04",
    ),
    _policy("ECRTemplateServiceRolePolicy", _allow("CreateRepository"), path=_SERVICE_ROLE, created="2024-06-20"),
    _policy(
        "AWSAppRunnerServicePolicyForECRAccess",
        _allow("GetDownloadUrlForLayer BatchGetImage DescribeImages GetAuthorizationToken BatchCheckLayerAvailability"),
        path="/service-role/",
        created="2021-05-14",
    ),
    _policy("AdministratorAccess", {"Effect": "Allow", "Action": "*", "Resource": "*"}, created="2015-02-06"),
    _policy(
        "PowerUserAccess",
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        _allow("CreateServiceLinkedRole DeleteServiceLinkedRole ListRoles", service="iam"),
        created="2015-02-06",
    ),
    _policy(
        "ReadOnlyAccess",
        _allow("BatchCheck* BatchGet* Describe* Get* List*"),
        _allow("Get* List* Simulate*", service="iam"),
        _allow("Get*", service="sts"),
        created="2015-02-06",
    ),
    _policy("IAMFullAccess", {"Effect": "Allow", "Action": ["iam:*"], "Resource": "*"}, created="2015-02-06"),
)

MANAGED: Mapping[str, ManagedPolicy] = {policy.arn: policy for policy in _ALL}
"""By ARN."""
