"""What a policy is shown of a repository: every image, read by pages and not at one moment.

What is decided on it is looked at again before anything is done (`runs.py`).
"""

from __future__ import annotations

import asyncio

from portside.core.lifecycle.evaluation import Candidate
from portside.core.records import Repository
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.snapshot import Seen

_PAGE = 100
"""Images; each may have a thousand tags."""


async def candidates(metadata: Metadata, held: Repository) -> list[Candidate]:
    """Every image of a repository."""
    found: list[Candidate] = []
    after = ""
    while True:
        async with metadata.reading() as unit:
            page = await unit.snapshots.page(held.key, after, _PAGE)
        found += map(_candidate, page)
        if len(page) < _PAGE:
            return found
        after = found[-1].digest
        # SQLite answers on the event loop: others have their turn between two pages.
        await asyncio.sleep(0)


def _candidate(seen: Seen) -> Candidate:
    image, tags, parents = seen
    return Candidate(
        str(image.digest),
        image.pushed_at,
        tags,
        image.status,
        image.last_pull_at,
        image.archived_at,
        image.activated_at,
        parents,
        str(image.subject) if image.subject else None,
        image.bereft,
    )
