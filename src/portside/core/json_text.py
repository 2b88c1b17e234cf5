"""Text in JSON: what can be written with escapes, and is no text all the same."""

from __future__ import annotations

import json


def must_be_text(document: object) -> None:
    """Raise ValueError for JSON, read already, with half of a surrogate pair in it: nothing can keep or send that.

    Raises RecursionError for what is nested too deeply to be written.
    """
    json.dumps(document, ensure_ascii=False).encode()
