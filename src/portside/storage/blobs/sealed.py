"""The sealing wrapper: every blob encrypted and authenticated in segments, over any blob store.

Layout (docs/decisions/0004-sealing.md). A blob is a sequence of segments of SEGMENT plaintext bytes, the last one
possibly shorter:

    sealed segment = nonce (12 random bytes) | AES-256-GCM ciphertext | tag (16)

under a key of the blob's own, HKDF-SHA-256(content key, salt = the location's random name). The associated data is the
segment's number and whether it is the last, so segments cannot be moved, dropped, repeated or taken from another
blob, and a blob cut short does not open. An empty blob is one empty last segment.

Under a content key that seals twice each segment is sealed once more, whole, under a second key of the blob's own that
comes from the content key's second half.

Why random nonces and not counters: an interrupted write is made again with bytes that may differ, and a nonce must
never meet two plaintexts.
"""

from __future__ import annotations

import functools
import os
import struct
import threading
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portside.storage.blobs.port import SEGMENT, Found, InventoriedBlobs
from portside.storage.errors import Damaged, Missing
from portside.storage.keys.identifiers import seals_twice

_NONCE = 12
_TAG = 16
_OVERHEAD = _NONCE + _TAG
"""Bytes that sealing a segment once adds to it."""
_KEY = 32
_CONTEXT = struct.Struct(">QB")
_PURPOSE = b"portside blob v1"


class SealedBlobs:
    """A BlobStore whose content only its keys can read."""

    def __init__(self, inner: InventoriedBlobs, keys: Callable[[str], bytes]) -> None:
        """`keys` gives the content key of a key id, the first half of a location: 32 bytes for each time it seals."""
        self._inner = inner
        self._keys = keys
        self._cipher = functools.lru_cache(maxsize=1024)(self._derive)
        self._buffers = threading.local()

    def write(self, location: str, offset: int, data: bytes | bytearray | memoryview, *, last: bool) -> None:
        """See BlobStore."""
        number, beside = divmod(offset, SEGMENT)
        if beside or (len(data) % SEGMENT and not last):
            raise ValueError("writes are whole segments, but for the end of the last")
        *inner, outer = self._cipher(location)
        added = _added(location)
        whole = SEGMENT + added
        count = max(-(-len(data) // SEGMENT), 1 if last else 0)
        nonces = os.urandom(_NONCE * count)
        out, source = self._scratch(len(data) + count * added), memoryview(data)
        for index in range(count):
            piece = source[index * SEGMENT : (index + 1) * SEGMENT]
            place = out[index * whole : index * whole + len(piece) + added]
            nonce = nonces[index * _NONCE : (index + 1) * _NONCE]
            place[:_NONCE] = nonce
            context = _CONTEXT.pack(number + index, last and index == count - 1)
            for cipher in inner:
                piece = _sealed_once(cipher, piece, context)
            outer.encrypt_into(nonce, piece, context, place[_NONCE:])
        self._inner.write(location, number * whole, out, last=True)

    def publish(self, location: str, size: int) -> None:
        """See BlobStore."""
        self._inner.publish(location, sealed_size(location, size))

    def read(self, location: str, offset: int, length: int, size: int | None) -> bytes:
        """See BlobStore."""
        first, beside = divmod(offset, SEGMENT)
        if beside:
            raise ValueError("reads begin on a segment")
        final = -1 if size is None else max(size - 1, 0) // SEGMENT
        upto = max(offset + length - 1, 0) // SEGMENT
        segment = SEGMENT + _added(location)
        start, stop = first * segment, (upto + 1) * segment
        whole = None if size is None else sealed_size(location, size)
        if whole is not None and upto == final:
            stop = whole
        sealed = self._inner.read(location, start, stop - start, whole)
        opened = self._open(location, sealed, first, final)
        if len(opened) < length:
            raise Missing(f"The content at {location} is cut short.")
        return bytes(opened[:length])

    def _open(self, location: str, sealed: bytes | bytearray, first: int, final: int) -> memoryview:
        """Open consecutive segments, the first of which has the number `first`."""
        (innermost, *outer), source = self._cipher(location), memoryview(sealed)
        added = _added(location)
        whole = SEGMENT + added
        count = -(-len(sealed) // whole)
        out = self._scratch(len(sealed) - count * added)
        for index in range(count):
            segment = source[index * whole : (index + 1) * whole]
            place = out[index * SEGMENT : (index + 1) * SEGMENT]
            number = first + index
            context = _CONTEXT.pack(number, number == final)
            try:
                for cipher in reversed(outer):
                    segment = memoryview(cipher.decrypt(segment[:_NONCE], segment[_NONCE:], context))
                innermost.decrypt_into(segment[:_NONCE], segment[_NONCE:], context, place)
            except (InvalidTag, ValueError):
                raise Damaged(f"Segment {number} at {location} does not authenticate.") from None
        return out

    def is_near(self, location: str, offset: int, length: int) -> bool:
        """See BlobStore."""
        first, last = offset // SEGMENT, max(offset + length - 1, 0) // SEGMENT
        whole = SEGMENT + _added(location)
        # Of the last segment its beginning: where it ends is for `read` to know.
        return self._inner.is_near(location, first * whole, (last - first) * whole + 1)

    def holds(self, location: str, size: int) -> bool:
        """See BlobStore."""
        return self._inner.holds(location, sealed_size(location, size))

    def delete(self, location: str) -> None:
        """See BlobStore."""
        self._inner.delete(location)

    def check(self) -> None:
        """See BlobStore."""
        self._inner.check()

    def locations(self, after: str, limit: int) -> Sequence[Found]:
        """See Inventory."""
        return self._inner.locations(after, limit)

    def set_aside(self, location: str) -> None:
        """See Inventory."""
        self._inner.set_aside(location)

    def _scratch(self, size: int) -> memoryview:
        """Memory of this thread to work in: a fresh mebibyte each time costs more than sealing it."""
        buffer: bytearray | None = getattr(self._buffers, "held", None)
        if buffer is None or len(buffer) < size:
            buffer = self._buffers.held = bytearray(size)
        return memoryview(buffer)[:size]

    def _derive(self, location: str) -> tuple[AESGCM, ...]:
        """What seals this blob, the innermost first."""
        identifier, _, name = location.partition("/")
        key = self._keys(identifier)
        return tuple(
            AESGCM(
                HKDF(algorithm=SHA256(), length=_KEY, salt=bytes.fromhex(name), info=_PURPOSE).derive(
                    key[at : at + _KEY]
                )
            )
            for at in range(0, len(key), _KEY)
        )


def _sealed_once(cipher: AESGCM, piece: bytes | memoryview, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, piece, context)


def _added(location: str) -> int:
    """Bytes that sealing adds to each segment at a location."""
    return 2 * _OVERHEAD if seals_twice(location.partition("/")[0]) else _OVERHEAD


def sealed_size(location: str, size: int) -> int:
    """How many bytes the sealed form of `size` bytes takes at a location."""
    segments = max(-(-size // SEGMENT), 1)
    return size + segments * _added(location)


def plain_size(location: str, size: int) -> int:
    """How many bytes content takes that is not sealed: as many as it has."""
    del location
    return size
