"""Accounts, access keys and data keys."""

from __future__ import annotations

import pytest

from portside.storage.metadata.accounts import AccessKeyRow, DataKeyRow
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, NOW, STRANGER, registry

SECRET = bytes(range(256))


def access_key(identifier: str, account: str = ACCOUNT, *, active: bool = True) -> AccessKeyRow:
    return AccessKeyRow(identifier, account, "root", SECRET, active)


class AccountsConformance:
    async def test_an_account_is_there_once_it_was_added(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert not await unit.accounts.exists(ACCOUNT)
            assert await unit.accounts.add(ACCOUNT, NOW)
            assert await unit.accounts.exists(ACCOUNT)
            assert not await unit.accounts.exists(STRANGER)

    async def test_an_account_is_added_once(self, metadata: Metadata) -> None:
        async with metadata.writing() as unit:
            assert await unit.accounts.add(ACCOUNT, NOW)
            assert not await unit.accounts.add(ACCOUNT, NOW + 1)

    @pytest.mark.parametrize("active", [True, False])
    async def test_an_access_key_is_found_as_it_was_put(self, metadata: Metadata, *, active: bool) -> None:
        await registry(metadata)
        key = access_key("AKIAONE", active=active)
        async with metadata.writing() as unit:
            await unit.accounts.set_root_key(key, NOW)
        async with metadata.reading() as unit:
            found = await unit.accounts.access_key("AKIAONE")
            assert found == key
            assert found.active is active
            assert await unit.accounts.access_key("AKIATWO") is None

    async def test_a_new_root_key_ends_the_old_ones(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for at, identifier in enumerate(("AKIAB", "AKIAA", "AKIAC")):
                await unit.accounts.set_root_key(access_key(identifier), NOW + at)
        async with metadata.reading() as unit:
            keys = await unit.accounts.access_keys(ACCOUNT)
        assert [(key.id, key.active) for key in keys] == [("AKIAB", False), ("AKIAA", False), ("AKIAC", True)]

    async def test_a_root_key_that_is_set_again_works_again(self, metadata: Metadata) -> None:
        await registry(metadata)
        renewed = AccessKeyRow("AKIAONE", ACCOUNT, "root", b"another", True)
        async with metadata.writing() as unit:
            for key in (access_key("AKIAONE"), access_key("AKIATWO"), renewed):
                await unit.accounts.set_root_key(key, NOW)
        async with metadata.reading() as unit:
            assert await unit.accounts.access_key("AKIAONE") == renewed
            assert await unit.accounts.access_key("AKIATWO") == access_key("AKIATWO", active=False)

    async def test_a_root_key_ends_no_other_accounts(self, metadata: Metadata) -> None:
        await registry(metadata)
        await registry(metadata, STRANGER)
        async with metadata.writing() as unit:
            await unit.accounts.set_root_key(access_key("AKIATHEIRS", STRANGER), NOW)
            await unit.accounts.set_root_key(access_key("AKIAOURS"), NOW)
        async with metadata.reading() as unit:
            assert await unit.accounts.access_keys(STRANGER) == [access_key("AKIATHEIRS", STRANGER)]
            assert await unit.accounts.access_keys(ACCOUNT) == [access_key("AKIAOURS")]

    async def test_a_data_key_is_found_by_id_and_by_purpose(self, metadata: Metadata) -> None:
        key = DataKeyRow("one", "content", ACCOUNT, SECRET)
        async with metadata.writing() as unit:
            assert await unit.accounts.add_data_key(key, NOW)
        async with metadata.reading() as unit:
            assert await unit.accounts.data_key("one") == key
            assert await unit.accounts.data_key_for("content", ACCOUNT) == key
            assert await unit.accounts.data_key("two") is None
            assert await unit.accounts.data_key_for("content", "") is None
            assert await unit.accounts.data_key_for("page", ACCOUNT) is None

    async def test_a_purpose_has_one_data_key(self, metadata: Metadata) -> None:
        first = DataKeyRow("one", "content", ACCOUNT, b"first")
        async with metadata.writing() as unit:
            assert await unit.accounts.add_data_key(first, NOW)
            assert not await unit.accounts.add_data_key(DataKeyRow("two", "content", ACCOUNT, b"second"), NOW)
            assert await unit.accounts.add_data_key(DataKeyRow("three", "content", "", b"third"), NOW)
        async with metadata.reading() as unit:
            assert await unit.accounts.data_key_for("content", ACCOUNT) == first
            assert await unit.accounts.data_key("two") is None
