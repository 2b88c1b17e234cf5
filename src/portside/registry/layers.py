"""Layers: what a repository holds of blobs, and reading them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import structlog

from portside.core.digest import Digest
from portside.core.errors import ContentDamaged, LayerInaccessible, LayerNotFound, LayerReferenced
from portside.core.image_errors import LayerArchived
from portside.core.names import RepositoryId
from portside.core.records import Layer, Repository
from portside.identity import tokens
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.content import PIECE, Piece, outlet
from portside.registry.presence import present
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.blobs.port import SEGMENT
from portside.storage.errors import Damaged, Missing

_log = structlog.get_logger()
_CROWD = 16
"""Readers at a time that are served in large pieces; what the others hold must be little, since they may be many."""
_SMALL_PIECE = 4 * SEGMENT


@dataclass(frozen=True, slots=True)
class LayerContent:
    """A layer that can be read; `read(start, stop)` raises ContentDamaged rather than give a wrong byte.

    It raises LayerNotFound or RepositoryNotFound when the layer went since, and its bytes with it.
    """

    layer: Layer
    read: Callable[[int, int], AsyncIterator[Piece]]


class Layers:
    """The layers of every repository here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._stores = stores
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._keys = stores.keys
        self._threads = stores.threads
        self._clock = stores.clock
        self._recollection = stores.recollection
        self._access = access
        self._reading = 0

    async def availability(
        self, caller: Caller, repository: RepositoryId, digests: Sequence[Digest]
    ) -> list[Layer | None]:
        """Which of these the repository holds, rows and bytes: what is said to be there is not pushed again."""
        await self._access.repository(caller, "ecr:BatchCheckLayerAvailability", repository)
        layers = await present(self._stores, repository, digests)
        return await self._threads.run(lambda: [layer if layer and self._stands(layer) else None for layer in layers])

    async def look(self, caller: Caller, repository: RepositoryId, digest: Digest) -> Layer:
        """One layer that can be read; raises LayerNotFound."""
        [layer] = await self.availability(caller, repository, [digest])
        if layer is None or layer.archived:
            raise LayerNotFound(repository, digest)
        return layer

    async def open(self, caller: Caller, repository: RepositoryId, digest: Digest) -> LayerContent:
        """A layer to read; raises LayerNotFound, and KeyDisabled."""
        held, layer = await self._readable(caller, repository, digest)
        if layer.archived:
            raise LayerNotFound(repository, digest)
        return LayerContent(layer, lambda start, stop: self._read(held, layer, start, stop))

    async def download_ticket(self, caller: Caller, repository: RepositoryId, digest: Digest) -> str:
        """A ticket for one hour.

        Raises LayerNotFound, LayerArchived, and LayerInaccessible while no image refers to the layer.
        """
        _, layer = await self._readable(caller, repository, digest)
        if layer.archived:
            raise LayerArchived(repository, digest)
        if not layer.referenced:
            raise LayerInaccessible(repository, digest)
        key = await self._keys.key_for("token")
        bearer = tokens.bearer_of(caller.principal, repository.region, self._clock() + tokens.TICKET_LIFETIME)
        return tokens.issue_ticket(key.box, bearer, repository, digest)

    async def delete(self, caller: Caller, repository: RepositoryId, digest: Digest) -> None:
        """Let a repository hold a layer no more; raises LayerNotFound, and LayerReferenced while an image refers to it.

        ECR has no such call, so the right to delete images is asked for. The bytes stay until nobody holds them.
        """
        await self._access.repository(caller, "ecr:BatchDeleteImage", repository)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            layer = await unit.layers.find(held.key, digest)
            if layer is None:
                raise LayerNotFound(repository, digest)
            if not await unit.layers.unlink(held.key, held.content_key, digest, self._clock()):
                raise LayerReferenced(repository, digest)

    def _stands(self, layer: Layer) -> bool:
        return self._blobs.holds(layer.location, layer.size)

    async def _readable(self, caller: Caller, repository: RepositoryId, digest: Digest) -> tuple[Repository, Layer]:
        await self._access.repository(caller, "ecr:GetDownloadUrlForLayer", repository)
        held, layer = await self._recollection.recall(
            ("layer", repository, digest), lambda: self._found(repository, digest)
        )
        # At every request: a KMS key may have been switched off. What reads afterwards finds the key opened.
        await self._keys.key(held.content_key)
        return held, layer

    async def _found(self, repository: RepositoryId, digest: Digest) -> tuple[Repository, Layer]:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            layer = await unit.layers.find(held.key, digest)
        if layer is None:
            raise LayerNotFound(repository, digest)
        return held, layer

    async def _read(self, held: Repository, layer: Layer, start: int, stop: int) -> AsyncIterator[Piece]:
        self._reading += 1
        piece = PIECE if self._reading <= _CROWD else _SMALL_PIECE
        try:
            async for data in outlet(
                self._blobs, self._threads, layer.location, layer.size, start=start, stop=stop, piece=piece
            ):
                yield data
        except Damaged as damage:
            if isinstance(damage, Missing):
                # It, or all of its repository, may have gone in between, or into the archive.
                _, found = await self._found(held.id, layer.digest)
                if found.archived:
                    raise LayerNotFound(held.id, layer.digest) from None
            _log.error("layer damaged", digest=str(layer.digest), repository=held.id.arn, reason=damage.message)
            if not isinstance(damage, Missing):
                # From now on the layer counts as missing, so that whoever pushes it again is asked for its bytes.
                # Bytes that are gone need no mark: `availability` sees it, and sees them when they are back.
                async with self._metadata.writing() as unit:
                    await unit.layers.damage(held.content_key, layer.digest, layer.location)
            raise ContentDamaged(layer.digest) from None
        finally:
            self._reading -= 1
