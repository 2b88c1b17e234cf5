"""What every noun of the registry works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from portside.registry.content import Threads
from portside.registry.pulls import Pulls
from portside.registry.recollection import Recollection
from portside.registry.rules import Rules
from portside.registry.uses import Uses
from portside.storage.blobs.port import BlobStore
from portside.storage.keys.ring import KeyRing
from portside.storage.metadata.port import Metadata

GRACE = 24 * 3600 * 1_000_000
"""Microseconds that content which nothing refers to is kept for, unless it is set otherwise."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports, chosen by the server's wiring, the clock, and the rules."""

    metadata: Metadata
    blobs: BlobStore
    keys: KeyRing
    threads: Threads
    clock: Callable[[], int]
    """Microseconds since 1970, UTC."""
    recollection: Recollection
    pulls: Pulls
    uses: Uses
    grace: int = GRACE
    """Microseconds."""
    rules: Rules = field(default_factory=Rules)
