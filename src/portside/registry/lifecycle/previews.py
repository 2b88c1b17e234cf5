"""Previews: what a policy would do now, worked out in the background and kept (ecr-behaviour 4.3).

A repository has one preview, the latest. One that cannot be finished has failed, and says so. Its maker says now and
then that it is at work; a preview of which nothing is heard, since its node or the database stopped, has failed too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from portside.core.lifecycle import policy
from portside.core.lifecycle.evaluation import Action
from portside.core.lifecycle.grammar import read
from portside.core.names import ImageId, RepositoryId
from portside.core.records import Repository
from portside.core.settings_errors import (
    LifecyclePolicyNotFound,
    LifecyclePolicyPreviewInProgress,
    LifecyclePolicyPreviewNotFound,
)
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.archiving import ARCHIVE, ARCHIVED
from portside.registry.content import until_done
from portside.registry.lifecycle.evaluator import Evaluator
from portside.registry.lifecycle.snapshot import candidates
from portside.registry.listing import Listing, PageTokens
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.errors import StorageError
from portside.storage.metadata.port import Unit
from portside.storage.metadata.previews import PreviewRow

_log = structlog.get_logger()
IN_PROGRESS, COMPLETE, EXPIRED, FAILED = "IN_PROGRESS", "COMPLETE", "EXPIRED", "FAILED"
_SECOND = 1_000_000
_SILENT = 30 * _SECOND
"""The waiter of the AWS SDKs gives a preview 100 seconds: time enough to start another one."""
_BEAT = 5.0
"""Seconds from one sign of life to the next."""
_KEPT = 24 * 3600 * _SECOND
_BATCH = 500
_LOOKED_AT = 10
"""Times a page's results that are looked at for one: a page may be short, and what it costs is bounded."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview as it stands, and a page of what it found."""

    row: PreviewRow
    results: Listing[dict[str, Any]]


