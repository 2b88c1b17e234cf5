"""How many files and sockets a process may have open."""

from __future__ import annotations

import resource

_WANTED = 65_536
"""More than a worker needs; some systems have no upper limit at all."""
_OWN = 256
"""Descriptors that are kept for the database, stored blobs, the log and whatever libraries open."""


def raise_limit() -> int:
    """Raise the soft limit as far as this user may; the limit that now holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, max(_WANTED, soft))
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else _WANTED


def connections(limit: int, wanted: int) -> int:
    """How many of the wanted connections a worker can have: each may need a second descriptor, for a blob."""
    return max(1, min(wanted, (limit - _OWN) // 2))
