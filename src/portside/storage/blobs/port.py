"""The blob port: bytes at locations.

Rule: a blob store knows locations and bytes; it has never heard of a digest, a repository, a tag or an account. What a
location means is a row in the metadata.

Every call blocks; the registry makes them from worker threads, in pieces of about a mebibyte, so that no blob is held
whole. Errors: storage.errors.NoSpace, Damaged (content absent, cut short or altered), StorageUnavailable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SEGMENT = 64 * 1024
"""Bytes of one independently readable segment. Writes begin on a multiple of it."""

LOCATION = re.compile(r"[0-9a-z]{1,64}/[0-9a-f]{32}")
"""`<content key>/<random name>`: made by us, never from what a client sent."""


class BlobStore(Protocol):
    """Stages bytes, publishes them once, reads them by range."""

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        """Stage `data` at `offset`, a multiple of SEGMENT; only the `last` write may end between multiples.

        What was staged from `offset` on is replaced, so a write that failed is simply made again. Raises Missing when
        the bytes before `offset` are not staged (any more).
        """
        ...

    def publish(self, location: str, size: int) -> None:
        """Make the staged bytes durable under the location; every blob has had its last write, an empty one too.

        On return they survive a power failure. Publishing what is published already does nothing. Raises Damaged when
        what is staged does not hold `size` bytes.
        """
        ...

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes | bytearray:
        """Read `length` bytes of staged or published content at `offset`, a multiple of SEGMENT.

        `size` is the length of the whole, so that the store can tell when something is missing; None while the last
        write has not been made, and then only whole segments can be read.
        """
        ...

    def is_near(self, location: str, offset: int, length: int) -> bool:
        """Whether `read` would find these bytes in memory now; no promise. The only call that never waits itself."""
        ...

    def holds(self, location: str, size: int) -> bool:
        """Whether published content of this size stands at the location (its bytes are not read)."""
        ...

    def delete(self, location: str) -> None:
        """Remove whatever is staged or published there; nothing there is no error."""
        ...

    def check(self) -> None:
        """Raise StorageUnavailable or NoSpace when the store cannot take a write now.

        NoSpace comes before there is no room at all, here as from `write`: what a push writes to the metadata needs
        some, and so does whatever makes room.
        """
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Something that lies in a store, staged or published."""

    location: str
    size: int
    """Bytes that it takes there, which is more than its content where that is sealed."""
    modified_at: int
    """When it was last written, in microseconds since 1970 by the store's clock."""


class Inventory(Protocol):
    """What lies in a store: for the sweep and the scrub, which no request waits for."""

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        """What lies at up to `limit` locations that sort after this one, in their order ('' for the first).

        Fewer than `limit` are the last. What comes or goes meanwhile may be among them or not.
        """
        ...

    def set_aside(self, location: str) -> None:
        """Move published content to where it is neither read nor listed, for people to look at.

        Nothing there is no error.
        """
        ...


class InventoriedBlobs(BlobStore, Inventory, Protocol):
    """A blob store that knows what lies in it."""


class Tier(InventoriedBlobs, Protocol):
    """A store that takes copies of another one's content."""

    def place(self, staged: str, location: str, size: int) -> None:
        """Publish under `location` what is staged under another one, in place of what is published there.

        Otherwise as `publish`. So that two who copy the same content never write to the same bytes.
        """
        ...


class Tiers(Protocol):
    """Content in two places: the main one, where it is written, and the archive. Reading looks in both.

    `size` are the bytes that the content takes in the store, more than its own where it is sealed.
    """

    def copy(self, location: str, size: int, *, to_archive: bool) -> None:
        """Copy durably to the archive, or back from it; what was copied before is copied again.

        Raises Missing when it is not where it would be copied from.
        """
        ...

    def drop(self, location: str, size: int, *, from_archive: bool) -> bool:
        """Remove one of two copies; False, and nothing, when the other one is not there."""
        ...

    def lies(self, location: str, size: int, *, in_archive: bool) -> bool:
        """Whether published content of this size stands in the archive, or in the main place."""
        ...

    def archived(self, after: str, limit: int) -> Sequence[Found]:
        """As `Inventory.locations`, of the archive alone."""
        ...
