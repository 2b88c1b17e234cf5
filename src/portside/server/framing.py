"""Whether a request can be read in one way only (RFC 9112, 3.2 and 6.3), and whether its head is of a sane size.

The server library refuses most of what is malformed before the application hears of it; here is what it lets pass.
Rule: looked at before anything else is, and the connection is closed after a refusal, since nobody knows where the
next request begins. docs/explanation/hostile-clients.md has the whole list.
"""

from __future__ import annotations

from starlette.types import Scope

LONGEST_HEAD = 64 * 1024
"""Bytes of header names and values; a registry token has about 300, a presigned request 2,000."""
_VERSIONS = frozenset({"1.0", "1.1", "2"})


def refusal(scope: Scope) -> int | None:
    """The status that a request is refused with; None for one that can be read."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    names = [name for name, _ in headers]
    if sum([len(name) + len(value) for name, value in headers]) > LONGEST_HEAD:
        return 431
    version: str = scope.get("http_version", "1.1")
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1 or version not in _VERSIONS:
        return 400
    hosts = names.count(b"host")
    # HTTP/1.0 has no Host; a signature that needs one fails later.
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        return 400
    if version == "1.0" and b"transfer-encoding" in names:
        return 400
    return None
