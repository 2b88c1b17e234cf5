"""Admission: how many requests, uploads and downloads a worker carries out at a time.

What comes after that waits its turn for a while and is then told to come again, in the words of its plane. Waiting
costs a connection and nothing else, and helps every client; a refusal helps those that come again, which docker does
not. Who begins an upload is refused before the bytes are sent, since some clients repeat a request but not a body.
Transfers have fewer places than requests, so that there is always one for what is quick.

An upload may last as long as its client likes to send. So that nobody takes all places for them, whoever holds half of
these waits for one of its own to end once three quarters are taken. Who it is comes out when the request is
authenticated, which is quick: until then it has a place like any other.
"""

from __future__ import annotations

from portside.registry.room import Room
from portside.server.settings import Settings

CROWD = 16
"""Downloads at a time from which on each of them is handed to the server in small pieces, to bound what it holds."""


class Admission:
    """The places of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._requests = Room(settings.requests, settings.wait_seconds)
        self._uploads = Room(settings.uploads, settings.wait_seconds)
        self._downloads = Room(settings.downloads, settings.wait_seconds)
        self._shares = Shares(self._uploads, settings.wait_seconds)

    @property
    def crowded(self) -> bool:
        """Whether downloads are many."""
        return self._downloads.taken >= CROWD

    def visit(self, method: str, path: str) -> Visit:
        """What a request needs places of; it has none yet."""
        if "/blobs/" not in path:
            return Visit(self._requests)
        if method in {"POST", "PATCH", "PUT"}:
            # Whatever the rest of the path is like: a slash at its end may be left off.
            return Upload(self._requests, self._uploads, self._shares)
        if method == "GET" and "/blobs/uploads/" not in path:
            return Visit(self._requests, self._downloads)
        return Visit(self._requests)


class Visit:
    """One request's place, and that of its transfer."""

    __slots__ = ("_requests", "_transfers")

    def __init__(self, requests: Room, transfers: Room | None = None) -> None:
        self._requests = requests
        self._transfers = transfers

    def fits(self) -> bool:
        """Take a place if one is there and no other is needed."""
        return self._transfers is None and self._requests.fits()

    async def enter(self) -> None:
        """Take the places, to be given back with `leave`; raises TooManyRequests."""
        if self._transfers is None:
            await self._requests.take()
            return
        # The scarce place first: whoever waits for it must not sit on another one.
        await self._transfers.take()
        try:
            await self._requests.take()
        except BaseException:
            self._transfers.give()
            raise

    def leave(self) -> None:
        """Give back what was taken."""
        self._requests.give()
        if self._transfers is not None:
            self._transfers.give()


class Upload(Visit):
    """The places of a request that may send a blob's bytes."""

    __slots__ = ("_is_in", "_share", "_shares")

    def __init__(self, requests: Room, uploads: Room, shares: Shares) -> None:
        super().__init__(requests, uploads)
        self._shares = shares
        self._share: str | None = None
        self._is_in = False

    async def enter(self) -> None:
        """See Visit."""
        await super().enter()
        self._is_in = True

    async def share(self, principal: str) -> None:
        """Count the place as this principal's; raises TooManyRequests when it has too many, and all is given back."""
        if self._shares.fits(principal):
            self._share = principal
        elif self._shares.are_scarce:
            self._go()  # who waits for a place of its own must not sit on what others want
            await self._shares.take(principal)
            self._share = principal
            await self.enter()

    def leave(self) -> None:
        """See Visit."""
        if self._is_in:
            self._go()
        if self._share is not None:
            self._shares.give(self._share)

    def _go(self) -> None:
        super().leave()
        self._is_in = False


class Shares:
    """Which principals hold the places for uploads: each may have half of them for sure, and more while they are many.

    A place beyond the half is counted as nobody's, so it is there again when its upload has ended.
    """

    def __init__(self, places: Room, patience: float) -> None:
        self._places = places
        self._patience = patience
        self._size = max(places.size // 2, 1)
        self._many = places.size * 3 // 4
        self._rooms: dict[str, Room] = {}

    @property
    def are_scarce(self) -> bool:
        """Whether the places that are left are for those who have few."""
        return self._places.taken > self._many

    def fits(self, principal: str) -> bool:
        """Take one of the principal's own if it has one left."""
        return self._room(principal).fits()

    async def take(self, principal: str) -> None:
        """Take one of the principal's own when it has one; raises TooManyRequests."""
        try:
            await self._room(principal).take()
        except BaseException:
            self._forget(principal)
            raise

    def give(self, principal: str) -> None:
        """Give one back."""
        self._room(principal).give()
        self._forget(principal)

    def _room(self, principal: str) -> Room:
        if (room := self._rooms.get(principal)) is None:
            room = self._rooms[principal] = Room(self._size, self._patience)
        return room

    def _forget(self, principal: str) -> None:
        # Whoever waits for a room of somebody who holds nothing has been let in by then.
        if not self._room(principal).taken:
            del self._rooms[principal]
