"""Identities, what they hold, their access keys, and the policies of resources."""

from __future__ import annotations

import dataclasses

from portside.core.identities import Document, Identity, Kind, PolicyVersion
from portside.core.names import RegistryId
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Metadata
from tests.conformance.nouns.rows import ACCOUNT, REGISTRY, STRANGER, registry, repository

ANN = Identity("AIDAANN", ACCOUNT, Kind.USER, "Ann", "/team/", 7, {"tags": {"k": "v"}})
BOB = Identity("AIDABOB", ACCOUNT, Kind.USER, "bob", "/", 8)
TEAM = Identity("AGPATEAM", ACCOUNT, Kind.GROUP, "team", "/", 9)
PULL = Identity("ANPAPULL", ACCOUNT, Kind.POLICY, "pull", "/", 10)


class IdentitiesConformance:
    async def test_an_identity_is_found_by_its_name_in_any_case_and_by_its_id(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            assert await unit.identities.add(ANN)
            assert await unit.identities.find(ACCOUNT, Kind.USER, "aNN") == ANN
            assert await unit.identities.lock(ACCOUNT, Kind.USER, "ANN") == ANN
            assert await unit.identities.get("AIDAANN") == ANN
            assert await unit.identities.find(ACCOUNT, Kind.ROLE, "ann") is None
            assert await unit.identities.find(STRANGER, Kind.USER, "ann") is None

    async def test_a_name_is_taken_in_every_case_for_its_kind_and_account_alone(self, metadata: Metadata) -> None:
        await registry(metadata)
        await registry(metadata, STRANGER)
        async with metadata.writing() as unit:
            assert await unit.identities.add(ANN)
            assert not await unit.identities.add(dataclasses.replace(ANN, id="AIDA2", name="ANN"))
            assert await unit.identities.add(dataclasses.replace(ANN, id="AROA3", kind=Kind.ROLE))
            assert await unit.identities.add(dataclasses.replace(ANN, id="AIDA4", account=STRANGER))
            assert await unit.identities.count(ACCOUNT, Kind.USER) == 1

    async def test_pages_go_by_name_without_its_case_and_by_path(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for name in ("b", "C", "a", "D"):
                await unit.identities.add(dataclasses.replace(ANN, id=f"AIDA{name}", name=name, path=f"/{name}/"))
            page = await unit.identities.page(ACCOUNT, Kind.USER, prefix="/", after="", limit=2)
            assert [one.name for one in page] == ["a", "b"]
            page = await unit.identities.page(ACCOUNT, Kind.USER, prefix="/", after="B", limit=9)
            assert [one.name for one in page] == ["C", "D"]
            page = await unit.identities.page(ACCOUNT, Kind.USER, prefix="/C", after="", limit=9)
            assert [one.name for one in page] == ["C"]

    async def test_an_identity_changes_and_goes(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            await unit.identities.add(ANN)
            other = dataclasses.replace(ANN, name="Anna", path="/", attributes={}, boundary="arn")
            await unit.identities.change(other)
            assert await unit.identities.find(ACCOUNT, Kind.USER, "anna") == other
            assert await unit.identities.find(ACCOUNT, Kind.USER, "ann") is None
            assert await unit.identities.bounded_by("arn") == [other]
            assert await unit.identities.bounded_by("other") == []
            await unit.identities.delete(ANN.id)
            assert await unit.identities.get(ANN.id) is None

    async def test_a_policy_has_versions_of_which_one_is_the_default(self, metadata: Metadata) -> None:
        await registry(metadata)
        first, second = PolicyVersion(1, "one", True, 5), PolicyVersion(2, "two", False, 6)
        async with metadata.writing() as unit:
            await unit.identities.add(PULL)
            for version in (first, second):
                await unit.identities.add_version(PULL.id, version)
            assert await unit.identities.versions(PULL.id) == [second, first]
            await unit.identities.choose_version(PULL.id, 2)
            assert [version.is_default for version in await unit.identities.versions(PULL.id)] == [True, False]
            await unit.identities.delete_version(PULL.id, 1)
            assert [version.number for version in await unit.identities.versions(PULL.id)] == [2]
            await unit.identities.delete(PULL.id)
            assert await unit.identities.versions(PULL.id) == []

    async def test_a_user_holds_what_its_groups_hold(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for identity in (ANN, BOB, TEAM, PULL):
                await unit.identities.add(identity)
            await unit.identities.add_version(PULL.id, PolicyVersion(1, "text", True, 5))
            await unit.identities.add_version(PULL.id, PolicyVersion(2, "draft", False, 5))
            assert await unit.holdings.join(TEAM.id, ANN.id)
            assert not await unit.holdings.join(TEAM.id, ANN.id)
            assert await unit.holdings.attach(TEAM.id, PULL.id)
            assert not await unit.holdings.attach(TEAM.id, PULL.id)
            assert await unit.holdings.attach(ANN.id, "arn:aws:iam::aws:policy/ReadOnlyAccess")
            await unit.holdings.put_inline(TEAM.id, "of-team", "t")
            await unit.holdings.put_inline(ANN.id, "own", "1")
            await unit.holdings.put_inline(ANN.id, "own", "2")
            assert sorted(await unit.holdings.attached_documents(ANN.id)) == [
                (PULL.id, "text"),
                ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
            ]
            held = await unit.holdings.inline_documents(ANN.id)
            assert sorted(held, key=lambda one: one.name) == [Document("of-team", "t"), Document("own", "2")]
            assert await unit.holdings.inline(ANN.id) == [Document("own", "2")]
            assert await unit.holdings.attached(ANN.id) == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
            assert await unit.holdings.attached_documents(BOB.id) == []
            assert await unit.holdings.inline_documents(BOB.id) == []
            assert await unit.holdings.holders(PULL.id) == [TEAM]
            assert await unit.holdings.groups(ANN.id) == [TEAM]
            assert await unit.holdings.members(TEAM.id, after="", limit=9) == [ANN]
            assert await unit.holdings.members(TEAM.id, after="ann", limit=9) == []

    async def test_what_is_held_can_be_taken_away_once(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for identity in (ANN, TEAM):
                await unit.identities.add(identity)
            await unit.holdings.join(TEAM.id, ANN.id)
            await unit.holdings.attach(ANN.id, "p")
            await unit.holdings.put_inline(ANN.id, "own", "1")
            for expected in (True, False):
                assert await unit.holdings.leave(TEAM.id, ANN.id) == expected
                assert await unit.holdings.detach(ANN.id, "p") == expected
                assert await unit.holdings.drop_inline(ANN.id, "own") == expected

    async def test_access_keys_belong_to_somebody_and_remember_their_last_use(self, metadata: Metadata) -> None:
        await registry(metadata)
        async with metadata.writing() as unit:
            for number, principal in enumerate((ANN.id, ANN.id, "root")):
                row = AccessKeyRow(f"AKIA{number}", ACCOUNT, principal, b"s", active=True)
                await unit.access_keys.add(row, 5 + number)
            assert [key.id for key in await unit.access_keys.of(ACCOUNT, ANN.id)] == ["AKIA0", "AKIA1"]
            assert [key.id for key in await unit.access_keys.of(ACCOUNT, "root")] == ["AKIA2"]
            await unit.access_keys.set_active("AKIA0", active=False)
            await unit.access_keys.used("AKIA0", 99, "us-east-1", "ecr")
            key = await unit.access_keys.get("AKIA0")
            assert key is not None
            assert (key.active, key.last_used_at, key.last_used_service) == (False, 99, "ecr")
            await unit.access_keys.delete("AKIA0")
            assert await unit.access_keys.get("AKIA0") is None

    async def test_an_account_has_one_alias_that_no_other_has(self, metadata: Metadata) -> None:
        await registry(metadata)
        await registry(metadata, STRANGER)
        async with metadata.writing() as unit:
            assert await unit.accounts.set_alias(ACCOUNT, "ours")
            assert not await unit.accounts.set_alias(STRANGER, "ours")
            assert await unit.accounts.alias(ACCOUNT) == "ours"
            assert await unit.accounts.set_alias(ACCOUNT, None)
            assert await unit.accounts.alias(ACCOUNT) is None
            assert [account for account, _ in await unit.accounts.page("", 9)] == [ACCOUNT, STRANGER]
            assert [account for account, _ in await unit.accounts.page(ACCOUNT, 9)] == [STRANGER]

    async def test_resources_have_one_policy_each_which_goes_with_them(self, metadata: Metadata) -> None:
        held = await repository(metadata)
        elsewhere = RegistryId(ACCOUNT, "us-east-1")
        async with metadata.writing() as unit:
            policies = unit.resource_policies
            assert await policies.of_repository(held.id) is None
            for text in ("one", "two"):
                await policies.put_of_repository(held.key, text, text)
                await policies.put_of_registry(REGISTRY, text, text)
            assert await policies.of_repository(held.id) == "two"
            assert await policies.of_registry(REGISTRY) == "two"
            assert await policies.of_registry(elsewhere) is None
            assert await policies.about(held.id) == ("two", "two", {})
            assert await policies.about(REGISTRY.repository("missing")) == (None, "two", {})
            assert await policies.about(elsewhere.repository("missing")) == (None, None, {})
            assert await policies.delete_of_registry(REGISTRY)
            assert not await policies.delete_of_registry(REGISTRY)
            await unit.repositories.delete(held.key)
            assert await policies.of_repository(held.id) is None
            assert not await policies.delete_of_repository(held.key)
