"""Events: what is announced of a change, in EventBridge's shape (ecr-behaviour 11.1).

Law: an event is a row of the unit that makes the change. It is there when the change is, and not otherwise.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from portside.core.names import RegistryId, RepositoryId, Tag
from portside.core.records import Image
from portside.storage.metadata.port import Metadata, Unit

_IMAGE, _REFERRER = "ECR Image Action", "ECR Referrer Action"
_SECOND = 1_000_000
_LOOKED_AT_AGAIN = 1_000
"""Events before the newest one that was seen: of these another node may still be about to commit some."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an image."""

    type: str
    detail: dict[str, Any]


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
    event.detail["last-activated-at"] = f"{_instant(at)[:-1]}.{fraction}Z"
    return event


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
        "time": _instant(at),
        "region": registry.region,
        "resources": [],
        "detail": event.detail,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _instant(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // _SECOND))


# --- following them -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Follower:
    """Reads events as they come, each once.

    On PostgreSQL a unit may take a number and commit after one with a higher number did. So the last events are looked
    at again, and those that were seen are known by their number.
    """

    metadata: Metadata
    page: int = 500
    _newest: int = 0
    _seen: set[int] = field(default_factory=set[int])

    async def begin(self, last: int = 0) -> None:
        """Follow from now on, and give so many from before."""
        async with self.metadata.reading() as unit:
            self._newest = await unit.events.newest()
            rows = await unit.events.after(self._newest - _LOOKED_AT_AGAIN, _LOOKED_AT_AGAIN)
        self._seen = {row.number for row in rows[: max(len(rows) - last, 0)]}

    async def more(self) -> list[str]:
        """The JSON of events that were not given before; none when there are none yet."""
        found: list[str] = []
        after = max(self._newest - _LOOKED_AT_AGAIN, 0)
        while True:
            async with self.metadata.reading() as unit:
                rows = await unit.events.after(after, self.page)
            found += [row.document for row in rows if row.number not in self._seen]
            self._seen.update(row.number for row in rows)
            if len(rows) < self.page:
                break
            after = rows[-1].number
        self._newest = max(self._seen, default=self._newest)
        self._seen = {number for number in self._seen if number > self._newest - _LOOKED_AT_AGAIN}
        return found


async def prune(metadata: Metadata, clock: Callable[[], int], kept_for: int, batch: int = 1000) -> int:
    """Remove events older than `kept_for` microseconds, some at a time; how many."""
    removed = 0
    while True:
        async with metadata.writing(durable=False) as unit:
            count = await unit.events.prune(clock() - kept_for, batch)
        removed += count
        if count < batch:
            return removed
