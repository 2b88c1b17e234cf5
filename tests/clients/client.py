"""What the wire tests ask of every client, whatever its commands are called.

Rule: `take` gives the client an image under its registry name; `push` and
`pull` return the digest that travelled; `identity` is what the client calls
what it holds, an image id or a digest, and must survive the journey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.clients.images import Layout

USER = "AWS"


class Client(Protocol):
    """A container client that can log in, push and pull."""

    def login(self, host: str, password: str) -> None:
        """Remember the password for a registry."""
        ...

    def take(self, layout: Layout, name: str) -> str:
        """Put a test image into the client's own store as `name`; return the identity a pull should find."""
        ...

    def push(self, name: str) -> str:
        """Push `name`; return the digest that the client says it pushed."""
        ...

    def pull(self, name: str) -> str:
        """Pull `name`; return the digest that the client says it pulled."""
        ...

    def remove(self, name: str) -> None:
        """Forget `name` and its content, so that a pull has to fetch it all."""
        ...

    def identity(self, name: str) -> str:
        """Return what the client calls what it holds as `name`."""
        ...
