"""What the start made: the answer of `wiring.prepare`, for the files and the words that tell people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AccessKeyPair:
    """An access key with its secret, which is shown once and never logged."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The state of storage before the first request."""

    created_account: bool
    """Whether this start made the account and its root key."""
    access_key: AccessKeyPair | None
    """The root key when the credentials file has to be written; None when it can stay as it is."""
    master_key_created: Path | None
    """The master key file that this start made."""
