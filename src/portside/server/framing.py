"""Whether a request can be read in one way only (RFC 9112, 3.2 and 6.3), and whether its head is of a sane size.

The server library refuses most of what is malformed before the application hears of it; here is what it lets pass.
Rule: looked at before anything else is, and the connection is closed after a refusal, since nobody knows where the
next request begins. docs/explanation/hostile-clients.md has the whole list.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Scope

Headers = Sequence[tuple[bytes, bytes]]
LONGEST_HEAD = 64 * 1024
"""Bytes of header names and values; a registry token has about 300, a presigned request 2,000."""
_OLD = frozenset({"1.0", "1"})
"""HTTP/1.0, as servers write it."""
_NO_HOST = (b"host", b"")
"""What the default server puts in the place of a missing one; an empty one means nothing here either."""


def refusal(scope: Scope) -> int | None:
    """The status that a request is refused with; None for one that can be read."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    names, values = zip(*headers, strict=True) if headers else ((), ())
    # Joining them is the quickest way to add their lengths up.
    if len(b"".join(names)) + len(b"".join(values)) > LONGEST_HEAD:
        return 431
    version: str = scope.get("http_version", "1.1")
    hosts = names.count(b"host")
    lengths = names.count(b"content-length") + names.count(b"transfer-encoding")
    if lengths > 1 or hosts > 1 or names.count(b"authorization") > 1:
        return 400
    if version == "1.1":
        return 400 if hosts == 0 or _NO_HOST in headers else None
    # HTTP/1.0 has no chunks, and needs no Host; a signature that needs one fails later.
    return None if version in _OLD and b"transfer-encoding" not in names else 400


def has_body(headers: Headers) -> bool:
    """Whether a body follows the head, even an empty one in chunks."""
    for name, value in headers:  # asked for nearly every request, so not by way of a generator
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False
