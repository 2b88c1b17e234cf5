"""PutImage, BatchGetImage, BatchDeleteImage, ListImages, DescribeImages, UpdateImageStorageClass: ecr-behaviour 3.3."""

from __future__ import annotations

from typing import cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import page, read_image_id, seconds, sort_image_ids, write_image_id
from portside.core.digest import Digest
from portside.core.errors import ImageAlreadyExists
from portside.core.names import ImageId, RepositoryId, parse_tag
from portside.core.records import Image
from portside.registry.outcomes import ImageFailure


async def put_image(call: Call, request: model.PutImageRequest) -> model.PutImageResponse:
    """Store a manifest and point a tag at it; what is there already is an error here, unlike on docker's plane."""
    repository = call.repository(request.repositoryName, request.registryId)
    tag = None if request.imageTag is None else parse_tag(request.imageTag)
    digest = None if request.imageDigest is None else Digest.parse(request.imageDigest, "imageDigest")
    pushed = await call.registry.images.put(
        call.caller,
        repository,
        request.imageManifest.encode(),
        media_type=request.imageManifestMediaType,
        tags=() if tag is None else (tag,),
        digest=digest,
    )
    if not pushed.changed:
        raise ImageAlreadyExists(repository, pushed.image.digest, tag)
    found = ImageId(tag, pushed.image.digest)
    return model.PutImageResponse(image=_image(repository, found, request.imageManifest, pushed.image.media_type))


async def batch_get_image(call: Call, request: model.BatchGetImageRequest) -> model.BatchGetImageResponse:
    """The manifests asked for, and why others are missing."""
    repository = call.repository(request.repositoryName, request.registryId)
    wanted, failures = sort_image_ids(request.imageIds)
    images: list[model.Image] = []
    for found in await call.registry.images.get_many(call.caller, repository, wanted, request.acceptedMediaTypes or ()):
        if isinstance(found, ImageFailure):
            failures.append(_failure(found))
        else:
            images.append(_image(repository, found.id, found.content.decode(), found.image.media_type))
    return model.BatchGetImageResponse(images=images, failures=failures)


async def batch_delete_image(call: Call, request: model.BatchDeleteImageRequest) -> model.BatchDeleteImageResponse:
    """Remove tags, or images with all their tags; one entry for each that went."""
    repository = call.repository(request.repositoryName, request.registryId)
    wanted, failures = sort_image_ids(request.imageIds)
    removed, others = await call.registry.images.delete_many(call.caller, repository, wanted)
    failures.extend(_failure(failure) for failure in others)
    return model.BatchDeleteImageResponse(imageIds=[write_image_id(one) for one in removed], failures=failures)


async def list_images(call: Call, request: model.ListImagesRequest) -> model.ListImagesResponse:
    """A page of identifiers."""
    repository = call.repository(request.repositoryName, request.registryId)
    tag_status, status = _filtered(request.filter)
    found = await call.registry.images.identifiers(
        call.caller,
        repository,
        tag_status=tag_status,
        status=status,
        limit=page(request.maxResults, request.nextToken, None, ""),
        token=request.nextToken,
    )
    return model.ListImagesResponse(imageIds=[write_image_id(one) for one in found.items], nextToken=found.next_token)


async def describe_images(call: Call, request: model.DescribeImagesRequest) -> model.DescribeImagesResponse:
    """What is known of the images asked for, or of a page of all."""
    repository = call.repository(request.repositoryName, request.registryId)
    tag_status, status = _filtered(request.filter)
    found = await call.registry.images.describe(
        call.caller,
        repository,
        [read_image_id(identifier) for identifier in request.imageIds or ()],
        tag_status=tag_status,
        status=status,
        limit=page(request.maxResults, request.nextToken, request.imageIds, "imageIds"),
        token=request.nextToken,
    )
    return model.DescribeImagesResponse(
        imageDetails=[_detail(repository, image) for image in found.items], nextToken=found.next_token
    )


async def update_image_storage_class(
    call: Call, request: model.UpdateImageStorageClassRequest
) -> model.UpdateImageStorageClassResponse:
    """Archive an image, or restore it."""
    repository = call.repository(request.repositoryName, request.registryId)
    found, status = await call.registry.storage_classes.update(
        call.caller, repository, read_image_id(request.imageId), request.targetStorageClass
    )
    return model.UpdateImageStorageClassResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        imageId=write_image_id(found),
        imageStatus=cast("model.ImageStatus", status),
    )


def _filtered(chosen: model.ListImagesFilter | model.DescribeImagesFilter | None) -> tuple[str, str]:
    """Give the tag status and the image status to look for."""
    if chosen is None:
        return "ANY", "ACTIVE"
    return chosen.tagStatus or "ANY", chosen.imageStatus or "ACTIVE"


def _failure(failure: ImageFailure) -> model.ImageFailure:
    return model.ImageFailure(
        imageId=write_image_id(failure.id),
        failureCode=cast("model.ImageFailureCode", failure.code),
        failureReason=failure.reason,
    )


def _image(repository: RepositoryId, image: ImageId, manifest: str, media_type: str) -> model.Image:
    return model.Image(
        registryId=repository.account,
        repositoryName=repository.name,
        imageId=write_image_id(image),
        imageManifest=manifest,
        imageManifestMediaType=media_type,
    )


def _detail(repository: RepositoryId, image: Image) -> model.ImageDetail:
    return model.ImageDetail(
        registryId=repository.account,
        repositoryName=repository.name,
        imageDigest=str(image.digest),
        imageTags=[str(tag) for tag in image.tags] or None,
        imageSizeInBytes=image.content_size,
        imagePushedAt=seconds(image.pushed_at),
        imageManifestMediaType=image.media_type,
        artifactMediaType=image.artifact_type,
        lastRecordedPullTime=None if image.last_pull_at is None else seconds(image.last_pull_at),
        subjectManifestDigest=str(image.subject) if image.subject else None,
        imageStatus=cast("model.ImageStatus", image.status),
        lastArchivedAt=None if image.archived_at is None else seconds(image.archived_at),
        lastActivatedAt=None if image.activated_at is None else seconds(image.activated_at),
    )
