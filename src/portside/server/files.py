"""Small files that are there whole or not at all.

Rule: a file appears under its name complete, with its final mode and on the disk; a crash leaves the old one.
"""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Put `content` at `path`, replacing what is there; raises OSError."""
    staging = path.with_name(f".{path.name}.{token_hex(8)}")
    # O_EXCL: a link that someone else laid under this name is never followed.
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_changed(path: Path, content: bytes, *, mode: int) -> bool:
    """Like write_whole, unless the file holds just that already; returns whether it wrote."""
    try:
        if path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
            return False
    except FileNotFoundError:
        pass
    write_whole(path, content, mode=mode)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
