"""Rules that the tests of lifecycle policies put."""

from __future__ import annotations

import json
from typing import Any

DAY = 24 * 3600
KEEP_ONE: dict[str, Any] = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}
EXPIRE_UNTAGGED: dict[str, Any] = {
    "rulePriority": 2,
    "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
    "action": {"type": "expire"},
}
ARCHIVE_UNUSED: dict[str, Any] = {
    "rulePriority": 3,
    "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30},
    "action": {"type": "transition", "targetStorageClass": "archive"},
}


def policy(*rules: dict[str, Any]) -> str:
    """A policy as people write it."""
    return json.dumps({"rules": rules}, indent=2)
