"""A master key held by this process: from a file, from the operator, or made on the first start.

Wrapping is sealing in a Box. Few keys are ever wrapped, so its random nonces stay far from their limit (NIST SP
800-38D, 8.3).
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from pathlib import Path

from portside.identity.box import KEY_SIZE, Box, BoxError
from portside.storage.errors import Damaged, StorageUnusable


class LocalKeyKeeper:
    """Wraps under a key in memory."""

    def __init__(self, master: bytes) -> None:
        self._box = Box(master)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """See KeyKeeper."""
        return self._box.seal(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """See KeyKeeper."""
        try:
            return self._box.open(wrapped, context)
        except BoxError:
            raise Damaged("A wrapped key does not open under this master key.") from None


def decode_master_key(text: str, name: str = "The master key") -> bytes:
    """Read a master key as people write it: base64 of 32 bytes. Raises StorageUnusable, which calls it by `name`."""
    try:
        key = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_SIZE:
        raise StorageUnusable(f"{name} must be the base64 form of {KEY_SIZE} random bytes.")
    return key


def read_master_key(path: Path) -> bytes:
    """Read a master key file; raises StorageUnusable, naming the file and never its content."""
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise StorageUnusable(f"The master key file {path} cannot be read: {reason}.") from None
    return decode_master_key(text, f"The master key in {path}")


def create_master_key(path: Path) -> bytes:
    """Make a master key file with mode 0600; an existing one is never overwritten, but FileExistsError raised."""
    key = os.urandom(KEY_SIZE)
    # A name of this call's own: another start at the same moment may be making the file too.
    staging = path.with_name(f"{path.name}.{os.urandom(8).hex()}.new")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(b64encode(key).decode("ascii") + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(staging, path)
    finally:
        staging.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
