"""Times as documents carry them. Pure: a time is handed in, in microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(at: int) -> str:
    """Give a time to the second, as `2026-01-31T23:59:59Z`."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
