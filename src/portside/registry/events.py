"""Events: what is announced of a change, in EventBridge's shape (ecr-behaviour 11.1).

Law: an event is a row of the unit that makes the change. It is there when the change is, and not otherwise.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portside.core.names import RegistryId, RepositoryId, Tag
from portside.core.records import Image
from portside.core.times import instant
from portside.storage.metadata.port import Metadata, Unit

_IMAGE, _REFERRER = "ECR Image Action", "ECR Referrer Action"
_SCAN_RESOURCE = "ECR Scan Resource Change"
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an image, or to how repositories are scanned."""

    type: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FrequencyChange:
    """A repository is scanned more often than before, or less."""

    repository: RepositoryId
    frequency: str
    previous: str


def pushed(repository: RepositoryId, image: Image, tag: Tag | None) -> Event:
    """A manifest was put, under this tag."""
    return _tagged(repository, image, "PUSH", tag)


def deleted(repository: RepositoryId, image: Image, tag: Tag | None) -> Event:
    """A tag was removed, or an image that had none."""
    return _tagged(repository, image, "DELETE", tag)


def deleted_all(repository: RepositoryId, image: Image) -> list[Event]:
    """An image was removed with its tags: an event for each."""
    return [deleted(repository, image, tag) for tag in image.tags or (None,)]


def archived(repository: RepositoryId, image: Image) -> Event:
    """An image went to the archive."""
    return _moved(repository, image, "ARCHIVE")


def restored(repository: RepositoryId, image: Image, at: int) -> Event:
    """An image came back from the archive."""
    event = _moved(repository, image, "STANDARD")
    fraction = f"{at % _SECOND:06}".rstrip("0") or "0"
    event.detail["last-activated-at"] = f"{instant(at)[:-1]}.{fraction}Z"
    return event


def scanned_otherwise(changes: Sequence[FrequencyChange]) -> Event:
    """Enhanced scanning looks at these repositories more often than before, or less."""
    repositories = [
        {
            "repository-name": change.repository.name,
            "repository-arn": change.repository.arn,
            "scan-frequency": change.frequency,
            "previous-scan-frequency": change.previous,
        }
        for change in changes
    ]
    detail = {
        "action-type": "SCAN_FREQUENCY_CHANGE",
        "repositories": repositories,
        "resource-type": "REPOSITORY",
        "scan-type": "ENHANCED",
    }
    return Event(_SCAN_RESOURCE, detail)


async def announce(unit: Unit, registry: RegistryId, at: int, events: Sequence[Event]) -> None:
    """Write events into the unit that makes the changes they tell of."""
    await unit.events.add(registry, at, [_written(registry, at, event) for event in events])


def _tagged(repository: RepositoryId, image: Image, action: str, tag: Tag | None) -> Event:
    detail: dict[str, Any] = {
        "result": "SUCCESS",
        "repository-name": repository.name,
        "image-digest": str(image.digest),
        "action-type": action,
    }
    if tag is not None:
        detail["image-tag"] = str(tag)
    if image.subject is None:
        return Event(_IMAGE, detail)
    return Event(_REFERRER, detail | _media_types(image))


def _moved(repository: RepositoryId, image: Image, storage_class: str) -> Event:
    detail = {
        "action-type": "UPDATE_STORAGE_CLASS",
        "target-storage-class": storage_class,
        "image-digest": str(image.digest),
        "repository-name": repository.name,
        "result": "SUCCESS",
        **_media_types(image),
    }
    return Event(_IMAGE if image.subject is None else _REFERRER, detail)


def _media_types(image: Image) -> dict[str, str]:
    artifact = {} if image.artifact_type is None else {"artifact-media-type": image.artifact_type}
    return {"manifest-media-type": image.media_type, **artifact}


def _written(registry: RegistryId, at: int, event: Event) -> str:
    document: dict[str, Any] = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.type,
        "source": "aws.ecr",
        "account": registry.account,
        "time": instant(at),
        "region": registry.region,
        "resources": [],
        "detail": event.detail,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# --- following them -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Follower:
    """Reads events as they come, each once, in the order of the units that wrote them."""

    metadata: Metadata
    page: int = 500
    _unit: int = -1
    _number: int = 0

    async def begin(self, last: int = 0) -> None:
        """Follow from now on, and give so many from before."""
        async with self.metadata.reading() as unit:
            rows = await unit.events.newest(last + 1)
        if len(rows) > last:
            self._unit, self._number = rows[last].unit, rows[last].number

    async def more(self) -> list[str]:
        """The JSON of events that were not given before; none when there are none yet."""
        async with self.metadata.reading() as unit:
            rows = await unit.events.after(self._unit, self._number, self.page)
        if rows:
            self._unit, self._number = rows[-1].unit, rows[-1].number
        return [row.document for row in rows]


async def prune(metadata: Metadata, clock: Callable[[], int], kept_for: int, batch: int = 1000) -> int:
    """Remove events older than `kept_for` microseconds, some at a time; how many."""
    removed = 0
    while True:
        async with metadata.writing(durable=False) as unit:
            count = await unit.events.prune(clock() - kept_for, batch)
        removed += count
        if count < batch:
            return removed
