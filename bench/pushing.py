"""Pushing a blob as docker does, and bytes that no registry has seen."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

from bench.client import Connection

_LARGEST = 64 << 20
_STAMP = 32
_CHUNK = 32 * 1024
"""What docker puts into one chunk of a push (its compressor's buffer)."""


class Payload:
    """Random bytes; `renew` makes other bytes of them, with another digest, at next to no cost.

    Only the last bytes change: the hash of all before is kept and goes on from there.
    """

    def __init__(self, size: int) -> None:
        self.content = bytearray(os.urandom(size))
        self.digest = ""
        self._hashed = hashlib.sha256(memoryview(self.content)[:-_STAMP])
        self.renew()

    def renew(self) -> None:
        """Become fresh."""
        stamp = os.urandom(_STAMP)
        self.content[-_STAMP:] = stamp
        whole = self._hashed.copy()
        whole.update(stamp)
        self.digest = f"sha256:{whole.hexdigest()}"

    @property
    def size(self) -> int:
        """How many bytes it is."""
        return len(self.content)

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The bytes, without a copy."""
        view = memoryview(self.content)
        return (view[start : start + size] for start in range(0, len(view), size))


class Repeated:
    """More random bytes than memory should hold: a block of them over and over."""

    def __init__(self, size: int) -> None:
        """`size` is a multiple of the block's, 64 MiB."""
        self._block = memoryview(os.urandom(_LARGEST))
        self.size = size
        whole = hashlib.sha256()
        for _ in range(size // _LARGEST):
            whole.update(self._block)
        self.digest = f"sha256:{whole.hexdigest()}"

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The bytes, without a copy; `size` divides the block's."""
        starts = range(0, self.size, size)
        return (self._block[start % _LARGEST : start % _LARGEST + size] for start in starts)

    def sha256(self, start: int, size: int) -> str:
        """The hash of a part that does not cross the end of a block."""
        at = start % _LARGEST
        return hashlib.sha256(self._block[at : at + size]).hexdigest()


def push(connection: Connection, repository: str, payload: Payload | Repeated, *, chunked: bool = True) -> None:
    """HEAD, POST, PATCH, PUT; the PATCH is chunked as docker's is, or says its length, as other clients' do."""
    blob = f"/v2/{repository}/blobs/{payload.digest}"
    connection.request("HEAD", blob).expect(404)
    begun = connection.request("POST", f"/v2/{repository}/blobs/uploads/", {"Content-Length": "0"}).expect(202)
    headers = {"Content-Type": "application/octet-stream"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
        body: Iterator[Sequence[bytes | memoryview]] = _chunks(payload)
    else:
        headers["Content-Length"] = str(payload.size)
        body = ([piece] for piece in payload.pieces(1 << 20))
    taken = connection.request("PATCH", begun.headers["location"], headers, body).expect(202)
    location = taken.headers["location"]
    location += f"{'&' if '?' in location else '?'}digest={payload.digest}"
    connection.request("PUT", location, {"Content-Length": "0"}).expect(201)


def _chunks(payload: Payload | Repeated) -> Iterator[Sequence[bytes | memoryview]]:
    for piece in payload.pieces(_CHUNK):
        yield [b"%x\r\n" % len(piece), piece, b"\r\n"]
    yield [b"0\r\n\r\n"]
