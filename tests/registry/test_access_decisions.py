"""The gate over real rows: which documents it gathers, what it remembers, and that it forgets in time."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from portside.core.errors import AccessDenied
from portside.core.identities import Identity, Kind, PolicyVersion
from portside.core.records import RepositorySettings
from portside.identity.caller import Caller, Principal
from portside.registry.access import Access
from tests.registry.house import ACCOUNT, APP, HOME, STRANGER, House
from tests.registry.iam_house import caller_of

PULL = "ecr:BatchGetImage"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
ANN = Identity("AIDAANNANNANNANNANNAN", ACCOUNT, Kind.USER, "ann", "/", 1)
TEAM = Identity("AGPATEAMTEAMTEAMTEAMT", ACCOUNT, Kind.GROUP, "team", "/", 1)
PUSHERS = Identity("ANPAPUSHERSPUSHERSPUS", ACCOUNT, Kind.POLICY, "pushers", "/", 1)


def document(action: str, effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, **more}
    if "Principal" not in statement:
        statement.setdefault("Resource", "*")
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def user(house: House, identity: Identity = ANN) -> Caller:
    return caller_of(house, identity)


@pytest.fixture
async def access(house: House) -> Access:
    async with house.stores.metadata.writing() as unit:
        await unit.accounts.add(STRANGER, 1)
        for identity in (ANN, TEAM, PUSHERS):
            await unit.identities.add(identity)
        await unit.identities.add_version(PUSHERS.id, PolicyVersion(1, document("ecr:PutImage"), True, 1))
        await unit.holdings.join(TEAM.id, ANN.id)
    return Access(house.stores)


async def allows(access: Access, caller: Caller, action: str = PULL) -> bool:
    try:
        await access.repository(caller, action, APP)
    except AccessDenied:
        return False
    return True


async def test_a_user_without_policies_may_nothing(house: House, access: Access) -> None:
    with pytest.raises(AccessDenied) as caught:
        await access.repository(user(house), PULL, APP)
    assert caught.value.message == (
        f"User: {ANN.arn} is not authorized to perform: {PULL} on resource: {APP.arn} "
        f"because no identity-based policy allows the {PULL} action"
    )


@pytest.mark.parametrize("holder", [ANN, TEAM])
async def test_policies_count_from_the_next_request_and_no_longer(
    house: House, access: Access, holder: Identity
) -> None:
    for put, drop, action in (
        ("attach", "detach", "ecr:DescribeImages"),
        ("put_inline", "drop_inline", "ecr:ListImages"),
    ):
        name = READ_ONLY if put == "attach" else "own"
        assert not await allows(access, user(house), action)
        async with house.stores.metadata.writing() as unit:
            more = () if put == "attach" else (document(action),)
            await getattr(unit.holdings, put)(holder.id, name, *more)
        assert await allows(access, user(house), action)
        async with house.stores.metadata.writing() as unit:
            await getattr(unit.holdings, drop)(holder.id, name)
        assert not await allows(access, user(house), action)


async def test_of_a_managed_policy_the_default_version_counts(house: House, access: Access) -> None:
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.attach(ANN.id, PUSHERS.id)
        await unit.identities.add_version(PUSHERS.id, PolicyVersion(2, document("ecr:ListImages"), False, 1))
    assert await allows(access, user(house), "ecr:PutImage")
    assert not await allows(access, user(house), "ecr:ListImages")
    async with house.stores.metadata.writing() as unit:
        await unit.identities.choose_version(PUSHERS.id, 2)
    assert not await allows(access, user(house), "ecr:PutImage")
    assert await allows(access, user(house), "ecr:ListImages")


async def test_a_boundary_narrows_what_a_user_may(house: House, access: Access) -> None:
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "all", document("ecr:*"))
        bounded = dataclasses.replace(ANN, boundary=PUSHERS.arn)
        await unit.identities.change(bounded)
    assert await allows(access, user(house, bounded), "ecr:PutImage")
    assert not await allows(access, user(house, bounded))


async def test_a_repository_policy_speaks_for_a_user_by_its_unique_id(house: House, access: Access) -> None:
    repository = await house.create(APP)
    async with house.stores.metadata.writing() as unit:
        granted = document(PULL, Principal={"AWS": ANN.id})
        await unit.resource_policies.put_of_repository(repository.key, granted, granted)
    assert await allows(access, user(house))
    async with house.stores.metadata.writing() as unit:
        await unit.resource_policies.delete_of_repository(repository.key)
    assert not await allows(access, user(house))


async def test_another_account_needs_both_sides(house: House, access: Access) -> None:
    stranger = Caller(Principal.root(STRANGER, "AKIASTRANGER"), house.caller.circumstances)
    assert not await allows(access, stranger)
    granted = document(PULL, Principal={"AWS": STRANGER}, Resource=f"arn:aws:ecr:*:{ACCOUNT}:repository/team/*")
    async with house.stores.metadata.writing() as unit:
        await unit.resource_policies.put_of_registry(HOME, granted, granted)
    assert await allows(access, stranger)
    assert not await allows(access, stranger, "ecr:PutImage")
    bob = dataclasses.replace(ANN, id="AIDABOB", account=STRANGER, name="bob")
    assert not await allows(access, user(house, bob))


async def test_a_deny_of_the_repository_binds_the_root_user_too(house: House, access: Access) -> None:
    repository = await house.create(APP)
    denied = document(PULL, "Deny", Principal="*")
    async with house.stores.metadata.writing() as unit:
        await unit.resource_policies.put_of_repository(repository.key, denied, denied)
    assert not await allows(access, house.caller)
    assert await allows(access, house.caller, "ecr:PutImage")


async def test_a_condition_on_the_request_is_judged_at_every_request(house: House, access: Access) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "home", document("ecr:*", Condition=condition))
    for address, expected in (("10.1.1.1", True), ("192.0.2.1", False), ("10.1.1.1", True)):
        ann = user(house)
        here = dataclasses.replace(ann.circumstances, source_ip=address)
        assert await allows(access, Caller(ann.principal, here)) == expected


async def test_tags_of_a_repository_decide(house: House, access: Access) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "blue", "ecr:ResourceTag/Team": "blue"}}
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "blue", document("ecr:*", Condition=condition))
    assert not await allows(access, user(house))
    settings = RepositorySettings(resource_tags={"Team": "blue"})
    await house.registry.repositories.create(house.caller, APP, settings)
    assert await allows(access, user(house))


@pytest.mark.usefixtures("access")
async def test_tags_of_a_request_decide_and_tagging_is_an_action_of_its_own(house: House) -> None:
    condition = {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": "team"}}
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "make", document("ecr:CreateRepository", Condition=condition))
    create = house.registry.repositories.create
    for tags in ({}, {"team": "red"}, {"team": "blue", "more": "x"}, {"team": "blue"}):
        with pytest.raises(AccessDenied):
            await create(user(house), APP, RepositorySettings(resource_tags=tags))
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "tag", document("ecr:TagResource"))
    assert await create(user(house), APP, RepositorySettings(resource_tags={"team": "blue"}))


async def test_denials_are_logged_for_operators_only_where_they_ask_for_it(
    house: House, access: Access, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not await allows(access, user(house))
    assert "denied" not in capsys.readouterr().out
    async with house.stores.metadata.writing() as unit:
        await unit.holdings.put_inline(ANN.id, "no", document("ecr:*", "Deny"))
    assert not await allows(Access(house.stores, log_denials=True), user(house))
    line = capsys.readouterr().out
    assert all(word in line for word in ("denied", ANN.arn, PULL, "explicit_deny", "statement 1"))
