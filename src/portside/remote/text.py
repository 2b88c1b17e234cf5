"""Reading JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any


def parse(content: bytes | str) -> Any:
    """What a document says. Raises ValueError for one that is no JSON, or nested without end."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
