"""Conditional requests (RFC 9110, 13): an entity tag is the quoted digest, which names these bytes and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portside.core.digest import Digest

_TAGS = re.compile(r'(?:W/)?"([^"]*)"')


def entity_tag(digest: Digest) -> str:
    """The ETag of what a digest names."""
    return f'"{digest}"'


def is_known(headers: Mapping[str, str], digest: Digest) -> bool:
    """Whether the client has these bytes: its If-None-Match lists them, compared weakly (13.1.2), or is `*`.

    A bare digest without quotes is understood too, since some clients send one.
    """
    header = headers.get("if-none-match", "").strip()
    return header in {"*", str(digest)} or str(digest) in _TAGS.findall(header)


def range_of(headers: Mapping[str, str], digest: Digest) -> str | None:
    """The Range header, unless If-Range names other content (13.1.5): then the whole is wanted.

    Compared strongly; a date never matches, since nothing here has one.
    """
    if headers.get("if-range", entity_tag(digest)).strip() != entity_tag(digest):
        return None
    return headers.get("range")
