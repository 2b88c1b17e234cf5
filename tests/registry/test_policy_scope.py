"""How far a registry's policy reaches, by the account setting REGISTRY_POLICY_SCOPE."""

from __future__ import annotations

from typing import Any

import pytest

from portside.core.errors import AccessDenied, InvalidParameter
from portside.core.records import RepositorySettings
from tests.registry.house import APP, HOME, STRANGER, House
from tests.registry.iam_house import document

EVERYTHING = f"arn:aws:ecr:{HOME.region}:{HOME.account}:*"


def grant(action: Any) -> str:
    return document(action, Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"}, Resource=EVERYTHING)


async def narrow(house: House, scope: str = "V1") -> None:
    await house.registry.settings.put(house.caller, HOME, "REGISTRY_POLICY_SCOPE", scope)


async def put(house: House, text: str) -> None:
    await house.registry.policies.put_of_registry(house.caller, HOME, text)


async def test_a_policy_of_version_one_says_nothing_of_other_actions(house: House) -> None:
    await house.create()
    await put(house, grant(["ecr:ListImages", "ecr:CreateRepository"]))
    tags = house.registry.images.tags
    assert (await tags(house.stranger, APP, after="", limit=1)).items == []
    await narrow(house)
    with pytest.raises(AccessDenied):
        await tags(house.stranger, APP, after="", limit=1)
    await house.registry.repositories.create(house.stranger, HOME.repository("given"), RepositorySettings())
    await narrow(house, "V2")
    assert (await tags(house.stranger, APP, after="", limit=1)).items == []


@pytest.mark.parametrize("action", ["ecr:ListImages", "ecr:*", "*", ["ecr:CreateRepository", "ecr:PutImage"]])
async def test_version_one_takes_no_policy_of_other_actions(house: House, action: Any) -> None:
    await narrow(house)
    with pytest.raises(InvalidParameter, match="Invalid registry policy provided"):
        await put(house, grant(action))
    await put(house, grant(["ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ECR:createrepository"]))
    await narrow(house, "V2")
    await put(house, grant(action))
