"""CreateRepository, DescribeRepositories, DeleteRepository, and what a repository is set to (ecr-behaviour 3.2)."""

from __future__ import annotations

from typing import cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import page, read_exclusions, resource_tags, seconds, write_exclusions
from portside.core.errors import InvalidParameter
from portside.core.names import RepositoryId, parse_repository_arn
from portside.core.records import Repository, RepositorySettings


async def create_repository(call: Call, request: model.CreateRepositoryRequest) -> model.CreateRepositoryResponse:
    """Make a repository."""
    repository = call.repository(request.repositoryName, request.registryId)
    created = await call.registry.repositories.create(call.caller, repository, _settings(request))
    return model.CreateRepositoryResponse(repository=_written(call, created))


async def describe_repositories(
    call: Call, request: model.DescribeRepositoriesRequest
) -> model.DescribeRepositoriesResponse:
    """The named repositories in the order asked for, or a page of all."""
    limit = page(request.maxResults, request.nextToken, request.repositoryNames, "repositoryNames")
    found = await call.registry.repositories.describe(
        call.caller,
        call.registry_id(request.registryId),
        request.repositoryNames or (),
        limit=limit,
        token=request.nextToken,
    )
    return model.DescribeRepositoriesResponse(
        repositories=[_written(call, repository) for repository in found.items], nextToken=found.next_token
    )


async def delete_repository(call: Call, request: model.DeleteRepositoryRequest) -> model.DeleteRepositoryResponse:
    """Remove a repository, with its images where `force` says so."""
    repository = call.repository(request.repositoryName, request.registryId)
    deleted = await call.registry.repositories.delete(call.caller, repository, force=bool(request.force))
    return model.DeleteRepositoryResponse(repository=_written(call, deleted))


async def put_image_tag_mutability(
    call: Call, request: model.PutImageTagMutabilityRequest
) -> model.PutImageTagMutabilityResponse:
    """Let tags move or not; filters that are left out are removed."""
    repository = call.repository(request.repositoryName, request.registryId)
    exclusions = read_exclusions(request.imageTagMutability, request.imageTagMutabilityExclusionFilters)
    changed = await call.registry.repository_changes.put_tag_mutability(
        call.caller, repository, request.imageTagMutability, exclusions
    )
    return model.PutImageTagMutabilityResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        imageTagMutability=cast("model.ImageTagMutability", changed.settings.tag_mutability),
        imageTagMutabilityExclusionFilters=write_exclusions(changed.settings.tag_exclusions) or None,
    )


async def put_image_scanning_configuration(
    call: Call, request: model.PutImageScanningConfigurationRequest
) -> model.PutImageScanningConfigurationResponse:
    """Say whether images are to be scanned when they are pushed."""
    repository = call.repository(request.repositoryName, request.registryId)
    changed = await call.registry.repository_changes.put_scanning(
        call.caller, repository, scan_on_push=bool(request.imageScanningConfiguration.scanOnPush)
    )
    return model.PutImageScanningConfigurationResponse(
        registryId=repository.account,
        repositoryName=repository.name,
        imageScanningConfiguration=model.ImageScanningConfiguration(scanOnPush=changed.settings.scan_on_push),
    )


async def list_tags_for_resource(
    call: Call, request: model.ListTagsForResourceRequest
) -> model.ListTagsForResourceResponse:
    """Show a repository's resource tags."""
    repository = parse_repository_arn(request.resourceArn, call.region)
    tags = await call.registry.repository_changes.tags(call.caller, repository)
    return model.ListTagsForResourceResponse(tags=[model.Tag(Key=key, Value=tags[key]) for key in tags])


async def tag_resource(call: Call, request: model.TagResourceRequest) -> model.TagResourceResponse:
    """Put resource tags."""
    repository = parse_repository_arn(request.resourceArn, call.region)
    await call.registry.repository_changes.tag(call.caller, repository, resource_tags(request.tags))
    return model.TagResourceResponse()


async def untag_resource(call: Call, request: model.UntagResourceRequest) -> model.UntagResourceResponse:
    """Remove resource tags."""
    repository = parse_repository_arn(request.resourceArn, call.region)
    await call.registry.repository_changes.untag(call.caller, repository, frozenset(request.tagKeys))
    return model.UntagResourceResponse()


def _settings(request: model.CreateRepositoryRequest) -> RepositorySettings:
    mutability = request.imageTagMutability or "MUTABLE"
    encryption_type, kms_key = _encryption(request.encryptionConfiguration)
    scanning = request.imageScanningConfiguration
    return RepositorySettings(
        tag_mutability=mutability,
        tag_exclusions=read_exclusions(mutability, request.imageTagMutabilityExclusionFilters),
        scan_on_push=scanning is not None and bool(scanning.scanOnPush),
        encryption_type=encryption_type,
        kms_key=kms_key,
        resource_tags=resource_tags(request.tags or ()),
    )


def _encryption(given: model.EncryptionConfiguration | None) -> tuple[str, str | None]:
    if given is None:
        return "AES256", None
    if given.encryptionType == "AES256" and given.kmsKey is not None:
        reason = "Member must be null when encryptionType is AES256"
        raise InvalidParameter("encryptionConfiguration.kmsKey", reason)
    return given.encryptionType, given.kmsKey


def _written(call: Call, repository: Repository) -> model.Repository:
    name: RepositoryId = repository.id
    settings = repository.settings
    return model.Repository(
        repositoryArn=name.arn,
        registryId=name.account,
        repositoryName=name.name,
        repositoryUri=call.hosts.repository_uri(name),
        createdAt=seconds(repository.created_at),
        imageTagMutability=cast("model.ImageTagMutability", settings.tag_mutability),
        imageTagMutabilityExclusionFilters=write_exclusions(settings.tag_exclusions) or None,
        imageScanningConfiguration=model.ImageScanningConfiguration(scanOnPush=settings.scan_on_push),
        encryptionConfiguration=model.EncryptionConfiguration(
            encryptionType=cast("model.EncryptionType", settings.encryption_type), kmsKey=settings.kms_key
        ),
    )
