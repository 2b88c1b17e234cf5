"""The images of a real ECR repository, as a lifecycle policy sees them, by Describe calls alone.

What an index lists is told by manifests and not by DescribeImages: an image that ECR would keep for its index's sake
cannot be known here. botocore does the asking, with a person's own profile, retries and endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portside.core.lifecycle.evaluation import Candidate
from portside.remote.errors import RemoteError, Unauthenticated, Unusable

_REFUSALS = ("AccessDenied", "UnrecognizedClient", "InvalidSignature", "ExpiredToken", "InvalidClientTokenId")


def images_of(
    repository: str, *, profile: str | None = None, region: str | None = None, registry: str | None = None
) -> list[Candidate]:
    """Every image of a repository, archived ones too. Raises Unauthenticated, Unusable."""
    import botocore.session  # noqa: PLC0415 - it takes a fifth of a second
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    asked: dict[str, Any] = {"repositoryName": repository, "filter": {"imageStatus": "ANY"}}
    if registry is not None:
        asked["registryId"] = registry
    try:
        session: Any = botocore.session.Session(profile=profile)
        client = session.create_client("ecr", region_name=region)
        pages = client.get_paginator("describe_images").paginate(**asked, PaginationConfig={"PageSize": 1000})
        return [candidate(detail) for page in pages for detail in page["imageDetails"]]
    except ClientError as error:
        raise _refusal(error) from None
    except BotoCoreError as error:
        raise Unusable(f"ECR cannot be asked ({error})", "see --profile and --region") from None


def candidate(detail: Mapping[str, Any]) -> Candidate:
    """An image of DescribeImages' answer."""
    pushed = _time(detail, "imagePushedAt")
    assert pushed is not None
    return Candidate(
        digest=detail["imageDigest"],
        pushed_at=pushed,
        tags=detail.get("imageTags", ()),
        status=detail.get("imageStatus", "ACTIVE"),
        last_pull_at=_time(detail, "lastRecordedPullTime"),
        archived_at=_time(detail, "lastArchivedAt"),
        activated_at=_time(detail, "lastActivatedAt"),
        subject=detail.get("subjectManifestDigest"),
    )


def _time(detail: Mapping[str, Any], name: str) -> int | None:
    found: datetime | None = detail.get(name)
    return None if found is None else round(found.timestamp() * 1_000_000)


def _refusal(error: Any) -> RemoteError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code.startswith(_REFUSALS):
        return Unauthenticated(f"ECR refuses DescribeImages: {message}", "the policy needs ecr:DescribeImages alone")
    return Unusable(f"ECR refuses DescribeImages: {message} ({code})", "see --region, and the repository's name")
