"""Get- and PutRegistryScanningConfiguration, BatchGetRepositoryScanningConfiguration (ecr-behaviour 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.core.errors import RepositoryNotFound
from portside.registry.scan_rules import BASIC, ScanningConfiguration, ScanRule


async def get_registry_scanning_configuration(
    call: Call, request: model.GetRegistryScanningConfigurationRequest
) -> model.GetRegistryScanningConfigurationResponse:
    """Show how the registry is scanned."""
    del request
    registry = call.registry_id(None)
    found = await call.registry.scanning.get(call.caller, registry)
    return model.GetRegistryScanningConfigurationResponse(
        registryId=registry.account, scanningConfiguration=_written(found)
    )


async def put_registry_scanning_configuration(
    call: Call, request: model.PutRegistryScanningConfigurationRequest
) -> model.PutRegistryScanningConfigurationResponse:
    """Replace it."""
    rules = tuple(
        ScanRule(rule.scanFrequency, tuple(one.filter for one in rule.repositoryFilters))
        for rule in request.rules or ()
    )
    wanted = ScanningConfiguration(request.scanType or BASIC, rules)
    put = await call.registry.scanning.put(call.caller, call.registry_id(None), wanted)
    return model.PutRegistryScanningConfigurationResponse(registryScanningConfiguration=_written(put))


async def batch_get_repository_scanning_configuration(
    call: Call, request: model.BatchGetRepositoryScanningConfigurationRequest
) -> model.BatchGetRepositoryScanningConfigurationResponse:
    """Show what follows for repositories."""
    found: list[model.RepositoryScanningConfiguration] = []
    failures: list[model.RepositoryScanningConfigurationFailure] = []
    registry = call.registry_id(None)
    for repository, scanning in await call.registry.scanning.of_repositories(
        call.caller, registry, request.repositoryNames
    ):
        if scanning is None:
            failures.append(
                model.RepositoryScanningConfigurationFailure(
                    repositoryName=repository.name,
                    failureCode="REPOSITORY_NOT_FOUND",
                    failureReason=RepositoryNotFound(repository).message,
                )
            )
            continue
        found.append(
            model.RepositoryScanningConfiguration(
                repositoryArn=repository.arn,
                repositoryName=repository.name,
                scanOnPush=scanning.on_push,
                scanFrequency=cast("model.ScanFrequency", scanning.frequency),
                appliedScanFilters=_filters(scanning.filters),
            )
        )
    return model.BatchGetRepositoryScanningConfigurationResponse(scanningConfigurations=found, failures=failures)


def _written(configuration: ScanningConfiguration) -> model.RegistryScanningConfiguration:
    return model.RegistryScanningConfiguration(
        scanType=cast("model.ScanType", configuration.type),
        rules=[
            model.RegistryScanningRule(
                scanFrequency=cast("model.ScanFrequency", rule.frequency), repositoryFilters=_filters(rule.filters)
            )
            for rule in configuration.rules
        ],
    )


def _filters(filters: Iterable[str]) -> list[model.ScanningRepositoryFilter]:
    return [model.ScanningRepositoryFilter(filter=one, filterType="WILDCARD") for one in filters]
