"""Referrers: the manifests that name another one as their subject, such as its signatures.

Law: a page costs the same however many there are. Rows come by an index, and as many manifests are opened as the page
shows, none of which need be held at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from portside.core import manifests
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.names import RepositoryId
from portside.core.records import Image, Repository
from portside.identity.box import BoxError
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.listing import Listing, PageTokens
from portside.registry.repositories import find
from portside.registry.stores import Stores
from portside.storage.errors import KeyDisabled
from portside.storage.metadata.port import Unit

_log = structlog.get_logger()
_MOST_BYTES = manifests.MAXIMUM_SIZE
"""Bytes of manifests that stand behind one page: clients read an index of no more (OCI distribution-spec, Pushing
Manifests)."""


@dataclass(frozen=True, slots=True)
class Referrer:
    """A manifest, and what it says of itself."""

    image: Image
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Referring:
    """A page of referrers; whether there are more after its last."""

    items: Sequence[Referrer]
    more: bool


class Referrers:
    """The referrers of every manifest here, and of manifests that nobody has pushed yet."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens) -> None:
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._access = access
        self._pages = pages

    async def page(
        self,
        caller: Caller,
        repository: RepositoryId,
        subject: Digest,
        *,
        artifact_type: str | None,
        after: str,
        limit: int,
    ) -> Referring:
        """At most `limit` referrers in order of digest, from after one ('' for the first); none of an unknown subject.

        Asks for BatchGetImage, as ECR does (ecr-behaviour 1.10). Raises RepositoryNotFound.
        """
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            rows = await unit.manifests.referrers(held.key, subject, artifact_type, after, limit + 1)
        shown = _fitting(rows[:limit])
        items = [Referrer(image, await self._annotations(held, image)) for image in shown]
        return Referring(items, more=len(shown) < len(rows))

    async def listing(
        self,
        caller: Caller,
        repository: RepositoryId,
        subject: Digest,
        *,
        artifact_types: Sequence[str],
        status: str,
        limit: int,
        token: str | None,
    ) -> Listing[Referrer]:
        """The API's page: at most `limit` referrers of these types, or of any, in order of digest.

        `status` is an image's or ANY. Raises RepositoryNotFound. As ECR has it, whoever may pull images may ask
        (ecr-behaviour 1.10).
        """
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        types = sorted(set(artifact_types))
        query = "\n".join(["referrers", repository.arn, str(subject), status, *types])
        after = str(self._pages.open(query, token)[0]) if token else ""
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            rows = [
                row
                for one in types or [None]
                for row in await unit.manifests.referrers(held.key, subject, one, after, limit + 1, status=status)
            ]
        rows.sort(key=lambda row: str(row.digest))
        shown = _fitting(rows[:limit])
        items = [Referrer(image, await self._annotations(held, image)) for image in shown]
        more = self._pages.seal(query, [str(shown[-1].digest)]) if len(shown) < len(rows) else None
        return Listing(items, more)

    async def _annotations(self, held: Repository, image: Image) -> dict[str, str]:
        """What the stored manifest is annotated with; nothing when it does not open, or has just been deleted.

        A list of a hundred signatures is not lost for one that is damaged: who fetches that one is told. What there is
        is no content, so that it is listed while the repository's key is disabled, too.
        """
        async with self._metadata.reading() as unit:
            sealed = await _sealed(unit, held, image)
        if sealed is None:
            return {}
        try:
            content = (await self._keys.key(held.content_key)).box.open(sealed, str(image.digest).encode())
            return manifests.annotations_of(content)
        except KeyDisabled:
            return {}
        except (BoxError, InvalidParameter):
            _log.error("manifest damaged", digest=str(image.digest), repository=held.id.arn)
            return {}


async def _sealed(unit: Unit, held: Repository, image: Image) -> bytes | None:
    stored = await unit.manifests.content(held.key, image.digest)
    return None if stored is None else stored[1]


def _fitting(rows: Sequence[Image]) -> Sequence[Image]:
    """As many from the first on as one answer may hold; always one."""
    total = 0
    for count, image in enumerate(rows):
        total += image.size
        if count and total > _MOST_BYTES:
            return rows[:count]
    return rows
