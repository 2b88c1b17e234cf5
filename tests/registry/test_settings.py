from __future__ import annotations

import pytest

from portside.core.errors import InvalidParameter
from portside.core.names import RegistryId
from tests.registry.house import ACCOUNT, HOME, House

NAMES = "[BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE, BLOB_MOUNTING]"


async def get(house: House, name: str = "BLOB_MOUNTING", registry: RegistryId = HOME) -> str:
    return await house.registry.settings.get(house.caller, registry, name)


async def put(house: House, value: str, name: str = "BLOB_MOUNTING") -> None:
    await house.registry.settings.put(house.caller, HOME, name, value)


async def test_blobs_are_not_mounted_until_the_account_says_so(house: House) -> None:
    assert await get(house) == "DISABLED"


async def test_a_setting_is_what_was_put(house: House) -> None:
    for value in ("ENABLED", "DISABLED", "ENABLED"):
        await put(house, value)
        assert await get(house) == value


async def test_a_setting_is_one_regions(house: House) -> None:
    await put(house, "ENABLED")
    assert await get(house, registry=RegistryId(ACCOUNT, "us-east-1")) == "DISABLED"


@pytest.mark.parametrize(
    ("name", "default", "other"),
    [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", "CLAIR"),
        ("REGISTRY_POLICY_SCOPE", "V2", "V1"),
        ("BLOB_MOUNTING", "DISABLED", "ENABLED"),
    ],
)
async def test_every_documented_setting_has_its_values(house: House, name: str, default: str, other: str) -> None:
    assert await get(house, name) == default
    for value in (other, default):
        await put(house, value, name)
        assert await get(house, name) == value


@pytest.mark.parametrize("name", ["blob_mounting", "X", "BLOB_MOUNTING "])
async def test_an_unknown_setting_is_refused_with_those_that_are(house: House, name: str) -> None:
    for asked in (get(house, name), put(house, "ENABLED", name)):
        with pytest.raises(InvalidParameter) as caught:
            await asked
        assert caught.value.message == (
            f"Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy enum value set: {NAMES}'"
        )


@pytest.mark.parametrize("value", ["", "enabled", "TRUE"])
async def test_an_unknown_value_is_refused_and_changes_nothing(house: House, value: str) -> None:
    await put(house, "ENABLED")
    with pytest.raises(InvalidParameter) as caught:
        await put(house, value)
    assert caught.value.message == (
        "Invalid parameter at 'value' failed to satisfy constraint: "
        "'Member must satisfy enum value set: [DISABLED, ENABLED]'"
    )
    assert await get(house) == "ENABLED"
