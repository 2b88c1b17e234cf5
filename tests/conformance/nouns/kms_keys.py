"""KMS keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portside.core.names import RegistryId
from portside.storage.metadata.kms_keys import KmsKeyRow
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, NOW, REGISTRY, STRANGER, registry

KEY = KmsKeyRow(
    id="00000000-0000-4000-8000-000000000001",
    registry=REGISTRY,
    alias="alias/team",
    enabled=True,
    managed=False,
    wrapped=bytes(range(256)),
    created_at=NOW,
)
OTHER = replace(KEY, id=f"{KEY.id[:-1]}2")
ELSEWHERE = (RegistryId(STRANGER, REGISTRY.region), RegistryId(ACCOUNT, "us-east-1"))


class KmsKeysConformance:
    @pytest.mark.parametrize(
        "key", [KEY, replace(KEY, alias=None), replace(KEY, enabled=False), replace(KEY, managed=True)]
    )
    async def test_a_kms_key_is_found_as_it_was_added(self, metadata: Metadata, key: KmsKeyRow) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            assert await unit.kms_keys.add(key)
        async with metadata.reading() as unit:
            found = await unit.kms_keys.find(KEY.id)
            assert found == key
            assert (found.enabled, found.managed) == (key.enabled, key.managed)
            assert await unit.kms_keys.find(OTHER.id) is None
            assert await unit.kms_keys.called(REGISTRY, "alias/team") == (key if key.alias else None)

    async def test_an_alias_is_one_of_a_kind_in_an_account_and_region(self, metadata: Metadata) -> None:
        for account in (ACCOUNT, STRANGER):
            await registry(metadata, account)
        async with metadata.writing() as unit:
            assert await unit.kms_keys.add(KEY)
            assert not await unit.kms_keys.add(OTHER)
            for number, place in enumerate(ELSEWHERE):
                theirs = replace(KEY, id=f"elsewhere-{number}", registry=place)
                assert await unit.kms_keys.called(place, "alias/team") is None
                assert await unit.kms_keys.add(theirs)
                assert await unit.kms_keys.called(place, "alias/team") == theirs
            assert await unit.kms_keys.called(REGISTRY, "alias/team") == KEY

    async def test_any_number_of_kms_keys_have_no_alias(self, metadata: Metadata) -> None:
        await registry(metadata)
        keys = [replace(KEY, alias=None), replace(OTHER, alias=None)]
        async with metadata.writing() as unit:
            assert [await unit.kms_keys.add(key) for key in reversed(keys)] == [True, True]
            assert await unit.kms_keys.page("", 10) == keys
            assert await unit.kms_keys.page("", 1) == keys[:1]
            assert await unit.kms_keys.page(KEY.id, 10) == keys[1:]

    async def test_a_kms_key_is_switched_off_and_on(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            await unit.kms_keys.add(KEY)
            await unit.kms_keys.add(replace(OTHER, alias=None))
            await unit.kms_keys.enable(KEY.id, on=False)
            assert await unit.kms_keys.find(KEY.id) == replace(KEY, enabled=False)
            assert await unit.kms_keys.find(OTHER.id) == replace(OTHER, alias=None)
            await unit.kms_keys.enable(KEY.id, on=True)
            assert await unit.kms_keys.find(KEY.id) == KEY

    def test_a_kms_key_is_not_shown(self) -> None:
        assert "wrapped" not in repr(KEY)
        assert KEY.arn == f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{KEY.id}"
