"""Lifecycle policies: put, shown, removed."""

from __future__ import annotations

import pytest

from portside.core.errors import InvalidParameter, RepositoryNotFound
from portside.core.settings_errors import LifecyclePolicyNotFound
from portside.storage.metadata.lifecycle import PolicyRow
from tests.registry.house import APP, House
from tests.registry.lifecycle.rules import KEEP_ONE, policy

SHOWN = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},'
    '"action":{"type":"expire"}}]}'
)


async def test_a_policy_is_shown_without_spaces(house: House) -> None:
    await house.create()
    policies = house.registry.lifecycle_policies
    assert await policies.put(house.caller, APP, policy(KEEP_ONE)) == SHOWN
    assert await policies.get(house.caller, APP) == PolicyRow(SHOWN, None)
    assert await policies.delete(house.caller, APP) == PolicyRow(SHOWN, None)
    for ask in (policies.get, policies.delete):
        with pytest.raises(LifecyclePolicyNotFound) as caught:
            await ask(house.caller, APP)
        assert caught.value.message == (
            "Lifecycle policy does not exist for the repository with name 'team/app' "
            "in the registry with id '123456789012'"
        )


async def test_what_is_no_policy_leaves_the_one_that_is_there(house: House) -> None:
    await house.create()
    policies = house.registry.lifecycle_policies
    await policies.put(house.caller, APP, policy(KEEP_ONE))
    with pytest.raises(InvalidParameter, match="Lifecycle policy validation failure"):
        await policies.put(house.caller, APP, "{}")
    assert (await policies.get(house.caller, APP)).document == SHOWN


async def test_a_missing_repository_has_no_policy(house: House) -> None:
    policies = house.registry.lifecycle_policies
    with pytest.raises(RepositoryNotFound):
        await policies.put(house.caller, APP, policy(KEEP_ONE))
    with pytest.raises(RepositoryNotFound):
        await policies.get(house.caller, APP)
    with pytest.raises(RepositoryNotFound):
        await policies.delete(house.caller, APP)
