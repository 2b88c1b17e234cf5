"""A whole registry on SQLite and a folder, its clock in the test's hands.

Two houses on one folder are two processes at one registry.
"""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.names import ImageId, RegistryId, RepositoryId, parse_tag
from portside.core.records import Repository, RepositorySettings
from portside.identity.caller import Caller, Circumstances, Principal
from portside.registry.access import Access
from portside.registry.collection import Collection
from portside.registry.content import Threads
from portside.registry.listing import PageTokens
from portside.registry.moving import Moving
from portside.registry.outcomes import Pushed
from portside.registry.pulls import Pulls
from portside.registry.recollection import Recollection
from portside.registry.registry import Registry
from portside.registry.rules import Rules
from portside.registry.stores import Stores
from portside.registry.uses import Uses
from portside.registry.verification import Verification
from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import InventoriedBlobs
from portside.storage.blobs.sealed import SealedBlobs, plain_size, sealed_size
from portside.storage.blobs.tiered import TieredBlobs
from portside.storage.keys.local import LocalKeyKeeper
from portside.storage.keys.ring import KeyRing
from portside.storage.metadata import migrate
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Metadata
from portside.storage.metadata.sqlite import SqliteMetadata

ACCOUNT, STRANGER, REGION = "123456789012", "999999999999", "eu-west-1"
KEY = "AKIAIOSFODNN7EXAMPLE"
HOME = RegistryId(ACCOUNT, REGION)
APP = HOME.repository("team/app")
START = 1_790_000_000_000_000
SECOND = 1_000_000
MEBIBYTE = 1024 * 1024
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
LIMIT = 1000


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@dataclass
class House:
    """One process of the registry, and the everyday things that are done with it."""

    folder: Path
    clock: Clock
    registry: Registry
    stores: Stores
    executor: ThreadPoolExecutor
    caller: Caller
    collection: Collection
    verification: Verification
    moving: Moving | None = None

    @property
    def stranger(self) -> Caller:
        """The root user of another account."""
        return replace(self.caller, principal=Principal.root(STRANGER, "AKIASTRANGER"))

    async def create(self, repository: RepositoryId = APP, **settings: Any) -> Repository:
        return await self.registry.repositories.create(self.caller, repository, RepositorySettings(**settings))

    async def push(self, content: bytes, repository: RepositoryId = APP) -> Digest:
        """Upload a layer in one go."""
        digest = Digest.of(content)
        upload = await self.registry.uploads.begin(self.caller, repository)
        await self.registry.uploads.complete(self.caller, repository, upload.id, [digest], body=in_pieces(content))
        return digest

    async def read(self, digest: Digest, repository: RepositoryId = APP, start: int = 0, stop: int = -1) -> bytes:
        content = await self.registry.layers.open(self.caller, repository, digest)
        return b"".join([piece async for piece in content.read(start, content.layer.size if stop < 0 else stop)])

    async def holds(self, digest: Digest, repository: RepositoryId = APP) -> bool:
        [layer] = await self.registry.layers.availability(self.caller, repository, [digest])
        return layer is not None

    async def put(self, content: bytes, tag: str | None = None, repository: RepositoryId = APP) -> Pushed:
        return await self.registry.images.put(
            self.caller,
            repository,
            content,
            media_type=None,
            tags=() if tag is None else (parse_tag(tag),),
            digest=None,
        )

    async def image(self, tag: str | None = None, config: bytes = b"{}", repository: RepositoryId = APP) -> Digest:
        """Push a configuration and an image of nothing else."""
        await self.push(config, repository)
        content = image_of(config)
        await self.put(content, tag, repository)
        return Digest.of(content)

    async def tags_of(self, digest: Digest, repository: RepositoryId = APP) -> list[str]:
        found = await self.registry.images.describe(
            self.caller, repository, [ImageId(digest=digest)], tag_status="ANY", limit=LIMIT, token=None
        )
        return [str(tag) for tag in found.items[0].tags]

    async def identifiers(self, tag_status: str = "ANY", repository: RepositoryId = APP) -> list[ImageId]:
        found = await self.registry.images.identifiers(
            self.caller, repository, tag_status=tag_status, limit=LIMIT, token=None
        )
        return list(found.items)

    async def delete(self, *wanted: ImageId, repository: RepositoryId = APP) -> tuple[list[ImageId], list[str]]:
        """What was removed, and the codes of what was not."""
        removed, failures = await self.registry.images.delete_many(self.caller, repository, wanted)
        return removed, [failure.code for failure in failures]

    async def rows(self, statement: str) -> list[Any]:
        """Look straight into the database."""
        return await self.stores.threads.run(lambda: _rows(self.folder / "portside.db", statement))

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and "portside.db" not in path.name)

    async def close(self) -> None:
        await self.stores.metadata.close()
        self.executor.shutdown()


