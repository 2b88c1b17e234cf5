"""An image that comes as a tar archive from front to back: standard input, an engine, a compressed file.

One pass and no copy: every layer is stored while it goes by, small documents are kept, and at the end they say which of
the layers make the image. Several layers are under way at once, since the reader goes on while the last one completes.
Nothing is unpacked, and a member's name is a key and never a path.
"""

from __future__ import annotations

import queue
import tarfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, cast

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import MAXIMUM_SIZE
from portside.remote.errors import WrongContent
from portside.remote.expansion import expanded
from portside.remote.files import canonical, linked, must_be_plain
from portside.remote.ingest import Ingest
from portside.remote.progress import Stop
from portside.remote.saved import Layer

_PIECE = 1024 * 1024
_WAITING = 4
"""Pieces read ahead of a layer's consumer."""
_MOST_MEMBERS = 100_000
_MOST_KEPT = 32 * 1024 * 1024
"""Bytes of documents that are kept: manifests and configurations."""
_MOST_LINKS = 8
_BLOBS = "blobs/sha256/"
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed layers begin: they stay as they are."""
_NOT_LAYERS = frozenset({"VERSION", "json", "repositories"})
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, OSError)


class TarStream:
    """The archive. `run` reads it; then `documents` and `layer` tell what there was."""

    def __init__(
        self,
        file: BinaryIO,
        place: str,
        ingest: Ingest,
        stop: Stop,
        *,
        named: Callable[[str], Digest | None],
        jobs: int,
    ) -> None:
        """`named`: what is known of a member before it is read: its uncompressed digest."""
        self._file = file
        self._place = place
        self._ingest = ingest
        self._stop = stop
        self._named = named
        self._jobs = jobs
        self._links: dict[str, str] = {}
        self._running: dict[str, Future[Layer]] = {}
        self.documents: dict[str, bytes] = {}
        """Small members that may be JSON, by name."""

    def run(self) -> None:
        """Read everything. Raises WrongContent, and what storing raises."""
        with ThreadPoolExecutor(self._jobs) as threads:
            try:
                with tarfile.open(fileobj=self._file, mode="r|*", bufsize=_PIECE) as archive:
                    for count, member in enumerate(archive):
                        self._must_be_an_image(count)
                        self._take(archive, member, threads)
                for future in self._running.values():
                    future.result()
            except _DAMAGED as error:
                self._stop.set()
                message = f"{self._place} is no tar archive, or ends too early ({error})"
                raise WrongContent(message, "save the image again") from None
            except BaseException:
                self._stop.set()
                raise

    def layer(self, name: str) -> Layer | None:
        """The layer that a member became, or the one that it links to."""
        for _ in range(_MOST_LINKS):
            if name in self._running:
                return self._running[name].result()
            if name not in self._links:
                return None
            name = self._links[name]
        raise WrongContent(f"{self._place} links {name} in a circle", "check where the archive comes from")

    def layers(self) -> dict[str, Layer]:
        """Every layer by the member that it was."""
        return {name: future.result() for name, future in self._running.items()}

    def _must_be_an_image(self, members: int) -> None:
        self._stop.check()
        if members >= _MOST_MEMBERS:
            raise WrongContent(f"{self._place} has more than {_MOST_MEMBERS} members", "that is no image")

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo, threads: ThreadPoolExecutor) -> None:
        name = canonical(member.name)
        if member.issym() or member.islnk():
            self._links[name] = linked(name, member)
            return
        if not member.isreg() or name.rpartition("/")[2] in _NOT_LAYERS:
            return
        must_be_plain(member, self._place)
        if name in self._running or name in self.documents:
            raise WrongContent(f"{self._place} has {name} twice", "check where the archive comes from")
        file = cast("BinaryIO", archive.extractfile(member))
        first = file.read(min(_PIECE, member.size))
        if member.size <= MAXIMUM_SIZE and first[:1] in {b"", b"{", b"["}:
            self._keep(name, first + file.read(), member.size)
        else:
            self._store(name, first, file, member.size, threads)

    def _keep(self, name: str, content: bytes, size: int) -> None:
        if len(content) != size:
            raise WrongContent(f"{self._place} ends within {name}", "save the image again")
        self.documents[name] = content
        if sum(map(len, self.documents.values())) > _MOST_KEPT:
            raise WrongContent(f"{self._place} has more than {_MOST_KEPT >> 20} MiB of documents", "that is no image")

    def _store(self, name: str, first: bytes, file: BinaryIO, size: int, threads: ThreadPoolExecutor) -> None:
        waiting: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        claimed = self._named(name) or _digest_in(name)
        pieces = _drained(waiting, self._stop)
        kind = compression_of(first)
        if kind is None:
            future = threads.submit(self._ingest.store, name, pieces, size, claimed)
        elif self._ingest.compresses_anew(kind):
            future = threads.submit(self._ingest.store, name, expanded(pieces, kind), size, self._named(name))
        else:
            future = threads.submit(self._ingest.store_as_it_is, name, pieces, size, claimed, kind)
        self._running[name] = future
        count = 0
        piece = first
        while piece:
            count += len(piece)
            if not self._hand(waiting, piece, future):
                break
            piece = file.read(_PIECE)
        if future.done() and future.exception() is not None:
            future.result()
        if count != size:
            raise WrongContent(f"{self._place} ends within {name}", "save the image again")
        self._hand(waiting, None, future)

    def _hand(self, waiting: queue.Queue[bytes | None], piece: bytes | None, future: Future[Layer]) -> bool:
        """Pass a piece on; False when nobody takes it any more."""
        while not future.done():
            self._stop.check()
            try:
                waiting.put(piece, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False


def compression_of(first: bytes) -> str | None:
    """How a layer is compressed that begins like this; None for one that is not."""
    return next((kind for magic, kind in _MAGIC.items() if first.startswith(magic)), None)


def _drained(waiting: queue.Queue[bytes | None], stop: Stop) -> Iterator[bytes]:
    while True:
        stop.check()
        try:
            piece = waiting.get(timeout=0.2)
        except queue.Empty:
            continue
        if piece is None:
            return
        yield piece


def _digest_in(name: str) -> Digest | None:
    """What an image layout calls a blob is its digest."""
    try:
        return (
            Digest("sha256", Digest.parse(f"sha256:{name.removeprefix(_BLOBS)}").hex)
            if name.startswith(_BLOBS)
            else None
        )
    except InvalidParameter:
        return None
