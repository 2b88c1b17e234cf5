"""What is measured: each scenario is one thing that a client does, over and over."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bench.client import Connection, UnexpectedAnswerError
from bench.pushing import Payload, Repeated, push

MEBIBYTE = 1 << 20
REPOSITORY = "bench/image"
TAGGED_REPOSITORY = "bench/tags"
REPOSITORIES = (REPOSITORY, TAGGED_REPOSITORY)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_ACCEPT = {"Accept": MANIFEST}
_RANGE_SIZE = 8 * MEBIBYTE
_RANGE_START = 40 * MEBIBYTE + 12345
_TAGS = 1000


class Material:
    """The bytes that every registry is given; `giant` is the size of the giant blob."""

    def __init__(self, giant: int) -> None:
        self.small = Payload(MEBIBYTE)
        self.large = Payload(100 * MEBIBYTE)
        self.layers = [self.small, self.large, *(Payload(4096) for _ in range(8))]
        self.config = Payload(2048)
        self.manifest = manifest(self.config, *self.layers)
        # Scenarios read what was pushed under these names while payloads go on changing.
        self.small_blob = f"/v2/{REPOSITORY}/blobs/{self.small.digest}"
        self.large_blob = f"/v2/{REPOSITORY}/blobs/{self.large.digest}"
        self.tagged = f"/v2/{REPOSITORY}/manifests/latest"
        start = memoryview(self.large.content)[_RANGE_START : _RANGE_START + _RANGE_SIZE]
        self.range_hash = hashlib.sha256(start).hexdigest()
        self.giant_size = giant

    @cached_property
    def giant(self) -> Repeated:
        """Made when a scenario needs it: hashing it takes seconds."""
        return Repeated(self.giant_size)

    @property
    def giant_blob(self) -> str:
        """Where it is read."""
        return f"/v2/{REPOSITORY}/blobs/{self.giant.digest}"

    def fill(self, connection: Connection) -> None:
        """Push the image, and check that every byte comes back."""
        for payload in (*self.layers, self.config):
            push(connection, REPOSITORY, payload)
        put(connection, self.tagged, self.manifest)
        self._check(connection)

    def _check(self, connection: Connection) -> None:
        """Read everything once; wrong bytes end the benchmark."""
        content = hashlib.sha256(self.manifest).hexdigest()
        expected = [
            (self.tagged, _ACCEPT, 200, content),
            (self.small_blob, None, 200, self.small_blob.rpartition(":")[2]),
            (self.large_blob, None, 200, self.large_blob.rpartition(":")[2]),
            (self.large_blob, _range(_RANGE_START), 206, self.range_hash),
        ]
        for target, headers, status, digest in expected:
            _expect(connection, target, headers, status, digest)


def manifest(config: Payload, *layers: Payload, **annotations: str) -> bytes:
    """An image's manifest."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config),
        "layers": [_descriptor(_LAYER, layer) for layer in layers],
        "annotations": annotations,
    }
    return json.dumps(content, indent=3).encode()


def put(connection: Connection, target: str, content: bytes) -> None:
    """PUT a manifest."""
    headers = {"Content-Type": MANIFEST, "Content-Length": str(len(content))}
    connection.request("PUT", target, headers, [[content]]).expect(201)


def _descriptor(media_type: str, payload: Payload) -> dict[str, str | int]:
    return {"mediaType": media_type, "size": payload.size, "digest": payload.digest}


def _range(start: int) -> Mapping[str, str]:
    return {"Range": f"bytes={start}-{start + _RANGE_SIZE - 1}"}


def _expect(connection: Connection, target: str, headers: Mapping[str, str] | None, status: int, digest: str) -> None:
    answer, found = connection.sha256(target, headers)
    answer.expect(status)
    if found != digest:
        raise UnexpectedAnswerError(f"{target} came back with other bytes")


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at: a share of distribution v3's CPU, for sealed content and for plain."""

    sealed: float
    plain: float


