"""Storage's failures in the registry's words, for the edges of both planes."""

from __future__ import annotations

from portside.core.errors import ContentDamaged, RegistryError, StorageFull, Unavailable
from portside.core.kms_errors import KmsKeyDisabled
from portside.storage.errors import Damaged, KeyDisabled, NoSpace, StorageUnavailable


def in_registry_words(failure: Exception) -> RegistryError | None:
    """What a client is told of a failure; None for one that nobody foresaw."""
    match failure:
        case RegistryError():
            return failure
        case NoSpace():
            return StorageFull()
        case StorageUnavailable():
            return Unavailable()
        case KeyDisabled():
            return KmsKeyDisabled(failure.message)
        case Damaged():
            return ContentDamaged()
        case _:
            return None
