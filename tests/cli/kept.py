"""A registry in a folder as a server leaves it, for the commands that look after one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from portside.core.digest import Digest
from portside.core.names import RegistryId, parse_tag
from portside.core.records import RepositorySettings
from portside.identity.caller import Caller, Circumstances, Principal
from portside.registry.registry import Registry
from portside.server import wiring
from portside.server.settings import Settings
from tests.registry.house import build, image_of, in_pieces, noise

APP = RegistryId("000000000000", "us-east-1").repository("team/app")
ROOT = Caller(Principal.root("000000000000", "AKIAROOT"), Circumstances(0, "", secure=False, user_agent=""))
KEPT, UNNEEDED = noise(200_000), noise(100_000, 1)


def kept(data: Path, database: str | None = None) -> None:
    """Make a registry with one image, and a layer that no image refers to."""
    data.mkdir()
    asyncio.run(wiring.prepare(Settings(data=data, database=database)))

    async def pushed(registry: Registry) -> None:
        await registry.repositories.create(ROOT, APP, RepositorySettings())
        await push(registry, KEPT)
        await push(registry, UNNEEDED)
        await registry.images.put(ROOT, APP, image_of(KEPT), media_type=None, tags=[parse_tag("v1")], digest=None)

    within(data, pushed, database)


def within(data: Path, work: Callable[[Registry], Awaitable[Any]], database: str | None = None) -> Any:
    """Do something in a process of the registry."""

    async def done() -> Any:
        plant = await wiring.open(Settings(data=data, database=database, collect_interval=0))
        try:
            return await work(await build(plant.stores))
        finally:
            await plant.close()

    return asyncio.run(done())


async def push(registry: Registry, content: bytes) -> None:
    upload = await registry.uploads.begin(ROOT, APP)
    await registry.uploads.complete(ROOT, APP, upload.id, [Digest.of(content)], body=in_pieces(content))


def read(data: Path, content: bytes) -> bytes:
    async def got(registry: Registry) -> bytes:
        layer = await registry.layers.open(ROOT, APP, Digest.of(content))
        return b"".join([piece async for piece in layer.read(0, len(content))])

    return within(data, got)


def age(data: Path) -> None:
    """Let everything have been touched long ago."""
    connection = sqlite3.connect(data / "portside.db")
    with connection:
        for table in ("layers", "blobs", "uploads"):
            connection.execute(f"UPDATE {table} SET touched_at = 1")
    connection.close()


def files(data: Path) -> list[Path]:
    return sorted(path for path in (data / "blobs").rglob("*") if path.is_file())