Act = Callable[[Connection, Material], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row: `act` is one request (or one push) of `size` bytes, made `count` times a measurement."""

    name: str
    title: str
    size: int
    count: int
    target: Target | None
    act: Act
    warm: Act | None = None
    """What a client does before it is measured; `act`, unless that would fill the disk or the hour."""
    fill: Act | None = None
    """What a registry is given beforehand, besides the image."""
    connections: tuple[int, ...] = (1, 4)

    def each(self, connections: int, *, quick: bool) -> int:
        """How many a connection makes in one measurement."""
        return max(self.count // (connections * (4 if quick else 1)), 1)


def _manifest(connection: Connection, material: Material) -> None:
    connection.request("GET", material.tagged, _ACCEPT).expect(200)


def _head_small(connection: Connection, material: Material) -> None:
    connection.request("HEAD", material.small_blob).expect(200)


def _get_small(connection: Connection, material: Material) -> None:
    connection.request("GET", material.small_blob).expect(200)


def _get_large(connection: Connection, material: Material) -> None:
    connection.request("GET", material.large_blob).expect(200)


def _get_range(connection: Connection, material: Material) -> None:
    connection.request("GET", material.large_blob, _range(_RANGE_START)).expect(206)


def _push_small(connection: Connection, material: Material) -> None:
    material.small.renew()
    push(connection, REPOSITORY, material.small)


def _push_large(connection: Connection, material: Material) -> None:
    material.large.renew()
    push(connection, REPOSITORY, material.large)


def _push_large_sized(connection: Connection, material: Material) -> None:
    material.large.renew()
    push(connection, REPOSITORY, material.large, chunked=False)


def _get_tags(connection: Connection, material: Material) -> None:
    del material
    connection.request("GET", f"/v2/{TAGGED_REPOSITORY}/tags/list?n={_TAGS}").expect(200)


def _fill_tags(connection: Connection, material: Material) -> None:
    push(connection, TAGGED_REPOSITORY, material.config)
    content = manifest(material.config)
    for number in range(_TAGS):
        put(connection, f"/v2/{TAGGED_REPOSITORY}/manifests/build-{number:04}", content)
    answer = connection.request("GET", f"/v2/{TAGGED_REPOSITORY}/tags/list?n={_TAGS}", keep=True).expect(200)
    if len(json.loads(answer.body)["tags"]) != _TAGS:
        raise UnexpectedAnswerError(f"the tag list does not have {_TAGS} tags")


def _get_giant(connection: Connection, material: Material) -> None:
    connection.request("GET", material.giant_blob).expect(200)


def _giant_range(connection: Connection, material: Material) -> None:
    """Any of its ranges: a client that loads lazily asks for what it happens to need."""
    start = random.randrange(material.giant.size // _RANGE_SIZE) * _RANGE_SIZE
    connection.request("GET", material.giant_blob, _range(start)).expect(206)


def _fill_giant(connection: Connection, material: Material) -> None:
    push(connection, REPOSITORY, material.giant, chunked=False)
    start = material.giant.size - _RANGE_SIZE
    _expect(connection, material.giant_blob, _range(start), 206, material.giant.sha256(start, _RANGE_SIZE))


_HUNDRED = 100 * MEBIBYTE
_PUSH = Target(0.9, 0.9)


def scenarios(giant: int) -> tuple[Scenario, ...]:
    """Every row, with a giant blob of this size in bytes."""
    parts = giant // _RANGE_SIZE
    title = f"{giant >> 30} GiB blob"
    return (
        Scenario("manifest", "manifest GET", 0, 2000, Target(0.6, 0.6), _manifest),
        Scenario("head-1m", "blob HEAD", 0, 2000, None, _head_small),
        Scenario("tags", "list of 1,000 tags", 0, 200, None, _get_tags, fill=_fill_tags),
        Scenario("get-1m", "1 MiB GET", MEBIBYTE, 400, Target(0.5, 0.3), _get_small),
        Scenario("get-100m", "100 MiB GET", _HUNDRED, 16, Target(1.0, 0.8), _get_large),
        Scenario("range-8m", "8 MiB Range", _RANGE_SIZE, 100, Target(0.6, 0.6), _get_range),
        Scenario("push-1m", "1 MiB push", MEBIBYTE, 120, Target(0.8, 0.8), _push_small),
        Scenario("push-100m", "100 MiB push", _HUNDRED, 4, _PUSH, _push_large, _push_small),
        Scenario("push-100m-sized", "100 MiB push, sized", _HUNDRED, 4, _PUSH, _push_large_sized, _push_small),
        Scenario("get-4g", f"{title}, whole", giant, 1, None, _get_giant, _get_small, _fill_giant, (1,)),
        Scenario("range-4g", f"{title}, ranges", _RANGE_SIZE, parts, None, _giant_range, None, _fill_giant, (8,)),
    )
