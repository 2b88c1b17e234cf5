"""How far a registry's policy reaches: every ECR action, or the three of version one (ecr-behaviour 10.5)."""

from __future__ import annotations

import json
from typing import Any, cast

from portside.core.errors import InvalidParameter
from portside.core.names import RegistryId
from portside.storage.metadata.port import Unit

SCOPE = "REGISTRY_POLICY_SCOPE"
"""The account setting; V2 until it is put."""
_OF_V1 = {"ecr:replicateimage", "ecr:batchimportupstreamimage", "ecr:createrepository"}


async def is_narrow(unit: Unit, registry: RegistryId) -> bool:
    """Whether the registry's policy is one of the first version."""
    return await unit.settings.value(registry, SCOPE) == "V1"


def reaches(action: str) -> bool:
    """Whether a policy of the first version has a say about an action."""
    return action.lower() in _OF_V1


def must_be_narrow(text: str) -> None:
    """Refuse a policy, which is one, that says anything of other actions; raises InvalidParameter."""
    for statement in _listed(json.loads(text)["Statement"]):
        if not all(map(reaches, _listed(statement.get("Action", "*")))):
            raise InvalidParameter("PolicyText", "Invalid registry policy provided")


def _listed(found: Any) -> list[Any]:
    return cast("list[Any]", found) if isinstance(found, list) else [found]
