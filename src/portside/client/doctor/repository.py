"""Prerequisite 2: the repository's URI. Well-formed, of the right region, and there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from portside.client.doctor.findings import Finding, good, note, skipped
from portside.client.hosts import ecr_host
from portside.remote.references import Reference

TOPIC = "repository"


def check(
    reference: Callable[[], Reference], region: str | None, describe: Callable[[Reference], str | None]
) -> Iterator[Finding]:
    """`describe`: what the API says of the repository; None for a registry without an API. Any may raise."""
    place = reference()
    yield good(TOPIC, f"{place.name} is well-formed")
    amazon = ecr_host(place.host)
    if amazon is not None and region is not None and amazon.region != region:
        told = f"it lies in {amazon.region}, and your profile's region is {region}"
        yield note(TOPIC, told, f"portside uses {amazon.region} for it; other tools need --region {amazon.region}")
    described = describe(place)
    if described is None:
        yield skipped(TOPIC, f"{place.host} has no ECR API to ask")
    else:
        yield good(TOPIC, described)
