"""Storing layers that have no digest yet: hashed, compressed and uploaded in one pass over their bytes.

What a layer became is remembered by its uncompressed digest and the way of compressing, so that the next push asks the
registry instead of compressing again. Rule: what is remembered saves work and decides nothing; bytes that pass by are
hashed all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.compression import Compression, compressed
from portside.remote.errors import WrongContent
from portside.remote.expansion import Expander, expander
from portside.remote.progress import Progress
from portside.remote.saved import Layer


class Sink(Protocol):
    """Takes bytes whose digest is known at their end only (`Uploads.send_once`)."""

    def send_once(self, key: str, pieces: Iterable[bytes], label: str) -> Descriptor:
        """Store the bytes; gives their digest and size."""
        ...


class Layers(Protocol):
    """Remembers between runs what layers became, and what an engine calls them."""

    def became(self, diff_id: Digest, how: str) -> Descriptor | None:
        """The blob that a layer became when it was compressed this way."""
        ...

    def keep(self, diff_id: Digest, how: str, blob: Descriptor) -> None:
        """A layer became this blob."""
        ...

    def named(self, name: str) -> Digest | None:
        """The uncompressed digest of what an engine saves under this name."""
        ...

    def name(self, name: str, diff_id: Digest) -> None:
        """An engine saves this layer under this name."""
        ...

    def forget_name(self, name: str) -> None:
        """It was another one."""
        ...


class Ingest:
    """Stores layers in one place. May be used from several threads."""

    def __init__(
        self,
        sink: Sink,
        has: Callable[[Descriptor], bool],
        layers: Layers,
        compression: Compression,
        *,
        progress: Progress,
        threads: ThreadPoolExecutor,
        anew: bool = False,
    ) -> None:
        """`has`: whether the place holds a blob. `threads`: they compress.

        `anew`: layers that are compressed another way are compressed again.
        """
        self._sink = sink
        self._has = has
        self._layers = layers
        self._compression = compression
        self._progress = progress
        self._threads = threads
        self._anew = anew
        self.outcomes: dict[Digest, str] = {}
        """What became of each blob: `pushed` or `present`."""

    @property
    def compression(self) -> Compression:
        """How layers are compressed."""
        return self._compression

    def compresses_anew(self, kind: str) -> bool:
        """Whether a layer that is compressed this way does not stay as it is."""
        return self._anew and kind != self._compression.kind

    def present(self, diff_id: Digest) -> Layer | None:
        """The layer, when it is known what it becomes and the place has that."""
        blob = self._layers.became(diff_id, self._compression.key)
        if blob is None or not self._has(blob):
            return None
        return self._made(diff_id, blob, self._compression.kind, "present")

    def remembered(self, diff_id: Digest) -> Layer | None:
        """The layer, when it is known what it becomes."""
        blob = self._layers.became(diff_id, self._compression.key)
        return None if blob is None else Layer(diff_id, blob, self._compression.kind)

    def store(self, name: str, pieces: Iterable[bytes], size: int, claimed: Digest | None) -> Layer:
        """Store a layer of `size` bytes that is not compressed; `claimed` is what its digest is said to be.

        Raises WrongContent when it is another, and what the sink raises.
        """
        self._progress.started(name, size)
        known = self.present(claimed) if claimed else None
        hashed = _Hashed(pieces)
        if known is not None:
            hashed.exhaust()
            self._must_be(name, hashed.digest, claimed)
            self._progress.finished(name, "present")
            return known
        how = self._compression
        blob = self._sink.send_once(f"{claimed or name} {how.key}", compressed(hashed, how, self._threads), name)
        self._must_be(name, hashed.digest, claimed)
        self._layers.keep(hashed.digest, how.key, blob)
        self._progress.finished(name, "pushed")
        return self._made(hashed.digest, blob, how.kind, "pushed")

    def store_as_it_is(
        self, name: str, pieces: Iterable[bytes], size: int, claimed: Digest | None, kind: str = "gzip"
    ) -> Layer:
        """Store a blob that is compressed already, and whose digest is known to be `claimed`.

        Without that the layer is expanded beside, to know what it is; the layer's own digest is the blob's else.
        Raises as `store`.
        """
        self._progress.started(name, size)
        hashed = _Hashed(pieces, None if claimed is not None else expander(kind))
        if claimed is not None and self._has(Descriptor("", claimed, size)):
            hashed.exhaust()
            self._must_be(name, hashed.digest, claimed)
            self._progress.finished(name, "present")
            return self._made(claimed, Descriptor("", claimed, size), kind, "present")
        blob = self._sink.send_once(f"{claimed or name} as-it-is", hashed, name)
        self._must_be(name, blob.digest, claimed)
        self._progress.finished(name, "pushed")
        return self._made(hashed.inner or blob.digest, blob, kind, "pushed")

    def _made(self, diff_id: Digest, blob: Descriptor, kind: str, outcome: str) -> Layer:
        self.outcomes.setdefault(blob.digest, outcome)
        return Layer(diff_id, blob, kind)

    def _must_be(self, name: str, found: Digest, claimed: Digest | None) -> None:
        if claimed is not None and found != claimed:
            self._layers.forget_name(name)
            message = f"The layer {name} is {str(found)[:19]}… and should be {str(claimed)[:19]}…"
            raise WrongContent(message, "the image is damaged, or changed meanwhile; run the command again")


class _Hashed:
    """Bytes that are hashed while they go by, and with an expander what is in them too; right at their end."""

    def __init__(self, pieces: Iterable[bytes], expanding: Expander | None = None) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self._expanding = expanding
        self._inner = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._hash.update(piece)
            if self._expanding is not None:
                for out in self._expanding.feed(piece):
                    self._inner.update(out)
            yield piece
        if self._expanding is not None:
            self._expanding.end()

    def exhaust(self) -> None:
        for _ in self:
            pass

    @property
    def digest(self) -> Digest:
        return Digest("sha256", self._hash.hexdigest())

    @property
    def inner(self) -> Digest | None:
        return None if self._expanding is None else Digest("sha256", self._inner.hexdigest())
