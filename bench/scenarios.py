"""What is measured: each scenario is one thing that a client does, over and over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from bench.client import Connection, UnexpectedAnswerError
from bench.pushing import Payload, push

MEBIBYTE = 1 << 20
REPOSITORY = "bench/image"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_ACCEPT = {"Accept": f"{_MANIFEST}, application/vnd.oci.image.manifest.v1+json"}
_RANGE_START = 40 * MEBIBYTE + 12345
_RANGE = {"Range": f"bytes={_RANGE_START}-{_RANGE_START + 8 * MEBIBYTE - 1}"}


class Material:
    """The bytes that both registries are given."""

    def __init__(self) -> None:
        self.small = Payload(MEBIBYTE)
        self.large = Payload(100 * MEBIBYTE)
        self.layers = [self.small, self.large, *(Payload(4096) for _ in range(8))]
        self.config = Payload(2048)
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _descriptor("application/vnd.docker.container.image.v1+json", self.config),
                "layers": [
                    _descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer) for layer in self.layers
                ],
            },
            indent=3,
        ).encode()
        # Scenarios read what was pushed under these names while payloads go on changing.
        self.small_blob = f"/v2/{REPOSITORY}/blobs/{self.small.digest}"
        self.large_blob = f"/v2/{REPOSITORY}/blobs/{self.large.digest}"
        self.tagged = f"/v2/{REPOSITORY}/manifests/latest"
        start = memoryview(self.large.content)[_RANGE_START : _RANGE_START + 8 * MEBIBYTE]
        self.range_hash = hashlib.sha256(start).hexdigest()

    def fill(self, connection: Connection) -> None:
        """Push the image, and check that every byte comes back."""
        for payload in (*self.layers, self.config):
            push(connection, REPOSITORY, payload)
        headers = {"Content-Type": _MANIFEST, "Content-Length": str(len(self.manifest))}
        connection.request("PUT", self.tagged, headers, [[self.manifest]]).expect(201)
        self.check(connection)

    def check(self, connection: Connection) -> None:
        """Read everything once; wrong bytes end the benchmark."""
        manifest = hashlib.sha256(self.manifest).hexdigest()
        expected = [
            (self.tagged, _ACCEPT, 200, manifest),
            (self.small_blob, None, 200, self.small_blob.rpartition(":")[2]),
            (self.large_blob, None, 200, self.large_blob.rpartition(":")[2]),
            (self.large_blob, _RANGE, 206, self.range_hash),
        ]
        for target, headers, status, digest in expected:
            answer, found = connection.sha256(target, headers)
            answer.expect(status)
            if found != digest:
                raise UnexpectedAnswerError(f"{target} came back with other bytes")


def _descriptor(media_type: str, payload: Payload) -> dict[str, str | int]:
    return {"mediaType": media_type, "size": len(payload.content), "digest": payload.digest}


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at: a share of distribution v3's CPU, and what v3 took of the peer's where both were measured."""

    share: float
    peer: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row: `act` is one request (or one push) of `size` bytes, made `count` times a measurement."""

    name: str
    title: str
    size: int
    count: int
    target: Target
    act: Callable[[Connection, Material], None]
    warm: Callable[[Connection, Material], None] | None = None
    """What a client does before it is measured; `act`, unless that would fill the disk."""

    def each(self, connections: int, *, quick: bool) -> int:
        """How many a connection makes in one measurement."""
        return max(self.count // (connections * (4 if quick else 1)), 1)


def _manifest(connection: Connection, material: Material) -> None:
    connection.request("GET", material.tagged, _ACCEPT).expect(200)


def _get_small(connection: Connection, material: Material) -> None:
    connection.request("GET", material.small_blob).expect(200)


def _get_large(connection: Connection, material: Material) -> None:
    connection.request("GET", material.large_blob).expect(200)


def _get_range(connection: Connection, material: Material) -> None:
    connection.request("GET", material.large_blob, _RANGE).expect(206)


def _push_small(connection: Connection, material: Material) -> None:
    material.small.renew()
    push(connection, REPOSITORY, material.small)


def _push_large(connection: Connection, material: Material) -> None:
    material.large.renew()
    push(connection, REPOSITORY, material.large)


def _push_large_sized(connection: Connection, material: Material) -> None:
    material.large.renew()
    push(connection, REPOSITORY, material.large, chunked=False)


SCENARIOS = (
    Scenario("manifest", "manifest GET", 0, 2000, Target(0.6, 0.19 / 1.04), _manifest),
    Scenario("get-1m", "1 MiB GET", MEBIBYTE, 400, Target(0.5, 2.0 / 3.2), _get_small),
    Scenario("get-100m", "100 MiB GET", 100 * MEBIBYTE, 16, Target(1.0, 51 / 50), _get_large),
    Scenario("range-8m", "8 MiB Range", 8 * MEBIBYTE, 100, Target(0.6), _get_range),
    Scenario("push-1m", "1 MiB push", MEBIBYTE, 120, Target(0.8, 4.8 / 8.3), _push_small),
    Scenario("push-100m", "100 MiB push", 100 * MEBIBYTE, 4, Target(0.9, 165 / 350), _push_large, _push_small),
    Scenario(
        "push-100m-sized",
        "100 MiB push, sized",
        100 * MEBIBYTE,
        4,
        Target(0.9, 165 / 350),
        _push_large_sized,
        _push_small,
    ),
)
