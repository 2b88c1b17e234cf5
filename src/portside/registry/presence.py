"""Telling a client that it need not send a layer: a promise that the layer stays until its manifest can be there.

Law: whoever was told "you have it" gets its manifest in. A layer that no image refers to goes after a grace time; one
that has used up a part of it begins anew in the unit of work that finds it, so that a sweep comes before the answer or
a good while after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from portside.core.digest import Digest
from portside.core.names import RepositoryId
from portside.core.records import Layer
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_FRACTION = 8
"""A layer is touched again after this part of the grace: seldom, and never late."""


async def present(stores: Stores, repository: RepositoryId, digests: Sequence[Digest]) -> list[Layer | None]:
    """Which of these the repository holds, by its rows; those stay for most of the grace time at the least."""
    now = stores.clock()
    before = now - stores.grace // _FRACTION
    async with stores.metadata.reading() as unit:
        key = (await find(unit, repository)).key
        layers = [await unit.layers.find(key, digest) for digest in digests]
        if not await _ageing(unit, key, layers, before):
            return layers
    # What a power failure undoes of this costs a client another push, and nothing that was acknowledged as kept.
    async with stores.metadata.writing(durable=False) as unit:
        key = (await lock(unit, repository)).key
        layers = [await unit.layers.find(key, digest) for digest in digests]
        for layer in layers:
            if layer is not None and not layer.referenced:
                await unit.garbage.renew(key, layer.digest, before, now)
        return layers


async def _ageing(unit: Unit, repository: int, layers: Sequence[Layer | None], before: int) -> bool:
    for layer in layers:
        if (
            layer is not None
            and not layer.referenced
            and await unit.garbage.is_ageing(repository, layer.digest, before)
        ):
            return True
    return False
