"""Notes that are written behind, in batches, so that no request waits for them; a crash may lose those of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import structlog

from portside.storage.errors import StorageError
from portside.storage.metadata.port import Metadata, Unit

K = TypeVar("K")
V = TypeVar("V")
_log = structlog.get_logger()
_DELAY = 1.0


class Behind(Generic[K, V]):
    """Notes of one kind; a later one takes the place of an earlier one under the same key."""

    def __init__(self, metadata: Metadata, name: str, write: Callable[[Unit, Mapping[K, V]], Awaitable[None]]) -> None:
        self._metadata = metadata
        self._name = name
        self._write = write
        self._noted: dict[K, V] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, key: K, value: V) -> None:
        """Write this soon."""
        self._noted[key] = value
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def flush(self) -> None:
        """Write what was noted; called when the server ends."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            # Durably, and so in a thread, where nobody waits; it keeps the log short where nothing else is written.
            async with self._metadata.writing() as unit:
                await self._write(unit, noted)
        except StorageError as error:
            # A full disk stops pushes, not pulls.
            _log.warning(f"{self._name} not recorded", count=len(noted), reason=error.message)

    async def close(self) -> None:
        """Write what was noted, and wait for nothing more."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        await self.flush()

    async def _write_soon(self) -> None:
        await asyncio.sleep(_DELAY)
        self._writing = None
        await self.flush()
