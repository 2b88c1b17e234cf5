"""Inspection: every blob and every manifest once, page by page."""

from __future__ import annotations

from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.inspection import StoredBlob, StoredManifest
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, KEY, NOW, REGISTRY, SIZE, digest, image, key_of


class InspectionConformance:
    async def test_every_blob_is_on_one_page(self, metadata: Metadata) -> None:
        await key_of(metadata)
        async with metadata.writing() as unit:
            await unit.accounts.add_data_key(DataKeyRow("another", "kms", ACCOUNT, b""), NOW)
            for key, number in (("another", 2), (KEY, 1), (KEY, 3), ("another", 1)):
                await unit.layers.add_blob(key, digest(number), f"{key}/{number}", SIZE, NOW)
            await unit.layers.damage(KEY, digest(3), f"{KEY}/3")
            expected = [
                StoredBlob("another", digest(1), "another/1", SIZE, damaged=False),
                StoredBlob("another", digest(2), "another/2", SIZE, damaged=False),
                StoredBlob(KEY, digest(1), f"{KEY}/1", SIZE, damaged=False),
                StoredBlob(KEY, digest(3), f"{KEY}/3", SIZE, damaged=True),
            ]
            assert await unit.inspection.blobs(("", ""), 10) == expected
            assert await unit.inspection.blobs(("", ""), 3) == expected[:3]
            assert await unit.inspection.blobs((KEY, str(digest(1))), 3) == expected[3:]

    async def test_every_manifest_is_on_one_page(self, metadata: Metadata) -> None:
        one, two = await key_of(metadata, "one"), await key_of(metadata, "two")
        async with metadata.writing() as unit:
            for key, number in ((two, 1), (one, 2), (one, 1)):
                await unit.manifests.add(key, image(number), b"sealed")
            expected = [(one, digest(1)), (one, digest(2)), (two, digest(1))]
            assert await unit.inspection.manifests((0, ""), 10) == expected
            assert await unit.inspection.manifests((one, str(digest(1))), 1) == expected[1:2]
            assert await unit.inspection.manifests((two, str(digest(1))), 1) == []

    async def test_a_manifest_says_whose_key_it_is_sealed_under(self, metadata: Metadata) -> None:
        key = await key_of(metadata, "one")
        async with metadata.writing() as unit:
            await unit.manifests.add(key, image(1), b"sealed")
            found = await unit.inspection.manifest(key, digest(1))
            assert found == StoredManifest(REGISTRY.repository("one"), KEY, b"sealed")
            assert await unit.inspection.manifest(key, digest(2)) is None
