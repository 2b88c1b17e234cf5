"""What a lifecycle policy says, read (ecr-behaviour 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STANDARD, ARCHIVE = "STANDARD", "ARCHIVE"
"""Storage classes as the API writes them; a policy writes them in lower case."""
EXPIRE, TRANSITION = "EXPIRE", "TRANSITION"
IMAGE_COUNT, SINCE_PUSHED = "imageCountMoreThan", "sinceImagePushed"
SINCE_PULLED, SINCE_TRANSITIONED = "sinceImagePulled", "sinceImageTransitioned"
LEAST_DAYS_ARCHIVED = 90
"""Days that no policy deletes an archived image before (ecr-behaviour 10.3)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which images a rule identifies, which of them it marks, and what then becomes of them."""

    priority: int
    tag_status: str
    """tagged, untagged or any."""
    count_type: str
    count: int
    """Images that stay, or days that must have passed."""
    action: str = EXPIRE
    prefixes: Sequence[str] = ()
    patterns: Sequence[str] = ()
    """Each must fit one of an image's tags, not all the same one."""
    storage_class: str = STANDARD
    description: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in ascending order of priority, the number that says who comes first."""

    rules: Sequence[Rule]
