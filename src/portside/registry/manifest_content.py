"""The bytes of manifests: sealed into their rows, and opened from them.

A manifest is bound to its digest by the seal: one that was changed, or put in another's place, does not open.
"""

from __future__ import annotations

from portside.core.digest import Digest
from portside.core.errors import ImageNotFound
from portside.core.names import ImageId
from portside.core.records import Repository
from portside.identity.box import BoxError
from portside.storage.errors import Damaged
from portside.storage.keys.ring import DataKey, KeyRing
from portside.storage.metadata.port import Unit


async def seal(keys: KeyRing, content_key: str, digest: Digest, content: bytes) -> bytes:
    """The form that a row keeps. Raises KeyDisabled."""
    return (await keys.key(content_key)).box.seal(content, str(digest).encode())


async def stored(unit: Unit, held: Repository, digest: Digest) -> bytes:
    """What a row keeps; raises ImageNotFound."""
    found = await unit.manifests.content(held.key, digest)
    if found is None:
        raise ImageNotFound(held.id, ImageId(digest=digest))
    return found[1]


async def opened(keys: KeyRing, held: Repository, digest: Digest, sealed: bytes) -> bytes:
    """The manifest's bytes; raises Damaged, and KeyDisabled. To fetch the key may take a unit of its own."""
    return _open(await keys.key(held.content_key), digest, sealed)


async def stands(keys: KeyRing, unit: Unit, held: Repository, digest: Digest) -> bool:
    """Whether the stored bytes are what they were; pushing them again replaces them when not.

    Under the key that has just sealed for the same repository: no unit of its own begins within `unit`.
    """
    try:
        _open(keys.given(held.content_key), digest, await stored(unit, held, digest))
    except Damaged:
        return False
    return True


def _open(key: DataKey, digest: Digest, sealed: bytes) -> bytes:
    try:
        return key.box.open(sealed, str(digest).encode())
    except BoxError:
        raise Damaged(f"The manifest {digest} does not authenticate.") from None
