"""A client that pushes and pulls over plain HTTP, and remembers what was acknowledged."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterable, Iterator
from typing import Any, Self

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Refused(Exception):
    """The registry answered something else than was expected."""


def digest_of(content: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pusher:
    """One connection to one repository."""

    def __init__(self, port: int, token: str, repository: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Basic {token}"}
        self._base = f"/v2/{repository}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request; the response and its whole body."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, {**self._headers, **extra})
        response = self._connection.getresponse()
        return response, response.read()

    def begin(self) -> str:
        """Open an upload; its address."""
        response, body = self.call("POST", f"{self._base}/blobs/uploads/")
        _expect(response, body, 202)
        return response.headers["Location"]

    def push_blob(self, content: bytes) -> str:
        """Push a blob as docker does; returns when it was acknowledged."""
        location, digest = self.begin(), digest_of(content)
        self.receive(location, content)
        self.complete(location, digest)
        return digest

    def receive(self, location: str, content: bytes) -> None:
        """Send all of an upload's bytes."""
        _expect(*self.call("PATCH", location, content), 202)

    def complete(self, location: str, digest: str) -> None:
        """Complete an upload; returns when it was acknowledged."""
        _expect(*self.call("PUT", f"{location}?digest={digest}"), 201)

    def push_manifest(self, reference: str, content: bytes) -> None:
        """Push a manifest; returns when it was acknowledged."""
        _expect(*self.call("PUT", f"{self._base}/manifests/{reference}", content, Content_Type=MANIFEST), 201)

    def blob(self, digest: str) -> bytes:
        """Pull a blob."""
        return _expect(*self.call("GET", f"{self._base}/blobs/{digest}"), 200)

    def manifest(self, reference: str) -> bytes:
        """Pull a manifest."""
        return _expect(*self.call("GET", f"{self._base}/manifests/{reference}"), 200)

    def delete_manifest(self, digest: str) -> None:
        """Delete an image; returns when it was acknowledged."""
        _expect(*self.call("DELETE", f"{self._base}/manifests/{digest}"), 202)

    def status(self, path: str) -> int:
        """What is answered to a GET below the repository's name."""
        return self.call("GET", f"{self._base}/{path}")[0].status

    def download(self, digest: str) -> Iterator[bytes]:
        """Pull a blob in pieces."""
        self._connection.request("GET", f"{self._base}/blobs/{digest}", headers=self._headers)
        response = self._connection.getresponse()
        assert response.status == 200
        while piece := response.read(1 << 20):
            yield piece


def manifest_of(config: bytes, layers: Iterable[bytes]) -> bytes:
    """An image manifest over these blobs."""

    def descriptor(kind: str, content: bytes) -> dict[str, Any]:
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}

    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, layer) for layer in layers],
        }
    ).encode()


def _expect(response: http.client.HTTPResponse, body: bytes, status: int) -> bytes:
    if response.status != status:
        raise Refused(f"{response.status} instead of {status}: {body[:500]!r}")
    return body
