"""What storage says when it cannot do its work; the registry turns it into its own words (registry/failures.py)."""

from __future__ import annotations


class StorageError(Exception):
    """Storage could not do what it was asked; `message` says so in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StorageUnusable(StorageError):
    """The folder, the database or the key cannot be used as configured: an operator has to act."""


class NewerSchema(StorageUnusable):
    """The data was written by a newer version of Portside."""


class StorageUnavailable(StorageError):
    """The database or the store does not answer now."""


class NoSpace(StorageError):
    """The disk or the bucket takes no more."""


class KeyDisabled(StorageError):
    """An operator has switched off the KMS key that the content is sealed under; says nothing of the content."""

    def __init__(self, arn: str) -> None:
        super().__init__(f"{arn} is disabled.")
        self.arn = arn


class Damaged(StorageError):
    """Stored bytes are not what they were."""


class Missing(Damaged):
    """Stored bytes are gone, or not as many as they were: a look at the store tells, and one day they may be back."""
