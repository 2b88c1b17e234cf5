"""Choosing one image of an index by its platform (OCI image-index.md, platform). Pure."""

from __future__ import annotations

from typing import Any, cast

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor
from portside.remote.errors import NotFound, Unusable, WrongContent
from portside.remote.ports import Document
from portside.remote.text import parse

_PARTS = range(1, 4)


def chosen(index: Document, platform: str) -> Descriptor:
    """The image for `OS/ARCHITECTURE[/VARIANT]`, or `ARCHITECTURE` for Linux. Raises NotFound, Unusable."""
    wanted = _parsed(platform)
    listed = _platforms(index)
    for name, descriptor in listed:
        if _matches(name, wanted):
            return descriptor
    names = ", ".join("/".join(filter(None, name)) for name, _ in listed if any(name))
    raise NotFound(f"The image has no {platform}", f"it has {names or 'no platforms at all'}")


def _parsed(platform: str) -> tuple[str, str, str]:
    parts = platform.lower().split("/")
    if len(parts) not in _PARTS or not all(parts):
        raise Unusable(f"'{platform}' is no platform", "write OS/ARCHITECTURE, as linux/arm64")
    if len(parts) == 1:
        parts = ["linux", *parts]
    system, architecture, *variant = parts
    return system, architecture, variant[0] if variant else ""


def _matches(name: tuple[str, str, str], wanted: tuple[str, str, str]) -> bool:
    return name[:2] == wanted[:2] and (not wanted[2] or name[2] == wanted[2])


def _platforms(index: Document) -> list[tuple[tuple[str, str, str], Descriptor]]:
    try:
        entries = cast("list[dict[str, Any]]", parse(index.content)["manifests"])
        found: list[tuple[tuple[str, str, str], Descriptor]] = []
        for entry in entries:
            platform = cast("dict[str, str]", entry.get("platform") or {})
            name = (platform.get("os", ""), platform.get("architecture", ""), platform.get("variant", ""))
            found.append((name, Descriptor(entry["mediaType"], Digest.parse(entry["digest"]), entry["size"])))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidParameter):
        raise WrongContent("The index cannot be read", "check the source") from None
    return found
