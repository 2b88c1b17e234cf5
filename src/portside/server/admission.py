"""Admission: how many requests, uploads and downloads a worker carries out at a time.

What comes after that waits its turn for a while and is then told to come again, in the words of its plane. Waiting
costs a connection and nothing else, and helps every client; a refusal helps those that come again, which docker does
not. Who begins an upload is refused before the bytes are sent, since some clients repeat a request but not a body.
Transfers have fewer places than requests, so that there is always one for what is quick.
"""

from __future__ import annotations

from portside.registry.room import Room
from portside.server.settings import Settings

CROWD = 16
"""Downloads at a time from which on each of them is handed to the server in small pieces, to bound what it holds."""


class Admission:
    """The places of one worker."""

    def __init__(self, settings: Settings) -> None:
        self.requests = Room(settings.requests, settings.wait_seconds)
        self._uploads = Room(settings.uploads, settings.wait_seconds)
        self._downloads = Room(settings.downloads, settings.wait_seconds)

    @property
    def crowded(self) -> bool:
        """Whether downloads are many."""
        return self._downloads.taken >= CROWD

    def transfers(self, method: str, path: str) -> Room | None:
        """The places that a request needs one of, besides that of any request."""
        if "/blobs/" not in path:
            return None
        if method in {"POST", "PATCH", "PUT"}:
            return self._uploads  # whatever the rest of the path is like: a slash at its end may be left off
        return self._downloads if method == "GET" and "/blobs/uploads/" not in path else None

    async def enter(self, transfers: Room | None) -> None:
        """Take a place, to be given back with `leave`; raises TooManyRequests."""
        if transfers is None:
            await self.requests.take()
            return
        # The scarce place first: whoever waits for it must not sit on another one.
        await transfers.take()
        try:
            await self.requests.take()
        except BaseException:
            transfers.give()
            raise

    def leave(self, transfers: Room | None) -> None:
        """Give back what `enter` took."""
        self.requests.give()
        if transfers is not None:
            transfers.give()
