"""How far a registry's policy reaches: every ECR action, or the three of version one (ecr-behaviour 10.5)."""

from __future__ import annotations

import json
from typing import Any

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
    statements: Any = json.loads(text)["Statement"]
    listed: list[dict[str, Any]] = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        actions: Any = statement.get("Action", ["*"])
        named: list[str] = actions if isinstance(actions, list) else [actions]
        if not all(map(reaches, named)):
            raise InvalidParameter("PolicyText", "Invalid registry policy provided")
