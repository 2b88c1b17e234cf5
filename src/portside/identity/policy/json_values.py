"""JSON values that a policy's author chose, taken for what the grammar wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from portside.identity.policy.errors import PolicyError


def members(value: Any, what: str) -> Mapping[str, Any]:
    """An object's members; raises PolicyError, calling the value `what`."""
    if not isinstance(value, dict):
        raise PolicyError(f"{what} must be an object")
    return cast("dict[str, Any]", value)


def listed(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]
