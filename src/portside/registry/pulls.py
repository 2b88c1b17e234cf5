"""When images were last pulled: written behind, in batches, so that no pull waits for it.

ECR promises the time of the last pull within 24 hours (ecr-behaviour 1.4); here an hour may pass between two records,
and a crash may lose those of the last second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from portside.core.digest import Digest
from portside.core.records import Image
from portside.storage.errors import StorageError
from portside.storage.metadata.port import Metadata

_log = structlog.get_logger()
_GRAIN = 3600 * 1_000_000
"""A pull is recorded when the last recorded one is older than this."""
_DELAY = 1.0


class Pulls:
    """The pulls that are not recorded yet."""

    def __init__(self, metadata: Metadata, clock: Callable[[], int]) -> None:
        self._metadata = metadata
        self._clock = clock
        self._noted: dict[tuple[int, Digest], int] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, repository: int, image: Image) -> None:
        """An image of the repository with this key was pulled now."""
        now = self._clock()
        if image.last_pull_at is not None and now - image.last_pull_at <= _GRAIN:
            return
        self._noted[repository, image.digest] = now
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def flush(self) -> None:
        """Record what was noted; called when the server ends."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            async with self._metadata.writing(durable=False) as unit:
                for (repository, digest), at in noted.items():
                    await unit.manifests.pulled(repository, digest, at)
        except StorageError as error:
            # A full disk stops pushes, not pulls.
            _log.warning("pull times not recorded", count=len(noted), reason=error.message)

    async def close(self) -> None:
        """Record what was noted, and wait for nothing more."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        await self.flush()

    async def _write_soon(self) -> None:
        await asyncio.sleep(_DELAY)
        self._writing = None
        await self.flush()
