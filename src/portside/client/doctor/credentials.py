"""Prerequisite 1: AWS credentials. Which source, who they are, when they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from portside.client.aws import Found
from portside.client.doctor.findings import Finding, good, note

TOPIC = "AWS credentials"
_SOON = timedelta(minutes=15)


def check(found: Callable[[], Found], identity: Callable[[], str], now: datetime | None = None) -> Iterator[Finding]:
    """`found`: where the credentials come from; `identity`: the ARN that they are, as STS says it. Either may raise."""
    source = found()
    shown = f"{source.access_key[:4]}…{source.access_key[-4:]} from {source.source}"
    yield good(TOPIC, shown)
    if source.expires is not None:
        left = source.expires - (now or datetime.now(UTC))
        ends = f"they end at {source.expires:%Y-%m-%d %H:%M} UTC"
        yield good(TOPIC, ends) if left > _SOON else note(TOPIC, ends, "renew them before a long push")
    yield good(TOPIC, f"you are {identity()}")
