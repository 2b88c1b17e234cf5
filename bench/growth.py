"""Whether cost stays flat: the same requests to a small registry and to a grown one, both ours.

The rows are seeded through the metadata's own port while the server is down, with properly sealed manifests; only the
layers' bytes are shared.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import pages
from bench.client import Connection
from bench.kinds import REGION
from bench.report import cpu, spread
from bench.rounds import Row
from bench.scenarios import CONFIG, MANIFEST, REPOSITORY, Material, Scenario, manifest, put
from portside.core.digest import Digest
from portside.core.names import RegistryId, Tag
from portside.core.records import Image, Repository, RepositorySettings
from portside.identity import sigv4
from portside.identity.box import Box
from portside.registry.listing import PageTokens
from portside.server import wiring
from portside.server.settings import Settings
from portside.storage.metadata.port import Metadata, Unit

SMALL, GROWN = "small", "grown"
_BATCH = 1000
_PAGE = 100
_ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a registry has besides the benchmark's image."""

    images: int
    referrers: int
    repositories: int


SIZES = {SMALL: Size(_PAGE, _PAGE, _PAGE), GROWN: Size(100_000, 10_000, 100_000)}


class Grown(Material):
    """The material of a registry of a size; pages are asked for from the middle of its lists."""

    def __init__(self, size: Size) -> None:
        super().__init__(giant=0)
        self.size = size
        subject = Digest.of(self.manifest, "sha256")
        after = size.images // 2 if size.images > _PAGE else 0
        self.page = f"/v2/{REPOSITORY}/tags/list?n={_PAGE}&last=image-{after:06}"
        self.catalog = f"/v2/_catalog?n={_PAGE}&last=seeded/{after:06}"
        self.referrers = f"/v2/{REPOSITORY}/referrers/{subject}"
        self.middle = f"/v2/{REPOSITORY}/manifests/image-{after:06}"
        self.pages = pages.Pages(sigv4.Credentials("", "", None), {})  # until it is seeded


def seed(data: Path, material: Grown) -> None:
    """Put the rows into the metadata of a server that is down."""
    asyncio.run(_seed(data, material))


async def _seed(data: Path, material: Grown) -> None:
    plant = await wiring.open(Settings(data=data, regions=(REGION,)))
    try:
        registry = RegistryId(_ACCOUNT, REGION)
        metadata = plant.stores.metadata
        async with metadata.reading() as unit:
            held = await unit.repositories.find(registry.repository(REPOSITORY))
        assert held is not None
        seeder = _Seeder(held, (await plant.stores.keys.key(held.content_key)).box, material)
        await seeder.images(metadata)
        await seeder.referrers(metadata)
        await _repositories(metadata, held, registry, material.size.repositories)
        tokens = PageTokens((await plant.stores.keys.key_for("page")).box)
        before = {
            "digest": sorted(seeder.digests)[-pages.PAGE - 1],
            "name": f"seeded/{max(material.size.repositories - pages.PAGE - 1, 0):06}",
        }
        material.pages = pages.Pages.of(data, tokens, held.id, seeder.at, before)
    finally:
        await plant.close()


class _Seeder:
    """Makes images of one repository."""

    def __init__(self, held: Repository, box: Box, material: Grown) -> None:
        self._held = held
        self._box = box
        self._material = material
        self.at = time.time_ns() // 1000
        self.digests: list[str] = []

    async def images(self, metadata: Metadata) -> None:
        """Tagged images that share a configuration."""
        for batch in _batches(self._material.size.images):
            async with metadata.writing(durable=False) as unit:
                for number in batch:
                    digest = await self._image(unit, manifest(self._material.config, number=str(number)), None)
                    await unit.tags.put(self._held.key, Tag(f"image-{number:06}"), digest, self.at)

    async def referrers(self, metadata: Metadata) -> None:
        """Images whose subject is the benchmark's own."""
        subject = Digest.of(self._material.manifest, "sha256")
        for batch in _batches(self._material.size.referrers):
            async with metadata.writing(durable=False) as unit:
                for number in batch:
                    await self._image(unit, _referrer(self._material, subject, number), subject)

    async def _image(self, unit: Unit, content: bytes, subject: Digest | None) -> Digest:
        digest, config = Digest.of(content, "sha256"), Digest.parse(self._material.config.digest)
        self.digests.append(str(digest))
        image = Image(
            digest=digest,
            media_type=MANIFEST,
            artifact_type=_ARTIFACT if subject else None,
            subject=subject,
            size=len(content),
            content_size=self._material.config.size,
            pushed_at=self.at,
            last_pull_at=self.at,
        )
        await unit.manifests.add(self._held.key, image, self._box.seal(content, str(digest).encode()))
        await unit.manifests.refer(self._held.key, digest, config, is_image=False)
        await unit.layers.refer(self._held.key, config, CONFIG, self.at)
        return digest


