"""Policies of repositories and registries: what is taken, how it is kept and shown, and nobody locks oneself out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portside.core.errors import AccessDenied, InvalidParameter, RepositoryNotFound
from portside.core.iam_errors import RegistryPolicyNotFound, RepositoryPolicyNotFound
from portside.core.identities import Kind
from tests.registry.house import ACCOUNT, APP, HOME, STRANGER, House
from tests.registry.iam_house import document, user

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
INVALID = "Invalid parameter at 'PolicyText' failed to satisfy constraint: '{}'"


@pytest.fixture
async def app(house: House) -> House:
    await house.create(APP)
    return house


async def put(house: House, text: str, *, force: bool = False) -> str:
    return await house.registry.policies.set_of_repository(house.caller, APP, text, force=force)


async def test_a_policy_is_shown_as_it_is_set_and_got_and_deleted(app: House) -> None:
    text = document("ecr:BatchGetImage", Principal={"AWS": [STRANGER]}, Sid="two words")
    shown = await put(app, text)
    assert json.loads(shown)["Statement"]["Principal"] == {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    assert shown.startswith('{\n  "Version" : "2012-10-17",\n  "Statement" : {\n    "Effect" : "Allow",')
    assert await app.registry.policies.of_repository(app.caller, APP) == shown
    assert await app.registry.policies.delete_of_repository(app.caller, APP) == shown
    for ask in (app.registry.policies.of_repository, app.registry.policies.delete_of_repository):
        with pytest.raises(RepositoryPolicyNotFound):
            await ask(app.caller, APP)


async def test_users_are_kept_by_id_and_a_new_one_of_the_name_gets_nothing(app: House) -> None:
    ann = await user(app, "ann")
    await put(app, document("ecr:BatchGetImage", Principal={"AWS": ANN}))
    [[stored]] = await app.rows("SELECT document FROM repository_policies")
    assert ann.principal.user_id in stored
    assert ANN not in stored
    assert ANN in await app.registry.policies.of_repository(app.caller, APP)
    await app.registry.iam.directory.rename(app.caller, Kind.USER, "ann", "anna", None)
    assert ANN.replace("ann", "anna") in await app.registry.policies.of_repository(app.caller, APP)
    await app.registry.iam.directory.delete(app.caller, Kind.USER, "anna")
    new = await user(app, "ann")
    shown = await app.registry.policies.of_repository(app.caller, APP)
    assert ann.principal.user_id in shown
    with pytest.raises(AccessDenied):
        await app.registry.images.tags(new, APP, after="", limit=1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "Invalid repository policy provided"),
        ("no json", "Invalid repository policy provided"),
        (document(Principal="*", Resource="*"), "Invalid repository policy provided"),
        (document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:*"}), "Invalid repository policy provided"),
        (document(Principal={"AWS": ANN}), "Principal not found"),
        (document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/ci"}), "Principal not found"),
        (document(Principal={"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run"}), "Principal not found"),
    ],
)
async def test_what_is_no_policy_or_names_nobody_is_refused_word_for_word(app: House, text: str, reason: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        await put(app, text)
    assert caught.value.message == INVALID.format(reason)
    assert await app.rows("SELECT * FROM repository_policies") == []


async def test_of_other_accounts_only_the_syntax_is_known(app: House) -> None:
    arn = f"arn:aws:iam::{STRANGER}:user/anybody"
    assert arn in await put(app, document(Principal={"AWS": arn}))


async def test_nobody_locks_oneself_out_without_force(app: House) -> None:
    ann = await user(app, "ann", "ecr:*")
    policies, deny = app.registry.policies, document("ecr:SetRepositoryPolicy", "Deny", Principal={"AWS": ANN})
    with pytest.raises(InvalidParameter, match="Use force to override"):
        await policies.set_of_repository(ann, APP, deny, force=False)
    await policies.set_of_repository(ann, APP, deny, force=True)
    with pytest.raises(AccessDenied):
        await policies.set_of_repository(ann, APP, deny, force=True)
    everybody = document("ecr:*", "Deny", Principal="*")
    await policies.set_of_repository(app.caller, APP, everybody, force=False)


async def test_a_repository_that_is_not_there_has_no_policy(house: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await put(house, document(Principal="*"))


async def test_a_registry_has_a_policy_of_its_own(house: House) -> None:
    policies = house.registry.policies
    everything = f"arn:aws:ecr:*:{ACCOUNT}:repository/*"
    text = document("ecr:ReplicateImage", Principal={"AWS": STRANGER}, Resource=everything)
    shown = await policies.put_of_registry(house.caller, HOME, text)
    assert await policies.of_registry(house.caller, HOME) == shown
    bad: dict[str, Any] = {"Principal": {"AWS": STRANGER}}
    with pytest.raises(InvalidParameter, match="Invalid registry policy provided"):
        await policies.put_of_registry(house.caller, HOME, document(**bad))
    assert await policies.delete_of_registry(house.caller, HOME) == shown
    for ask in (policies.of_registry, policies.delete_of_registry):
        with pytest.raises(RegistryPolicyNotFound):
            await ask(house.caller, HOME)
