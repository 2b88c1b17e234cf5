"""ListImageReferrers (ecr-behaviour 3.3)."""

from __future__ import annotations

from typing import cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.core.digest import Digest
from portside.registry.referrers import Referrer

_PAGE = 20


async def list_image_referrers(
    call: Call, request: model.ListImageReferrersRequest
) -> model.ListImageReferrersResponse:
    """A page of what refers to an image; nothing of one that is not there."""
    repository = call.repository(request.repositoryName, request.registryId)
    asked = request.filter
    found = await call.registry.referrers.listing(
        call.caller,
        repository,
        Digest.parse(request.subjectId.imageDigest, "subjectId.imageDigest"),
        artifact_types=(asked and asked.artifactTypes) or (),
        status=(asked and asked.artifactStatus) or "ACTIVE",
        limit=request.maxResults or _PAGE,
        token=request.nextToken,
    )
    return model.ListImageReferrersResponse(
        referrers=[_written(referrer) for referrer in found.items], nextToken=found.next_token
    )


def _written(referrer: Referrer) -> model.ImageReferrer:
    image = referrer.image
    return model.ImageReferrer(
        digest=str(image.digest),
        mediaType=image.media_type,
        artifactType=image.artifact_type,
        size=image.size,
        annotations=referrer.annotations or None,
        artifactStatus=cast("model.ArtifactStatus", image.status),
    )
