"""What can go wrong with images that pushes and plain pulls do not meet, one class per thing.

They are failures like those of core/errors.py, in a module of their own because that one is long enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portside.core.errors import RegistryError

if TYPE_CHECKING:
    from portside.core.digest import Digest
    from portside.core.names import RepositoryId


class ImageStorageClassUpdateNotSupported(RegistryError):
    """The image cannot go to the storage class: it is there already, or an index that is not archived lists it."""

    def __init__(self, repository: RepositoryId, digest: Digest, reason: str) -> None:
        super().__init__(
            f"The storage class of the image with digest '{digest}' in the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}' cannot be updated because {reason}"
        )


class LayerArchived(RegistryError):
    """Every image that refers to the blob is archived, so it cannot be downloaded."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The layer with digest '{digest}' in the repository with name '{repository.name}' in the registry "
            f"with id '{repository.account}' is not accessible because every image that refers to it is archived"
        )
