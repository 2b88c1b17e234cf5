"""The blob port: bytes at locations.

Rule: a blob store knows locations and bytes; it has never heard of a digest, a repository, a tag or an account. What a
location means is a row in the metadata.

Every call blocks; the registry makes them from worker threads, in pieces of about a mebibyte, so that no blob is held
whole. Errors: storage.errors.NoSpace, Damaged (content absent, cut short or altered), StorageUnavailable.
"""

from __future__ import annotations

import re
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

    def holds(self, location: str, size: int) -> bool:
        """Whether published content of this size stands at the location (its bytes are not read)."""
        ...

    def delete(self, location: str) -> None:
        """Remove whatever is staged or published there; nothing there is no error."""
        ...

    def check(self) -> None:
        """Raise StorageUnavailable or NoSpace when the store cannot take a write now."""
        ...
