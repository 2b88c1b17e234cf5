"""What the server says when it will not start.

Rule: one line that names what is wrong and what to do; it is raised before anything is made, or after what was made is
taken back.
"""

from __future__ import annotations


class Refused(Exception):
    """The server cannot start as configured: an operator has to act; `message` says how."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
