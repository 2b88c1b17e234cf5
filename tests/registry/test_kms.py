"""What operators do with KMS keys."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from portside.core.iam_errors import EntityAlreadyExists, InvalidInput, NoSuchEntity, UnmodifiableEntity
from portside.registry.kms import KmsOperators
from tests.registry.house import ACCOUNT, REGION, STRANGER, Clock, House


@pytest.fixture
def operators(house: House) -> KmsOperators:
    return KmsOperators(house.stores)


async def test_a_key_is_made_for_the_only_account_and_listed(operators: KmsOperators, clock: Clock) -> None:
    made = await operators.create(None, REGION, "team/app")
    assert made.arn == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{made.id}"
    assert (made.alias, made.enabled, made.managed, made.created_at) == ("alias/team/app", True, False, clock.now)
    assert await operators.keys() == [made]


async def test_keys_are_listed_by_account_and_region_and_age(
    operators: KmsOperators, house: House, clock: Clock
) -> None:
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.add(STRANGER, 0)
    theirs = await operators.create(STRANGER, REGION, None)
    later = await operators.create(ACCOUNT, "us-east-1", None)
    made = []
    for _ in range(3):
        clock.forward(1)
        made.append(await operators.create(ACCOUNT, REGION, None))
    assert await operators.keys() == [*made, later, theirs]


async def test_nothing_that_is_shown_holds_a_key(operators: KmsOperators) -> None:
    made = asdict(await operators.create(None, REGION, None))
    assert not any(isinstance(value, bytes) for value in made.values())


@pytest.mark.parametrize("alias", ["alias/team", "team"])
async def test_an_alias_is_taken_once_in_a_region(operators: KmsOperators, alias: str) -> None:
    await operators.create(None, REGION, "team")
    with pytest.raises(EntityAlreadyExists, match=f"The account {ACCOUNT} has a key alias/team in {REGION}"):
        await operators.create(None, REGION, alias)
    await operators.create(None, "us-east-1", alias)


@pytest.mark.parametrize("alias", ["", "aws/ecr", "alias/aws/ecr", "a b", "ä", "alias/", "a" * 251, "arn:aws:x"])
async def test_what_is_no_alias_is_refused(operators: KmsOperators, alias: str) -> None:
    with pytest.raises(InvalidInput, match="is not an alias"):
        await operators.create(None, REGION, alias)
    assert await operators.keys() == []


async def test_an_account_is_named_where_there_are_several(operators: KmsOperators, house: House) -> None:
    with pytest.raises(NoSuchEntity, match=f"There is no account {STRANGER}"):
        await operators.create(STRANGER, REGION, None)
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.add(STRANGER, 0)
    with pytest.raises(InvalidInput, match="--of ACCOUNT"):
        await operators.create(None, REGION, None)
    made = await operators.create(STRANGER, REGION, "team")
    with pytest.raises(InvalidInput, match="--of ACCOUNT"):
        await operators.switch(None, REGION, "alias/team", on=False)
    assert not (await operators.switch(STRANGER, REGION, "alias/team", on=False)).enabled
    assert (await operators.switch(None, REGION, made.id, on=True)).enabled


@pytest.mark.parametrize("form", ["id", "arn", "alias", "name"])
async def test_a_key_is_switched_off_and_on_by_any_of_its_names(operators: KmsOperators, form: str) -> None:
    other = await operators.create(None, REGION, None)
    made = asdict(await operators.create(None, REGION, "team"))
    text = {**made, "name": "team"}[form]
    for on in (False, False, True, True):
        assert asdict(await operators.switch(None, REGION, text, on=on)) == {**made, "enabled": on}
        assert [one.enabled for one in await operators.keys() if one.id == made["id"]] == [on]
    assert other in await operators.keys()


@pytest.mark.parametrize("text", ["alias/none", "none", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none", ""])
async def test_a_key_that_is_not_there_is_told(operators: KmsOperators, text: str) -> None:
    with pytest.raises(NoSuchEntity, match="There is no KMS key"):
        await operators.switch(None, REGION, text, on=False)


async def test_what_looks_like_an_id_is_one(operators: KmsOperators) -> None:
    identifier = "00000000-0000-4000-8000-000000000000"
    made = await operators.create(None, REGION, identifier)
    with pytest.raises(NoSuchEntity, match=f"There is no KMS key {identifier}"):
        await operators.switch(None, REGION, identifier, on=False)
    assert (await operators.switch(None, REGION, f"alias/{identifier}", on=True)) == made


async def test_the_registrys_own_key_cannot_be_disabled(operators: KmsOperators, house: House) -> None:
    await house.create(encryption_type="KMS")
    [own] = await operators.keys()
    for text in (own.id, own.arn, "alias/aws/ecr"):
        with pytest.raises(UnmodifiableEntity, match="cannot be disabled"):
            await operators.switch(None, REGION, text, on=False)
    assert (await operators.switch(None, REGION, "alias/aws/ecr", on=True)) == own
    assert await operators.keys() == [own]
