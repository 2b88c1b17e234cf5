"""Patterns with `*`, as filters and lifecycle rules have them: a star stands for any letters, or none. Pure."""

from __future__ import annotations


def matches(pattern: str, text: str) -> bool:
    """Whether the stars make the pattern into the text; every part is looked for once, so time is bounded."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    last = rest.pop()
    if not text.startswith(first) or not text[len(first) :].endswith(last):
        return False
    middle = text[len(first) : len(text) - len(last)]
    for part in rest:
        at = middle.find(part)
        if at < 0:
            return False
        middle = middle[at + len(part) :]
    return True
