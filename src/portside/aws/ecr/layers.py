"""BatchCheckLayerAvailability, the three steps of a layer upload, GetDownloadUrlForLayer (ecr-behaviour 3.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.core import digest as digests
from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter, LayerAlreadyExists
from portside.identity.tokens import TICKET_PARAMETER

_PART_SIZE = 10 * 1024 * 1024
"""The size of part that clients are told to send."""
_PIECE = 1024 * 1024


async def batch_check_layer_availability(
    call: Call, request: model.BatchCheckLayerAvailabilityRequest
) -> model.BatchCheckLayerAvailabilityResponse:
    """Which layers the repository holds; one that it lacks is UNAVAILABLE, and only a malformed digest fails."""
    repository = call.repository(request.repositoryName, request.registryId)
    wanted: list[Digest] = []
    failures: list[model.LayerFailure] = []
    for text in dict.fromkeys(request.layerDigests):
        try:
            wanted.append(Digest.parse(text))
        except InvalidParameter:
            failures.append(_failure(text))
    found = await call.registry.layers.availability(call.caller, repository, wanted)
    layers = [
        model.Layer(layerDigest=str(digest), layerAvailability="UNAVAILABLE")
        if layer is None
        else model.Layer(
            layerDigest=str(digest),
            layerAvailability="ARCHIVED" if layer.archived else "AVAILABLE",
            layerSize=layer.size,
            mediaType=layer.media_type or media_types.DOCKER_LAYER,
        )
        for digest, layer in zip(wanted, found, strict=True)
    ]
    return model.BatchCheckLayerAvailabilityResponse(layers=layers, failures=failures)


async def initiate_layer_upload(
    call: Call, request: model.InitiateLayerUploadRequest
) -> model.InitiateLayerUploadResponse:
    """Open an upload."""
    repository = call.repository(request.repositoryName, request.registryId)
    upload = await call.registry.uploads.begin(call.caller, repository)
    return model.InitiateLayerUploadResponse(uploadId=upload.id, partSize=_PART_SIZE)


async def upload_layer_part(call: Call, request: model.UploadLayerPartRequest) -> model.UploadLayerPartResponse:
    """Take one part; it must follow on and be as long as its range."""
    repository = call.repository(request.repositoryName, request.registryId)
    upload = await call.registry.uploads.receive(
        call.caller,
        repository,
        request.uploadId,
        _pieces(request.layerPartBlob),
        first=request.partFirstByte,
        last=request.partLastByte,
        through_api=True,
    )
    return model.UploadLayerPartResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        uploadId=request.uploadId,
        lastByteReceived=upload.received - 1,
    )


async def complete_layer_upload(
    call: Call, request: model.CompleteLayerUploadRequest
) -> model.CompleteLayerUploadResponse:
    """Make the layer durable when any of the digests is its own; one that was there before is an error here."""
    repository = call.repository(request.repositoryName, request.registryId)
    wanted = [Digest.parse(text, "layerDigests") for text in request.layerDigests]
    completed = await call.registry.uploads.complete(
        call.caller, repository, request.uploadId, wanted, through_api=True
    )
    if completed.existed:
        raise LayerAlreadyExists(repository, completed.digest)
    return model.CompleteLayerUploadResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        uploadId=request.uploadId,
        layerDigest=str(completed.digest),
    )


async def get_download_url_for_layer(
    call: Call, request: model.GetDownloadUrlForLayerRequest
) -> model.GetDownloadUrlForLayerResponse:
    """An address that gives the layer to whoever holds it, for an hour."""
    repository = call.repository(request.repositoryName, request.registryId)
    digest = Digest.parse(request.layerDigest, "layerDigest")
    ticket = await call.registry.layers.download_ticket(call.caller, repository, digest)
    address = f"{call.hosts.endpoint(repository.registry)}/v2/{repository.name}/blobs/{digest}"
    return model.GetDownloadUrlForLayerResponse(
        downloadUrl=f"{address}?{urlencode({TICKET_PARAMETER: ticket})}", layerDigest=str(digest)
    )


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), _PIECE):
        yield content[at : at + _PIECE]


def _failure(text: str) -> model.LayerFailure:
    if not text:
        reason = "Invalid request parameters: layer digest cannot be null"
        return model.LayerFailure(layerDigest=text, failureCode="MissingLayerDigest", failureReason=reason)
    reason = f"Invalid request parameters: layer digest should satisfy the regex '{digests.SYNTAX}'"
    return model.LayerFailure(layerDigest=text, failureCode="InvalidLayerDigest", failureReason=reason)
