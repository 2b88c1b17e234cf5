"""Telling the C library to keep the memory that pieces of layers pass through.

By default glibc gives a freed mebibyte back to the kernel and asks for it again, page by page, for the next piece; that
cost five times as much as opening a sealed blob (docs/explanation/performance.md). One arena suffices, since the
interpreter's lock lets one thread allocate at a time.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
_KEPT = 32 * 1024 * 1024
"""Bytes that may stay with the process unused; also the largest value that glibc takes for the second setting."""


def keep_freed_memory() -> bool:
    """Apply the settings to this process, before it has threads; False where the C library has no such call."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _KEPT), (_TRIM_THRESHOLD, _KEPT))
    return all(mallopt(name, value) == 1 for name, value in settings)