class LifecyclePreviews:
    """The latest preview of every repository."""

    def __init__(
        self,
        stores: Stores,
        access: Access,
        pages: PageTokens,
        *,
        evaluator: Evaluator | None = None,
        beat: float = _BEAT,
    ) -> None:
        """`beat`: seconds from one sign of life of a preview in progress to the next."""
        self._metadata = stores.metadata
        self._evaluator = evaluator or Evaluator()
        self._beat = beat
        self._clock = stores.clock
        self._access = access
        self._pages = pages
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, caller: Caller, repository: RepositoryId, text: str | None) -> PreviewRow:
        """Begin to work out what a policy, the repository's own unless one is given, would do now.

        Raises InvalidParameter, LifecyclePolicyNotFound and LifecyclePolicyPreviewInProgress.
        """
        await self._access.repository(caller, "ecr:StartLifecyclePolicyPreview", repository)
        if text is not None:
            read(text)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            standing = await unit.previews.find(held.key)
            if standing is not None and self._aged(standing).status == IN_PROGRESS:
                raise LifecyclePolicyPreviewInProgress(repository)
            now = self._clock()
            row = PreviewRow(str(uuid.uuid4()), text or await _own(unit, held), IN_PROGRESS, now, now)
            await unit.previews.start(held.key, row)
        task = asyncio.get_running_loop().create_task(self._make(held, row), name="lifecycle preview")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return row

    async def get(
        self,
        caller: Caller,
        repository: RepositoryId,
        wanted: Sequence[ImageId],
        *,
        tag_status: str,
        limit: int,
        token: str | None,
    ) -> Preview:
        """A repository's preview with what it found of some images, or a page of all that it found.

        Raises LifecyclePolicyPreviewNotFound.
        """
        await self._access.repository(caller, "ecr:GetLifecyclePolicyPreview", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = await unit.previews.find(held.key)
            if found is None:
                raise LifecyclePolicyPreviewNotFound(repository)
            row = self._aged(found)
            query = f"preview\n{repository.arn}\n{row.id}\n{tag_status}"
            after = self._pages.open(query, token)[0] if token else -1
            if row.status != COMPLETE:
                return Preview(row, Listing([], None))
            if wanted:
                return Preview(row, Listing(await _named(unit, held, row, wanted, tag_status), None))
            return Preview(row, await self._page(unit, held, row, query, after, tag_status, limit))

    async def close(self) -> None:
        """Give up what is in progress."""
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            await until_done(task)

    async def _page(  # noqa: PLR0917 - a page's place
        self, unit: Unit, held: Repository, row: PreviewRow, query: str, after: int, tag_status: str, limit: int
    ) -> Listing[dict[str, Any]]:
        shown: list[dict[str, Any]] = []
        for _ in range(_LOOKED_AT):
            results = await unit.previews.results(held.key, row.id, after, limit)
            for number, text in results:
                if len(shown) == limit:
                    return Listing(shown, self._pages.seal(query, [after]))
                after = number
                result = json.loads(text)
                if _is_asked(result, tag_status):
                    shown.append(result)
            if len(results) < limit:
                return Listing(shown, None)
        return Listing(shown, self._pages.seal(query, [after]))

    def _aged(self, row: PreviewRow) -> PreviewRow:
        """The preview as its age makes it."""
        now = self._clock()
        if row.status == IN_PROGRESS and now - row.alive_at > _SILENT:
            return replace(row, status=FAILED)
        if row.status == COMPLETE and now - row.started_at > _KEPT:
            return replace(row, status=EXPIRED)
        return row

    async def _make(self, held: Repository, row: PreviewRow) -> None:
        living = asyncio.get_running_loop().create_task(self._live(held, row))
        try:
            await self._work_out(held, row)
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                _log.error("lifecycle preview failed", repository=held.id.arn, exc_info=True)
            # Should the database be gone, the preview fails by its silence.
            with contextlib.suppress(StorageError):
                await self._end(held, row, FAILED, 0, 0)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            living.cancel()
            await until_done(living)

    async def _live(self, held: Repository, row: PreviewRow) -> None:
        """Give signs of life as long as a preview is made."""
        while True:
            await asyncio.sleep(self._beat)
            with contextlib.suppress(StorageError):
                async with self._metadata.writing(durable=False) as unit:
                    await unit.previews.alive(held.key, row.id, self._clock())

    async def _work_out(self, held: Repository, row: PreviewRow) -> None:
        await self._forget_older(held, row)
        images = await candidates(self._metadata, held)
        outcome = await self._evaluator.evaluate(read(row.policy), images, row.started_at)
        for first in range(0, len(outcome.actions), _BATCH):
            if not await self._keep(held, row, first, outcome.actions[first : first + _BATCH]):
                return
        await self._end(held, row, COMPLETE, outcome.expiring, outcome.transitioning)

    async def _end(self, held: Repository, row: PreviewRow, status: str, expiring: int, transitioning: int) -> None:
        async with self._metadata.writing() as unit:
            await unit.previews.end(held.key, row.id, status, expiring, transitioning)

    async def _forget_older(self, held: Repository, row: PreviewRow) -> None:
        """Remove what previews before found, some at a time."""
        while True:
            async with self._metadata.writing(durable=False) as unit:
                if await unit.previews.forget(held.key, row.id, _BATCH) < _BATCH:
                    return

    async def _keep(self, held: Repository, row: PreviewRow, first: int, actions: Sequence[Action]) -> bool:
        """Keep a part of what was found; False when another preview has taken this one's place."""
        async with self._metadata.writing() as unit:
            now = await unit.repositories.lock(held.id)
            standing = None if now is None else await unit.previews.find(held.key)
            if standing is None or standing.id != row.id:
                return False
            results = [(one.image.digest, _written(one)) for one in actions]
            await unit.previews.add_results(held.key, row.id, first, results)
        return True


async def _own(unit: Unit, held: Repository) -> str:
    found = await unit.lifecycle.find(held.key)
    if found is None:
        raise LifecyclePolicyNotFound(held.id)
    return found.document


async def _named(
    unit: Unit, held: Repository, row: PreviewRow, wanted: Sequence[ImageId], tag_status: str
) -> Sequence[dict[str, Any]]:
    """What was found of these images; those that the policy leaves alone are not in it."""
    found: dict[str, dict[str, Any]] = {}
    for asked in wanted:
        digest = asked.digest or (asked.tag and await unit.tags.find(held.key, asked.tag))
        text = await unit.previews.result(held.key, row.id, str(digest)) if digest else None
        if text is not None and _is_asked(result := json.loads(text), tag_status):
            found[str(digest)] = result
    return list(found.values())


def _is_asked(result: dict[str, Any], tag_status: str) -> bool:
    return tag_status == "ANY" or (tag_status == "TAGGED") == bool(result["tags"])


def _written(action: Action) -> str:
    image = action.image
    return json.dumps(
        {
            "digest": image.digest,
            "tags": list(image.tags),
            "pushed_at": image.pushed_at,
            "action": action.kind,
            "priority": action.rule.priority if action.rule else None,
            "storage_class": ARCHIVE if image.status == ARCHIVED else policy.STANDARD,
        },
        separators=(",", ":"),
    )
