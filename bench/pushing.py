"""Pushing a blob as docker does, and bytes that no registry has seen."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

from bench.client import Connection

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

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The bytes, without a copy."""
        view = memoryview(self.content)
        return (view[start : start + size] for start in range(0, len(view), size))


def push(connection: Connection, repository: str, payload: Payload, *, chunked: bool = True) -> None:
    """HEAD, POST, PATCH, PUT; the PATCH is chunked as docker's is, or says its length, as other clients' do."""
    blob = f"/v2/{repository}/blobs/{payload.digest}"
    connection.request("HEAD", blob).expect(404)
    begun = connection.request("POST", f"/v2/{repository}/blobs/uploads/", {"Content-Length": "0"}).expect(202)
    headers = {"Content-Type": "application/octet-stream"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
        body: Iterator[Sequence[bytes | memoryview]] = _chunks(payload)
    else:
        headers["Content-Length"] = str(len(payload.content))
        body = ([piece] for piece in payload.pieces(1 << 20))
    taken = connection.request("PATCH", begun.headers["location"], headers, body).expect(202)
    location = taken.headers["location"]
    location += f"{'&' if '?' in location else '?'}digest={payload.digest}"
    connection.request("PUT", location, {"Content-Length": "0"}).expect(201)


def _chunks(payload: Payload) -> Iterator[Sequence[bytes | memoryview]]:
    for piece in payload.pieces(_CHUNK):
        yield [b"%x\r\n" % len(piece), piece, b"\r\n"]
    yield [b"0\r\n\r\n"]
