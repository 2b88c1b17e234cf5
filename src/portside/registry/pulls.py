"""When images were last pulled.

ECR promises the time of the last pull within 24 hours (ecr-behaviour 1.4); here an hour may pass between two records,
and a crash may lose those of the last second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from portside.core.digest import Digest
from portside.core.records import Image
from portside.registry.behind import Behind
from portside.storage.metadata.port import Metadata, Unit

_GRAIN = 3600 * 1_000_000
"""A pull is recorded when the last recorded one is older than this."""


class Pulls:
    """The pulls that are not recorded yet."""

    def __init__(self, metadata: Metadata, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._behind = Behind(metadata, "pull times", _write)

    def is_due(self, image: Image) -> bool:
        """Whether a pull of this image now is worth a record."""
        return image.last_pull_at is None or self._clock() - image.last_pull_at > _GRAIN

    def note(self, repository: int, image: Image) -> None:
        """An image of the repository with this key, which is due, was pulled now."""
        self._behind.note((repository, image.digest), self._clock())

    async def flush(self) -> None:
        """Record what was noted; called when the server ends."""
        await self._behind.flush()

    async def close(self) -> None:
        """Record what was noted, and wait for nothing more."""
        await self._behind.close()


async def _write(unit: Unit, noted: Mapping[tuple[int, Digest], int]) -> None:
    for (repository, digest), at in noted.items():
        await unit.manifests.pulled(repository, digest, at)
