"""Which patterns fit any of an image's tags, looked for in all of its tags at once. Pure.

An image has up to a thousand tags, and a policy hundreds of patterns: looking at each tag for each pattern would take
minutes. So the tags are the lines of one text, and a search of it skips all lines that lack a part of a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LEAP = 100
"""Letters that an expression gets over in the time that looking at one line takes."""
_TRIES = 30
"""Lines that are looked at before an expression is thought of: mostly that is the end of it."""


class TagPattern:
    """A prefix, or a pattern as wildcards.py has them, to be found among the lines of a text."""

    __slots__ = ("_expression", "_first", "_possible", "_rest")

    def __init__(self, text: str, *, prefix: bool = False) -> None:
        first, *rest = [f"\n{text}"] if prefix else f"\n{text}\n".split("*")
        # After any line comes its end: no need to look for it.
        if rest and rest[-1] == "\n":
            rest.pop()
        self._first = first
        self._rest = [part for part in rest if part]
        self._expression: re.Pattern[str] | None = None
        # What goes over the end of a line is no tag's.
        self._possible = "\n" not in text

    def fits_any(self, lines: str) -> bool:
        """Whether it fits a line of the text, each of which begins and ends with a line feed."""
        if not self._possible or self._first not in lines or not all(part in lines for part in self._rest):
            return False
        return not self._rest or self._fits_from(lines, 0)

    def _fits_from(self, lines: str, start: int) -> bool:
        """Go from one line that may fit to the next, over those between that lack a part.

        Every part is looked for once, as in wildcards.py: found as early as possible, it leaves most to the others.
        """
        tried = 0
        while (start := lines.find(self._first, start)) >= 0:
            end = lines.find("\n", start + 1)
            at = start + len(self._first)
            for part in self._rest:
                found = lines.find(part, at)
                if found < 0:
                    return False
                at = found + len(part)
                if at > end + 1:
                    break
            else:
                return True
            # The first line that has the part which this one lacks.
            start = lines.rfind("\n", 0, at - 1)
            tried += 1
            if start < (tried - _TRIES) * _LEAP:
                return self._compiled().search(lines, start) is not None
        return False

    def _compiled(self) -> re.Pattern[str]:
        """The same as an expression: quick over short lines that have every part, though not in order.

        Groups are atomic, so nothing is tried twice: its time is bounded as that of the search above.
        """
        if self._expression is None:
            *middle, last = self._rest
            if not last.endswith("\n"):
                middle, last = self._rest, ""
            gaps = "".join(f"(?>[^\n]*?{re.escape(part)})" for part in middle)
            end = f"[^\n]*{re.escape(last)}" if last else ""
            self._expression = re.compile(re.escape(self._first) + gaps + end)
        return self._expression


class TagLines:
    """An image's tags, and what has been found of them."""

    __slots__ = ("_found", "_lines")

    def __init__(self, tags: Sequence[str]) -> None:
        self._lines = "\n".join(("", *tags, "")) if tags else ""
        self._found: dict[TagPattern, bool] = {}

    def have(self, pattern: TagPattern) -> bool:
        """Whether the pattern fits a tag; found out once."""
        found = self._found.get(pattern)
        if found is None:
            found = self._found[pattern] = pattern.fits_any(self._lines)
        return found
