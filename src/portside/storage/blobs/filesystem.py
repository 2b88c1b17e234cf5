"""Blobs in a folder.

Laws: bytes are fsynced, placed, and their folder fsynced before `publish` returns (ARCHITECTURE.md, laws 1 and 2).
Bytes never take the last room on the volume, without which nothing could be deleted: the database needs room for that
too (law 12).

    ROOT/uploads/<key>/<name>          staged
    ROOT/blobs/<key>/<2 hex>/<name>    published, by rename
    ROOT/damaged/<key>/<name>          set aside

Names are checked against `LOCATION` before they become a path: nothing a client sends reaches the file system.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from portside.storage.blobs.port import LOCATION, Found
from portside.storage.errors import Missing, NoSpace, StorageError, StorageUnavailable

_STRETCH = 128 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RESERVE = 16 * 1024 * 1024
"""Bytes of a volume that stay free, or a part of it when that is less."""
_RESERVED_PART = 16


class FilesystemBlobs:
    """A BlobStore on one POSIX file system."""

    def __init__(self, root: Path) -> None:
        self._staged = root / "uploads"
        self._published = root / "blobs"
        self._aside = root / "damaged"
        self._durable: set[Path] = set()

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        """See BlobStore. Plain bytes need no segments, so `last` means nothing here."""
        del last
        path = self._staging(location)
        with _in_our_words():
            try:
                file = os.open(path, os.O_WRONLY | (0 if offset else os.O_CREAT), 0o600)
            except FileNotFoundError:
                if offset:
                    # Published by a request that could not record it, or lost: a new file would begin with a hole.
                    raise Missing(f"What was staged at {location} is gone.") from None
                _make_folder(path.parent)
                file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if os.fstat(file).st_size < offset:
                    raise Missing(f"Less than {offset} bytes are staged at {location}.")
                _write_whole(file, data, offset)
            finally:
                os.close(file)

    def publish(self, location: str, size: int) -> None:
        """See BlobStore."""
        try:
            self.place(location, location, size)
        except Missing:
            with _in_our_words():
                if self._staging(location).exists() or not self.holds(location, size):
                    raise
                # Whoever placed it may have died before its entry was on the disk.
                folder = self._place(location).parent
                self._make_durably(folder)
                _sync_folder(folder)

    def place(self, staged: str, location: str, size: int) -> None:
        """See Tier."""
        staging, place = self._staging(staged), self._place(location)
        with _in_our_words():
            try:
                file = os.open(staging, os.O_RDWR)
            except FileNotFoundError:
                raise Missing(f"Nothing is staged at {staged}.") from None
            try:
                held = os.fstat(file).st_size
                if held < size:
                    raise Missing(f"Only {held} of {size} bytes are staged at {staged}.")
                os.ftruncate(file, size)
                os.fsync(file)
            finally:
                os.close(file)
            self._make_durably(place.parent)
            try:
                staging.rename(place)
            except FileNotFoundError:
                raise Missing(f"What was staged at {staged} is gone.") from None
            _sync_folder(place.parent)

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes:
        """See BlobStore."""
        with _in_our_words():
            file = self._open(location)
            try:
                if size is not None and os.fstat(file).st_size != size:
                    raise Missing(f"The content at {location} has another length than was recorded.")
                data = os.pread(file, length, offset)
                while len(data) < length:
                    more = os.pread(file, length - len(data), offset + len(data))
                    if not more:
                        raise Missing(f"The content at {location} is cut short.")
                    data += more
                return data
            finally:
                os.close(file)

    def is_near(self, location: str, offset: int, length: int) -> bool:
        """See BlobStore. Looks at a byte here and there: the kernel reads ahead, and drops, whole stretches."""
        looks = (*range(offset, offset + length - 1, _STRETCH), offset + length - 1)
        byte = bytearray(1)
        try:
            file = os.open(self._place(location), os.O_RDONLY)
        except OSError:
            return False
        try:
            return all(os.preadv(file, [byte], at, os.RWF_NOWAIT) == 1 for at in looks)
        except OSError:
            return False  # it would wait, or this file system cannot tell
        finally:
            os.close(file)

    def holds(self, location: str, size: int) -> bool:
        """See BlobStore."""
        with _in_our_words():
            try:
                return self._place(location).stat().st_size == size
            except FileNotFoundError:
                return False

    def delete(self, location: str) -> None:
        """See BlobStore."""
        with _in_our_words():
            self._staging(location).unlink(missing_ok=True)
            self._place(location).unlink(missing_ok=True)

    def check(self) -> None:
        """See BlobStore."""
        with _in_our_words():
            _make_folder(self._staged)
            if not os.access(self._staged, os.W_OK | os.X_OK):
                raise StorageUnavailable(f"The folder {self._staged} cannot be written.")
            _keep_reserve(self._staged)

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        """See Inventory. A time before 1970 counts as 1970."""
        with _in_our_words():
            # A file may be published or removed between its name and its figures.
            found = (self._found(location) for location in self._names(after))
            return list(itertools.islice((one for one in found if one is not None), limit))

    def set_aside(self, location: str) -> None:
        """See Inventory."""
        with _in_our_words():
            target = self._aside / _checked(location)
            _make_folder(target.parent)
            with contextlib.suppress(FileNotFoundError):
                self._place(location).rename(target)

    def _names(self, after: str) -> Iterator[str]:
        """The locations of all files of ours that sort after one, in their order."""
        first, _, rest = after.partition("/")
        for key in sorted({*_listed(self._staged), *_listed(self._published)}):
            if key < first:
                continue
            beyond = rest if key == first else ""
            staged = _listed(self._staged / key)
            for shard in sorted({*(name[:2] for name in staged), *_listed(self._published / key)}):
                if shard < beyond[:2]:
                    continue
                here = {name for name in staged if name[:2] == shard} | _listed(self._published / key / shard)
                for name in sorted(here):
                    location = f"{key}/{name}"
                    if name > beyond and name[:2] == shard and LOCATION.fullmatch(location):
                        yield location

    def _found(self, location: str) -> Found | None:
        for path in (self._staging(location), self._place(location)):
            with contextlib.suppress(FileNotFoundError):
                state = path.stat()
                return Found(location, state.st_size, max(state.st_mtime_ns // 1000, 0))
        return None

    def _open(self, location: str) -> int:
        for path in (self._place(location), self._staging(location), self._place(location)):
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, os.O_RDONLY)
        raise Missing(f"The content at {location} is gone.")

    def _staging(self, location: str) -> Path:
        return self._staged / _checked(location)

    def _place(self, location: str) -> Path:
        key, _, name = _checked(location).partition("/")
        return self._published / key / name[:2] / name

    def _make_durably(self, folder: Path) -> None:
        """Make a folder whose own entry survives a power failure too.

        That a folder is there does not say that its entry is on the disk: another process may just have made it.
        """
        if folder in self._durable:
            return
        if folder != self._published.parent:
            self._make_durably(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)
        self._durable.add(folder)


def _checked(location: str) -> str:
    if LOCATION.fullmatch(location) is None:
        raise ValueError("not a location of ours")
    return location


def _listed(folder: Path) -> set[str]:
    """The names in a folder; none in one that is not there."""
    try:
        return {*os.listdir(folder)}  # noqa: PTH208 - a path for every name of a large folder is waste
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _write_whole(file: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Let the file end with `data`, or with what comes before it when there is no room."""
    try:
        _keep_reserve(file, len(data))
        _write_all(file, data, offset)
        # Longer garbage may be left of a write that was not acknowledged.
        os.ftruncate(file, offset + len(data))
        # Again, since others saw the same room and wrote at the same moment.
        _keep_reserve(file)
    except (OSError, NoSpace):
        with contextlib.suppress(OSError):
            os.ftruncate(file, offset)
        raise


def _keep_reserve(volume: int | Path, size: int = 0) -> None:
    """Raise NoSpace when `size` more bytes would not leave the reserve. A volume that tells no size has no reserve."""
    state = os.statvfs(volume)
    reserve = min(_RESERVE, state.f_blocks * state.f_frsize // _RESERVED_PART)
    if state.f_blocks and state.f_bavail * state.f_frsize - size < reserve:
        raise NoSpace("The disk is full.")


def _write_all(file: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest, offset = rest[written:], offset + written


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, all of them for nobody else: `parents=True` would let others list those."""
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_our_words() -> Generator[None, None, None]:
    """Turn the operating system's errors into the port's."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace("The disk is full.") from error
        raise StorageUnavailable(f"The blob folder cannot be used: {error.strerror}.") from error