def _rows(database: Path, statement: str) -> list[Any]:
    import sqlite3  # noqa: PLC0415 - nobody else here speaks to it

    connection = sqlite3.connect(database)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


@functools.cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portside.db"
        migrate.upgrade(f"sqlite:///{path}")
        return path.read_bytes()


async def open_house(
    folder: Path,
    clock: Clock,
    *,
    blobs: Callable[[InventoriedBlobs], InventoriedBlobs] = lambda store: store,
    metadata: Callable[[Metadata], Metadata] = lambda store: store,
    sealing: bool = True,
    database: Metadata | None = None,
    rules: Rules | None = None,
    sparse: bool = False,
    archive: Path | None = None,
) -> House:
    """Open a registry; `blobs` and `metadata` may put something before the real ports, `database` instead of SQLite."""
    executor = ThreadPoolExecutor(8, "blobs")
    rows = metadata(database or _sqlite(folder))
    keys = KeyRing(rows, LocalKeyKeeper(b"m" * 32), clock)
    tiers = TieredBlobs(FilesystemBlobs(folder), FilesystemBlobs(archive or folder / "archive"))
    files: InventoriedBlobs = tiers if archive else FilesystemBlobs(folder)
    store = blobs(SealedBlobs(files, keys.opened) if sealing else files)
    stores = Stores(
        rows,
        store,
        keys,
        Threads(executor),
        clock,
        Recollection(rows),
        Pulls(rows, clock),
        Uses(rows, clock),
        rules=rules or Rules(),
    )
    await _set_root_key(stores)
    caller = Caller(Principal.root(ACCOUNT, KEY), Circumstances(clock(), "127.0.0.1", secure=False, user_agent=""))
    return House(
        folder,
        clock,
        await build(stores, sparse=sparse),
        stores,
        executor,
        caller,
        Collection(stores, store),
        Verification(stores, store),
        Moving(stores, tiers, sealed_size if sealing else plain_size) if archive else None,
    )


def _sqlite(folder: Path) -> Metadata:
    database = folder / "portside.db"
    if not database.exists():
        database.write_bytes(_empty_database())
    return SqliteMetadata(database)


class NoIssuers:
    """Nobody vouches for anybody."""

    async def keys(self, issuer: str, *, anew: bool = False) -> list[dict[str, Any]]:
        del issuer, anew
        return []


async def build(stores: Stores, *, sparse: bool = False) -> Registry:
    """The nouns over these ports."""
    pages = PageTokens((await stores.keys.key_for("page")).box)
    return Registry.over(stores, Access(stores), pages, NoIssuers(), sparse=sparse)


async def _set_root_key(stores: Stores) -> None:
    secret = (await stores.keys.key_for("secret")).box.seal(b"secret", KEY.encode())
    async with stores.metadata.writing() as unit:
        await unit.accounts.add(ACCOUNT, stores.clock())
        await unit.accounts.set_root_key(AccessKeyRow(KEY, ACCOUNT, "root", secret, active=True), stores.clock())


@asynccontextmanager
async def opened(folder: Path, clock: Clock, **ports: Any) -> AsyncIterator[House]:
    house = await open_house(folder, clock, **ports)
    try:
        yield house
    finally:
        await house.close()


async def in_pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """A body as it comes over a connection."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


@functools.cache
def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no two offsets share."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(size)


def described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def image_of(config: bytes, *layers: bytes, **members: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described(CONFIG_TYPE, config),
        "layers": [described(LAYER_TYPE, layer) for layer in layers],
        **members,
    }
    return json.dumps(document).encode()


def index_of(*children: bytes, **members: Any) -> bytes:
    listed: Sequence[Any] = [described(json.loads(child)["mediaType"], child) for child in children]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": listed, **members}
    return json.dumps(document).encode()
