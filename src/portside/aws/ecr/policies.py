"""Set-, Get- and DeleteRepositoryPolicy, Put-, Get- and DeleteRegistryPolicy (ecr-behaviour 3.4)."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.ecr import model


async def set_repository_policy(
    call: Call, request: model.SetRepositoryPolicyRequest
) -> model.SetRepositoryPolicyResponse:
    """Let a repository's policy be this."""
    repository = call.repository(request.repositoryName, request.registryId)
    text = await call.registry.policies.set_of_repository(
        call.caller, repository, request.policyText, force=request.force or False
    )
    return model.SetRepositoryPolicyResponse(
        registryId=repository.account, repositoryName=repository.name, policyText=text
    )


async def get_repository_policy(
    call: Call, request: model.GetRepositoryPolicyRequest
) -> model.GetRepositoryPolicyResponse:
    """Show it."""
    repository = call.repository(request.repositoryName, request.registryId)
    text = await call.registry.policies.of_repository(call.caller, repository)
    return model.GetRepositoryPolicyResponse(
        registryId=repository.account, repositoryName=repository.name, policyText=text
    )


async def delete_repository_policy(
    call: Call, request: model.DeleteRepositoryPolicyRequest
) -> model.DeleteRepositoryPolicyResponse:
    """Remove it, and show what it was."""
    repository = call.repository(request.repositoryName, request.registryId)
    text = await call.registry.policies.delete_of_repository(call.caller, repository)
    return model.DeleteRepositoryPolicyResponse(
        registryId=repository.account, repositoryName=repository.name, policyText=text
    )


async def put_registry_policy(call: Call, request: model.PutRegistryPolicyRequest) -> model.PutRegistryPolicyResponse:
    """Let the policy of the caller's registry be this."""
    registry = call.registry_id(None)
    text = await call.registry.policies.put_of_registry(call.caller, registry, request.policyText)
    return model.PutRegistryPolicyResponse(registryId=registry.account, policyText=text)


async def get_registry_policy(call: Call, request: model.GetRegistryPolicyRequest) -> model.GetRegistryPolicyResponse:
    """Show it."""
    del request
    registry = call.registry_id(None)
    text = await call.registry.policies.of_registry(call.caller, registry)
    return model.GetRegistryPolicyResponse(registryId=registry.account, policyText=text)


async def delete_registry_policy(
    call: Call, request: model.DeleteRegistryPolicyRequest
) -> model.DeleteRegistryPolicyResponse:
    """Remove it, and show what it was."""
    del request
    registry = call.registry_id(None)
    text = await call.registry.policies.delete_of_registry(call.caller, registry)
    return model.DeleteRegistryPolicyResponse(registryId=registry.account, policyText=text)
