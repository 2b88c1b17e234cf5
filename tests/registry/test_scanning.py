"""Putting a registry's scanning configuration, and what is told of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from portside.core.errors import InvalidParameter
from portside.core.names import RepositoryId
from portside.registry.scan_rules import ScanningConfiguration, ScanRule
from tests.registry.house import ACCOUNT, HOME, REGION, House

BASIC, ENHANCED = ScanningConfiguration(), ScanningConfiguration("ENHANCED")
TEAM, OTHER = HOME.repository("team/app"), HOME.repository("other")


def enhanced(frequency: str, *filters: str) -> ScanningConfiguration:
    return ScanningConfiguration("ENHANCED", (ScanRule(frequency, filters),))


async def put(house: House, *configurations: ScanningConfiguration) -> None:
    for configuration in configurations:
        await house.registry.scanning.put(house.caller, HOME, configuration)


async def events(house: House) -> list[dict[str, Any]]:
    async with house.stores.metadata.reading() as unit:
        return [json.loads(row.document) for row in await unit.events.after(-1, 0, 100)]


async def told(house: House) -> list[dict[str, tuple[str, str]]]:
    """Of each event, every repository's frequency before and now."""
    return [
        {
            one["repository-name"]: (one["previous-scan-frequency"], one["scan-frequency"])
            for one in event["detail"]["repositories"]
        }
        for event in await events(house)
    ]


@pytest.fixture
async def two(house: House) -> House:
    await house.create(TEAM)
    await house.create(OTHER, scan_on_push=True)
    return house


async def test_another_frequency_is_told_in_eventbridges_shape(two: House) -> None:
    await put(two, enhanced("SCAN_ON_PUSH", "*"), enhanced("CONTINUOUS_SCAN", "team/*"))
    event = (await events(two))[-1]
    assert (event["detail-type"], event["source"], event["resources"]) == ("ECR Scan Resource Change", "aws.ecr", [])
    assert (event["account"], event["region"], event["time"]) == (ACCOUNT, REGION, "2026-09-21T14:13:20Z")
    assert event["detail"] == {
        "action-type": "SCAN_FREQUENCY_CHANGE",
        "repositories": [
            {
                "repository-name": "other",
                "repository-arn": OTHER.arn,
                "scan-frequency": "MANUAL",
                "previous-scan-frequency": "SCAN_ON_PUSH",
            },
            {
                "repository-name": "team/app",
                "repository-arn": TEAM.arn,
                "scan-frequency": "CONTINUOUS_SCAN",
                "previous-scan-frequency": "SCAN_ON_PUSH",
            },
        ],
        "resource-type": "REPOSITORY",
        "scan-type": "ENHANCED",
    }


async def test_only_repositories_whose_frequency_changes_are_told_of(two: House) -> None:
    await put(two, ENHANCED, ENHANCED, enhanced("CONTINUOUS_SCAN", "*"), enhanced("CONTINUOUS_SCAN", "other"))
    assert await told(two) == [
        {"other": ("SCAN_ON_PUSH", "CONTINUOUS_SCAN"), "team/app": ("MANUAL", "CONTINUOUS_SCAN")},
        {"team/app": ("CONTINUOUS_SCAN", "MANUAL")},
    ]


async def test_basic_scanning_tells_nothing_and_what_it_came_to_is_what_was_before(two: House) -> None:
    await put(two, BASIC, ScanningConfiguration("BASIC", (ScanRule("SCAN_ON_PUSH", ("*",)),)))
    assert await told(two) == []
    await put(two, enhanced("SCAN_ON_PUSH", "team/*"), BASIC)
    assert await told(two) == [{"other": ("SCAN_ON_PUSH", "MANUAL")}]


async def test_a_configuration_that_is_refused_tells_nothing(two: House) -> None:
    with pytest.raises(InvalidParameter):
        await put(two, enhanced("MANUAL", "*"))
    assert await told(two) == []


async def test_of_many_repositories_an_event_tells_of_a_hundred(house: House) -> None:
    names = [f"team/app-{number:03}" for number in range(250)]
    for name in names:
        await house.create(HOME.repository(name))
    await house.create(RepositoryId(ACCOUNT, "us-east-1", "elsewhere"))
    await put(house, ENHANCED)
    found = await told(house)
    assert [len(one) for one in found] == [100, 100, 50]
    assert [name for one in found for name in one] == names


async def test_of_two_configurations_at_once_the_later_tells_what_changes_after_the_other(two: House) -> None:
    await asyncio.gather(put(two, enhanced("SCAN_ON_PUSH", "*")), put(two, enhanced("CONTINUOUS_SCAN", "*")))
    of_team = [one["team/app"] for one in await told(two)]
    assert of_team[0][0] == "MANUAL"
    assert of_team[1][0] == of_team[0][1]
    found = await two.registry.scanning.of_repositories(two.caller, HOME, [TEAM.name])
    assert [scanning.frequency for _, scanning in found if scanning] == [of_team[1][1]]


async def test_others_have_their_turn_while_repositories_are_looked_at(house: House) -> None:
    for number in range(120):
        await house.create(HOME.repository(f"team/app-{number:03}"))
    putting = asyncio.create_task(put(house, ENHANCED))
    turns = 0
    while not putting.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 120 / 10
    assert [len(one) for one in await told(house)] == [100, 20]
