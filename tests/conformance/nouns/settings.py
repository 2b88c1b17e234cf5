"""Account settings: one value a name, account and region."""

from __future__ import annotations

from portside.core.names import RegistryId
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, REGISTRY, STRANGER, registry


class SettingsConformance:
    async def test_a_setting_is_what_was_put_last(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            assert await unit.settings.value(REGISTRY, "BLOB_MOUNTING") is None
            for value in ("ENABLED", "DISABLED"):
                await unit.settings.put(REGISTRY, "BLOB_MOUNTING", value)
                assert await unit.settings.value(REGISTRY, "BLOB_MOUNTING") == value

    async def test_a_setting_is_one_registrys(self, metadata: Metadata) -> None:
        for account in (ACCOUNT, STRANGER):
            await registry(metadata, account)
        elsewhere = [RegistryId(STRANGER, REGISTRY.region), RegistryId(ACCOUNT, "us-east-1")]
        async with metadata.writing() as unit:
            await unit.settings.put(REGISTRY, "BLOB_MOUNTING", "ENABLED")
            assert [await unit.settings.value(one, "BLOB_MOUNTING") for one in elsewhere] == [None, None]
            assert await unit.settings.value(REGISTRY, "ANOTHER") is None
