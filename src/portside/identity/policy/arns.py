"""ARNs in policies: six segments, of which the last takes the rest, colons and all."""

from __future__ import annotations

SEGMENTS = 6


def segments(text: str) -> list[str]:
    """Split an ARN of a policy; the colons inside a policy variable separate nothing."""
    found: list[str] = []
    start = at = 0
    while len(found) < SEGMENTS - 1:
        colon = text.find(":", at)
        if colon < 0:
            break
        opened = text.find("${", at, colon)
        closed = text.find("}", colon) if opened >= 0 and text.find("}", opened, colon) < 0 else -1
        if closed >= 0:
            at = closed + 1
            continue
        found.append(text[start:colon])
        start = at = colon + 1
    found.append(text[start:])
    return found
