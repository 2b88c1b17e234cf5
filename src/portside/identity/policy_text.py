"""How ECR writes a policy back: two spaces a level, ` : ` after a name, lists on one line (iam-behaviour 3.4).

The caller's order of members stays. Short account ids become the ARN of the account's root, a list of one principal
becomes that one; nothing of the meaning changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

_ACCOUNT = re.compile(r"[0-9]{12}")
_STEP = "  "


def normalised(document: str) -> str:
    """A policy, which is valid JSON, as ECR shows it."""
    found: dict[str, Any] = json.loads(document)
    listed = found["Statement"]
    for statement in cast("list[dict[str, Any]]", listed if isinstance(listed, list) else [listed]):
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element)
            if isinstance(named, dict):
                statement[element] = {kind: _principals(value) for kind, value in cast("dict[str, Any]", named).items()}
    return _written(found, "")


def _principals(value: Any) -> Any:
    if isinstance(value, list):
        found = [_principals(item) for item in cast("list[Any]", value)]
        return found[0] if len(found) == 1 else found
    return f"arn:aws:iam::{value}:root" if isinstance(value, str) and _ACCOUNT.fullmatch(value) else value


def _written(value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        if not members:
            return "{ }"
        inner = indent + _STEP
        rows = [f"{inner}{_scalar(key)} : {_written(item, inner)}" for key, item in members.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list):
        items = [_written(item, indent) for item in cast("list[Any]", value)]
        return f"[ {', '.join(items)} ]" if items else "[ ]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
