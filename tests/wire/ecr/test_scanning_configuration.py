from __future__ import annotations

from typing import Any

import pytest

from tests.wire.people import Office, refusal
from tests.wire.server import REGION, RunningRegistry

BASIC = {"scanType": "BASIC", "rules": []}


def rule(frequency: str, *filters: str) -> dict[str, Any]:
    return {
        "scanFrequency": frequency,
        "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"} for one in filters],
    }


def test_a_registry_s_configuration_is_replaced_and_followed(own_registry: RunningRegistry) -> None:
    ecr = own_registry.ecr
    account = Office(own_registry).account
    assert ecr.get_registry_scanning_configuration() | {"ResponseMetadata": None} == {
        "registryId": account,
        "scanningConfiguration": BASIC,
        "ResponseMetadata": None,
    }
    own_registry.create("team/app")
    own_registry.create("other")
    wanted = {"scanType": "ENHANCED", "rules": [rule("SCAN_ON_PUSH", "*"), rule("CONTINUOUS_SCAN", "team/*")]}
    assert ecr.put_registry_scanning_configuration(**wanted)["registryScanningConfiguration"] == wanted
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == wanted
    found = ecr.batch_get_repository_scanning_configuration(repositoryNames=["team/app", "none", "other"])
    assert [(one["repositoryName"], one["scanFrequency"]) for one in found["scanningConfigurations"]] == [
        ("team/app", "CONTINUOUS_SCAN"),
        ("other", "SCAN_ON_PUSH"),
    ]
    assert found["scanningConfigurations"][0]["repositoryArn"] == f"arn:aws:ecr:{REGION}:{account}:repository/team/app"
    assert found["scanningConfigurations"][0]["appliedScanFilters"] == rule("", "team/*")["repositoryFilters"]
    assert found["failures"] == [
        {
            "repositoryName": "none",
            "failureCode": "REPOSITORY_NOT_FOUND",
            "failureReason": f"The repository with name 'none' does not exist in the registry with id '{account}'",
        }
    ]
    ecr.put_registry_scanning_configuration(scanType="BASIC")
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == BASIC


@pytest.mark.parametrize(
    "wanted",
    [
        {"scanType": "BASIC", "rules": [rule("CONTINUOUS_SCAN", "*")]},
        {"scanType": "ENHANCED", "rules": [rule("MANUAL", "*")]},
        {"scanType": "BASIC", "rules": [rule("SCAN_ON_PUSH", "a"), rule("SCAN_ON_PUSH", "b")]},
        {"scanType": "BASIC", "rules": [rule("SCAN_ON_PUSH", "A")]},
        {"scanType": "THOROUGH"},
    ],
)
def test_rules_that_make_no_sense_are_refused(wanted: dict[str, Any], registry: RunningRegistry) -> None:
    code, message = refusal(registry.ecr.put_registry_scanning_configuration, **wanted)
    assert code == "InvalidParameterException"
    assert "failed to satisfy constraint" in message


def test_who_may_only_read_puts_none(registry: RunningRegistry) -> None:
    office = Office(registry)
    reader = office.client("ecr", office.user("scan-reader", "AmazonEC2ContainerRegistryReadOnly"))
    assert refusal(reader.put_registry_scanning_configuration, **BASIC)[0] == "AccessDeniedException"
