"""Named bytes that can be read from any position: a folder, or a tar archive that is a file.

Rule: a name is looked up among the names that were listed when the place was opened; none ever becomes a path that was
not one of them, so no name leads out of the place.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from portside.remote.errors import NotFound, WrongContent

_PIECE = 1024 * 1024
_MOST_MEMBERS = 100_000
_LONGEST_NAME = 4096
_MOST_LINKS = 8


class Files(Protocol):
    """Named bytes. Used from several threads."""

    def size(self, name: str) -> int | None:
        """Bytes of this name; None when there is none."""
        ...

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of a MiB. Raises NotFound, WrongContent."""
        ...

    def say(self) -> str:
        """What the place is called."""
        ...


def whole(files: Files, name: str, longest: int) -> bytes:
    """All bytes of a name. Raises NotFound, and WrongContent for more than `longest`."""
    size = files.size(name)
    if size is None:
        raise NotFound(f"{files.say()} has no {name}", "check that it is an image")
    if size > longest:
        raise WrongContent(
            f"{name} in {files.say()} has {size} bytes where {longest} are the most", "check the archive"
        )
    content = b"".join(files.read(name))
    if len(content) != size:
        raise WrongContent(f"{name} in {files.say()} ends too early", "copy the file again")
    return content


class Folder:
    """The files below a folder. Links are not followed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self, name: str) -> int | None:
        """Bytes of a regular file."""
        try:
            found = self._path.joinpath(*name.split("/")).lstat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a regular file."""
        try:
            descriptor = os.open(self._path.joinpath(*name.split("/")), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise NotFound(f"{self.say()} has no {name} that can be read ({error.strerror})") from None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            file.seek(start)
            while piece := file.read(_PIECE):
                yield piece

    def say(self) -> str:
        """The folder's path."""
        return str(self._path)


class TarFile:
    """The members of a tar archive that is a file and not compressed. Nothing is unpacked."""

    def __init__(self, path: Path) -> None:
        """Read the headers. Raises NotFound, WrongContent."""
        self._path = path
        self._members: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            total = path.stat().st_size
            with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    self._take(member, total)
        except FileNotFoundError:
            raise NotFound(f"There is no file {path}", "check the path") from None
        except OSError as error:
            raise NotFound(f"{path} cannot be read ({error.strerror})", "check its rights") from None
        except tarfile.TarError as error:
            raise WrongContent(
                f"{path} is no tar archive, or a damaged one ({error})", "save the image again"
            ) from None

    def _take(self, member: tarfile.TarInfo, total: int) -> None:
        name = canonical(member.name)
        if len(self._members) + len(self._links) >= _MOST_MEMBERS:
            raise WrongContent(f"{self._path} has more than {_MOST_MEMBERS} members", "that is no image")
        if member.isreg():
            must_be_plain(member, str(self._path))
            if member.offset_data + member.size > total:
                raise WrongContent(f"{self._path} ends within {name}", "copy the file again")
            self._members[name] = (member.offset_data, member.size)
        elif member.issym() or member.islnk():
            self._links[name] = linked(name, member)

    def size(self, name: str) -> int | None:
        """Bytes of a member, or of the one that it links to."""
        found = self._members.get(self.resolved(name))
        return None if found is None else found[1]

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """The bytes of a member."""
        found = self._members.get(self.resolved(name))
        if found is None:
            raise NotFound(f"{self.say()} has no {name}", "check that it is an image")
        offset, size = found
        left = size - start
        with self._path.open("rb", buffering=0) as file:
            file.seek(offset + start)
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece
        if left > 0:
            raise WrongContent(f"{self.say()} ends within {name}", "copy the file again")

    def resolved(self, name: str) -> str:
        """The member that a name stands for: docker writes a layer that two images share once, and links to it."""
        for _ in range(_MOST_LINKS):
            if name not in self._links:
                return name
            name = self._links[name]
        raise WrongContent(f"{self.say()} links {name} in a circle", "check where the archive comes from")

    def names(self) -> frozenset[str]:
        """Every member and link."""
        return frozenset(self._members) | frozenset(self._links)

    def say(self) -> str:
        """The archive's path."""
        return str(self._path)


def canonical(name: str) -> str:
    """A member's name without `./`. Raises WrongContent for one that leads out of the archive, or is too long."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or len(name) > _LONGEST_NAME or "\0" in name:
        raise WrongContent(f"The archive has a member called {name[:80]!r}", "check where the archive comes from")
    return "/".join(parts)


def linked(name: str, member: tarfile.TarInfo) -> str:
    """Where a link leads, within the archive. Raises WrongContent for one that leads out."""
    base = [] if member.islnk() else name.split("/")[:-1]
    for part in member.linkname.split("/"):
        if part == ".." and not base:
            raise WrongContent(f"The archive links {name} out of itself", "check where the archive comes from")
        if part == "..":
            base.pop()
        elif part not in {"", "."}:
            base.append(part)
    if member.linkname.startswith("/"):
        raise WrongContent(f"The archive links {name} out of itself", "check where the archive comes from")
    return "/".join(base)


def must_be_plain(member: tarfile.TarInfo, place: str) -> None:
    """Raise WrongContent for a sparse member: its header claims bytes that the archive does not have."""
    if member.issparse() or member.size < 0:
        raise WrongContent(f"{place} has a sparse member {member.name[:80]!r}", "save the image with docker save")
