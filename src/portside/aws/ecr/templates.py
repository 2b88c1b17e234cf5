"""Create-, Update-, Describe- and DeleteRepositoryCreationTemplate(s) (ecr-behaviour 3.8)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import page, read_exclusions, resource_tags, seconds, write_exclusions
from portside.core.errors import InvalidParameter
from portside.core.names import RegistryId
from portside.core.records import RepositorySettings
from portside.registry.template_documents import Template


async def create_repository_creation_template(
    call: Call, request: model.CreateRepositoryCreationTemplateRequest
) -> model.CreateRepositoryCreationTemplateResponse:
    """Make a template."""
    registry = call.registry_id(None)
    template = _changed(Template(request.prefix, ()), request)
    made = await call.registry.templates.create(call.caller, registry, template)
    return model.CreateRepositoryCreationTemplateResponse(
        registryId=registry.account, repositoryCreationTemplate=_written(made)
    )


async def update_repository_creation_template(
    call: Call, request: model.UpdateRepositoryCreationTemplateRequest
) -> model.UpdateRepositoryCreationTemplateResponse:
    """Change the members that are given; an empty policy removes the one that is there."""
    registry = call.registry_id(None)
    changed = await call.registry.templates.update(
        call.caller, registry, request.prefix, lambda standing: _changed(standing, request)
    )
    return model.UpdateRepositoryCreationTemplateResponse(
        registryId=registry.account, repositoryCreationTemplate=_written(changed)
    )


async def describe_repository_creation_templates(
    call: Call, request: model.DescribeRepositoryCreationTemplatesRequest
) -> model.DescribeRepositoryCreationTemplatesResponse:
    """The templates of the prefixes asked for, or a page of all."""
    registry: RegistryId = call.registry_id(None)
    limit = page(request.maxResults, request.nextToken, request.prefixes, "prefixes")
    found = await call.registry.templates.describe(
        call.caller, registry, request.prefixes or (), limit=limit, token=request.nextToken
    )
    return model.DescribeRepositoryCreationTemplatesResponse(
        registryId=registry.account,
        repositoryCreationTemplates=[_written(template) for template in found.items],
        nextToken=found.next_token,
    )


async def delete_repository_creation_template(
    call: Call, request: model.DeleteRepositoryCreationTemplateRequest
) -> model.DeleteRepositoryCreationTemplateResponse:
    """Remove a template, and show what it was."""
    registry = call.registry_id(None)
    deleted = await call.registry.templates.delete(call.caller, registry, request.prefix)
    return model.DeleteRepositoryCreationTemplateResponse(
        registryId=registry.account, repositoryCreationTemplate=_written(deleted)
    )


def _changed(
    template: Template,
    request: model.CreateRepositoryCreationTemplateRequest | model.UpdateRepositoryCreationTemplateRequest,
) -> Template:
    """Give the template with the members that are given."""
    changed = replace(template, settings=_settings(template.settings, request))
    if request.description is not None:
        changed = replace(changed, description=request.description or None)
    if request.repositoryPolicy is not None:
        changed = replace(changed, repository_policy=request.repositoryPolicy or None)
    if request.lifecyclePolicy is not None:
        changed = replace(changed, lifecycle_policy=request.lifecyclePolicy or None)
    if request.appliedFor is not None:
        changed = replace(changed, applied_for=tuple(dict.fromkeys(request.appliedFor)))
    if request.customRoleArn is not None:
        changed = replace(changed, custom_role=request.customRoleArn or None)
    return changed


def _settings(
    standing: RepositorySettings,
    request: model.CreateRepositoryCreationTemplateRequest | model.UpdateRepositoryCreationTemplateRequest,
) -> RepositorySettings:
    changed = standing
    if request.encryptionConfiguration is not None:
        changed = _encrypted(changed, request.encryptionConfiguration)
    if request.resourceTags is not None:
        changed = replace(changed, resource_tags=resource_tags(request.resourceTags))
    if request.imageTagMutability is not None or request.imageTagMutabilityExclusionFilters is not None:
        mode = request.imageTagMutability or changed.tag_mutability
        given = request.imageTagMutabilityExclusionFilters
        if given is None and mode.endswith("_WITH_EXCLUSION"):
            # Only what is given changes: those that are there are for this mode too.
            given = write_exclusions(changed.tag_exclusions)
        exclusions = read_exclusions(mode, given)
        changed = replace(changed, tag_mutability=mode, tag_exclusions=exclusions)
    return changed


def _encrypted(
    settings: RepositorySettings, encryption: model.EncryptionConfigurationForRepositoryCreationTemplate
) -> RepositorySettings:
    key = encryption.kmsKey or None
    if encryption.encryptionType == "AES256" and key is not None:
        raise InvalidParameter("encryptionConfiguration.kmsKey", "Member must be null when encryptionType is AES256")
    return replace(settings, encryption_type=encryption.encryptionType, kms_key=key)


def _written(template: Template) -> model.RepositoryCreationTemplate:
    settings = template.settings
    tags = [model.Tag(Key=key, Value=value) for key, value in settings.resource_tags.items()]
    return model.RepositoryCreationTemplate(
        prefix=template.prefix,
        description=template.description,
        encryptionConfiguration=model.EncryptionConfigurationForRepositoryCreationTemplate(
            encryptionType=cast("model.EncryptionType", settings.encryption_type), kmsKey=settings.kms_key
        ),
        resourceTags=tags or None,
        imageTagMutability=cast("model.ImageTagMutability", settings.tag_mutability),
        imageTagMutabilityExclusionFilters=write_exclusions(settings.tag_exclusions) or None,
        repositoryPolicy=template.repository_policy,
        lifecyclePolicy=template.lifecycle_policy,
        appliedFor=cast("list[model.RCTAppliedFor]", list(template.applied_for)),
        customRoleArn=template.custom_role,
        createdAt=seconds(template.created_at),
        updatedAt=seconds(template.updated_at),
    )