_ARTIFACT = "application/vnd.example.signature"


def _referrer(material: Material, subject: Digest, number: int) -> bytes:
    named = f'"subject": {{"mediaType": "{MANIFEST}", "digest": "{subject}", "size": {len(material.manifest)}}}'
    kind = f'"artifactType": "{_ARTIFACT}"'
    return manifest(material.config, number=f"referrer {number}").replace(b"{", f"{{{named}, {kind},".encode(), 1)


async def _repositories(metadata: Metadata, held: Repository, registry: RegistryId, count: int) -> None:
    for batch in _batches(count):
        async with metadata.writing(durable=False) as unit:
            for number in batch:
                name = registry.repository(f"seeded/{number:06}")
                await unit.repositories.add(name, RepositorySettings(), held.content_key, held.created_at)


def _batches(count: int) -> Iterator[range]:
    return (range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH))


def _get(connection: Connection, target: str) -> None:
    connection.request("GET", target).expect(200)


def _middle(connection: Connection, material: Material) -> None:
    assert isinstance(material, Grown)
    _get(connection, material.middle)


def _put(connection: Connection, material: Material) -> None:
    put(connection, f"/v2/{REPOSITORY}/manifests/new", manifest(material.config, nonce=os.urandom(8).hex()))


def _page(connection: Connection, material: Material) -> None:
    assert isinstance(material, Grown)
    _get(connection, material.page)


def _catalog(connection: Connection, material: Material) -> None:
    assert isinstance(material, Grown)
    _get(connection, material.catalog)


def _referrers(connection: Connection, material: Material) -> None:
    assert isinstance(material, Grown)
    _get(connection, material.referrers)


SCENARIOS = (
    Scenario("grows-get", "manifest GET", 0, 1000, None, _middle, connections=(1,)),
    Scenario("grows-put", "manifest PUT", 0, 400, None, _put, connections=(1,)),
    Scenario("grows-tags", "page of 100 tags", 0, 400, None, _page, connections=(1,)),
    Scenario("grows-catalog", "page of 100 repositories", 0, 400, None, _catalog, connections=(1,)),
    Scenario("grows-referrers", "first page of referrers", 0, 100, None, _referrers, connections=(1,)),
    *pages.SCENARIOS,
)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """CPU of both, and the ratio, which stays near 1 where cost is flat."""
    size = SIZES[GROWN]
    yield (
        f"grown: {size.images:,} images in the repository, {size.referrers:,} referrers of one, "
        f"{size.repositories:,} repositories; small: {_PAGE} of each"
    )
    yield f"{'server CPU, ms a request':30}{SMALL:>10}{GROWN:>10}  {GROWN}/{SMALL}"
    for row in rows:
        if row.failures:
            yield f"{row.scenario.title:30}not measured: {'; '.join(sorted(set(row.failures.values())))}"
            continue
        small, grown = (row.median(name, cpu) or 0.0 for name in (SMALL, GROWN))
        ratio = spread(row.ratios(GROWN, SMALL, cpu))
        yield f"{row.scenario.title:30}{small * 1000:>10.2f}{grown * 1000:>10.2f}  {ratio}"
