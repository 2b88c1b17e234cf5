"""What a person means by SOURCE: an engine's image, an archive, a layout, or another registry's reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from portside.remote.errors import NotFound, Unusable
from portside.remote.references import is_host


class Kind(Enum):
    """The kinds of places that an image is read from."""

    ENGINE = "docker-daemon"
    ARCHIVE = "docker-archive"
    LAYOUT = "oci"
    REGISTRY = "docker"


@dataclass(frozen=True, slots=True)
class Place:
    """A place, and which of its images."""

    kind: Kind
    name: str
    """An engine's or registry's name, or a path; `-` is standard input."""
    wanted: str = ""
    """A tag, name or digest within an archive or layout."""
    guessed: bool = False
    """Nothing said so: an engine is asked first, and then it may be a registry's name."""


_PREFIXES = {
    "docker-daemon:": Kind.ENGINE,
    "docker-archive:": Kind.ARCHIVE,
    "oci-archive:": Kind.ARCHIVE,
    "oci:": Kind.LAYOUT,
    "docker://": Kind.REGISTRY,
}
_DIGEST = re.compile(r"sha(?:256|512):[0-9a-f]+")


def parse(text: str) -> Place:
    """Read SOURCE; what is neither prefixed nor a path that exists is a name. Raises Unusable, NotFound."""
    if text in {"-", "docker-archive:-", "oci-archive:-"}:
        return Place(Kind.ARCHIVE, "-")
    for prefix, kind in _PREFIXES.items():
        if text.startswith(prefix):
            return _prefixed(text.removeprefix(prefix), kind)
    place = _path(text)
    if place is not None:
        return place
    if text.startswith((".", "/", "~")):
        raise NotFound(f"There is no file or folder {text}", "check the path")
    if not text:
        raise Unusable("SOURCE is empty", "name an image, an archive, a layout or a reference")
    return Place(Kind.ENGINE, text, guessed=True)


def names_a_host(name: str) -> bool:
    """Whether a name begins with a registry's host."""
    first, separator, _ = name.partition("/")
    return bool(separator) and is_host(first)


def _prefixed(text: str, kind: Kind) -> Place:
    if kind in {Kind.ENGINE, Kind.REGISTRY}:
        return Place(kind, text)
    place = _path(text)
    if place is None:
        raise NotFound(f"There is no file or folder {text}", "check the path")
    if (place.kind is Kind.LAYOUT) != (kind is Kind.LAYOUT):
        found = "a folder" if place.kind is Kind.LAYOUT else "a file"
        raise Unusable(f"{place.name} is {found}", "oci: takes a folder, docker-archive: and oci-archive: take a file")
    return place


def _path(text: str) -> Place | None:
    """Read `PATH`, `PATH:TAG` or `PATH@DIGEST`; None when there is no such path."""
    for path, wanted in _readings(text):
        try:
            if path and Path(path).is_dir():
                return Place(Kind.LAYOUT, path, wanted)
            if path and Path(path).exists():
                return Place(Kind.ARCHIVE, path, wanted)
        except (OSError, ValueError):
            continue
    return None


def _readings(text: str) -> list[tuple[str, str]]:
    readings = [(text, "")]
    path, at, digest = text.rpartition("@")
    if at and _DIGEST.fullmatch(digest):
        readings.append((path, digest))
    readings += [(text[:at], text[at + 1 :]) for at in range(len(text) - 1, 0, -1) if text[at] == ":"]
    return readings
