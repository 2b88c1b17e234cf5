from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from portside.core.errors import InvalidParameter, RepositoryAlreadyExists, RepositoryNotEmpty, RepositoryNotFound
from portside.core.names import RegistryId
from portside.core.records import Repository, RepositorySettings, TagExclusion
from tests.registry.house import ACCOUNT, APP, HOME, SECOND, START, Clock, House, in_pieces, noise, opened


async def page(
    house: House, limit: int, token: str | None = None, names: Sequence[str] = (), registry: RegistryId = HOME
) -> tuple[list[str], str | None]:
    found = await house.registry.repositories.describe(house.caller, registry, names, limit=limit, token=token)
    return [repository.id.name for repository in found.items], found.next_token


async def one(house: House, name: str = APP.name) -> Repository:
    found = await house.registry.repositories.describe(house.caller, HOME, [name], limit=1, token=None)
    return found.items[0]


async def test_a_repository_is_kept_with_its_settings(house: House) -> None:
    settings = RepositorySettings(
        tag_mutability="IMMUTABLE_WITH_EXCLUSION",
        tag_exclusions=(TagExclusion("dev-*"),),
        scan_on_push=True,
        resource_tags={"team": "ö", "empty": ""},
    )
    created = await house.registry.repositories.create(house.caller, APP, settings)
    assert created.settings == settings
    assert await one(house) == created


async def test_it_is_created_at_a_whole_second(house: House) -> None:
    house.clock.now = START + 5 * SECOND + 999_999
    assert (await house.create()).created_at == START + 5 * SECOND


async def test_a_name_is_taken_once_whatever_the_settings(app: House) -> None:
    with pytest.raises(RepositoryAlreadyExists) as caught:
        await app.create(tag_mutability="IMMUTABLE")
    assert caught.value.message.startswith("The repository with name 'team/app' already exists")


async def test_the_same_name_in_another_region_is_another_repository(app: House) -> None:
    other = RegistryId(ACCOUNT, "us-east-1").repository(APP.name)
    assert (await app.create(other)).key != (await one(app)).key


async def test_of_many_who_create_at_once_one_does(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock) as house, opened(tmp_path, clock) as other:
        outcomes = await asyncio.gather(*(who.create() for who in (house, other) * 5), return_exceptions=True)
    assert sum(isinstance(outcome, Repository) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, RepositoryAlreadyExists) for outcome in outcomes) == 9


async def test_repositories_are_given_by_name_in_the_order_asked(house: House) -> None:
    for name in ("aa", "bb", "cc"):
        await house.create(HOME.repository(name))
    assert await page(house, 1, names=["cc", "aa", "cc"]) == (["cc", "aa", "cc"], None)


async def test_one_missing_name_is_an_error(app: House) -> None:
    with pytest.raises(RepositoryNotFound) as caught:
        await page(app, 10, names=[APP.name, "team/none"])
    assert caught.value.message == (
        "The repository with name 'team/none' does not exist in the registry with id '123456789012'"
    )


async def test_a_bad_name_is_refused(house: House) -> None:
    with pytest.raises(InvalidParameter):
        await page(house, 10, names=["No"])


async def test_pages_give_every_repository_once(house: House) -> None:
    names = sorted(f"r{number}" for number in range(11))
    for name in reversed(names):
        await house.create(HOME.repository(name))
    await house.create(RegistryId(ACCOUNT, "us-east-1").repository("elsewhere"))
    seen: list[str] = []
    token = None
    while len(seen) < len(names):
        found, token = await page(house, 4, token)
        seen += found
    assert (seen, token) == (names, None)


async def test_a_full_last_page_has_no_next_one(house: House) -> None:
    for name in ("aa", "bb"):
        await house.create(HOME.repository(name))
    assert (await page(house, 2))[1] is None


async def test_pages_stay_whole_while_repositories_come_and_go(house: House) -> None:
    for name in ("bb", "cc", "dd", "ee"):
        await house.create(HOME.repository(name))
    _, token = await page(house, 2)
    await house.registry.repositories.delete(house.caller, HOME.repository("cc"), force=False)
    await house.create(HOME.repository("aa"))
    assert await page(house, 9, token) == (["dd", "ee"], None)


async def test_a_page_token_continues_only_its_own_list(house: House) -> None:
    for name in ("first-of-all", "second"):
        await house.create(HOME.repository(name))
    _, token = await page(house, 1)
    assert token is not None
    assert "first-of-all" not in token
    with pytest.raises(InvalidParameter):
        await page(house, 1, token, registry=RegistryId(ACCOUNT, "us-east-1"))


@pytest.mark.parametrize("token", ["x", "aa", "é", "=", "A" * 10_000, "0"])
async def test_a_made_up_page_token_is_refused(house: House, token: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        await page(house, 1, token)
    assert caught.value.message == "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid next token'"


async def test_page_tokens_are_good_in_another_process(house: House) -> None:
    for name in ("aa", "bb"):
        await house.create(HOME.repository(name))
    _, token = await page(house, 1)
    async with opened(house.folder, house.clock) as other:
        assert await page(other, 1, token) == (["bb"], None)


async def test_the_catalog_is_lexical(house: House) -> None:
    for name in ("b1", "a_a", "a/a", "a-a", "a1"):
        await house.create(HOME.repository(name))
    names = await house.registry.repositories.names(house.caller, HOME, after="", limit=10)
    assert names == ["a-a", "a/a", "a1", "a_a", "b1"]
    assert await house.registry.repositories.names(house.caller, HOME, after="a/a", limit=2) == ["a1", "a_a"]


async def test_an_empty_repository_is_deleted(app: House) -> None:
    deleted = await app.registry.repositories.delete(app.caller, APP, force=False)
    assert deleted.id == APP
    assert await page(app, 10) == ([], None)


async def test_a_missing_one_cannot_be_deleted(house: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await house.registry.repositories.delete(house.caller, APP, force=True)


async def test_one_with_images_is_deleted_by_force_only(app: House) -> None:
    await app.image("v1")
    with pytest.raises(RepositoryNotEmpty) as caught:
        await app.registry.repositories.delete(app.caller, APP, force=False)
    assert caught.value.message == (
        "The repository with name 'team/app' in registry with id '123456789012' "
        "cannot be deleted because it still contains images"
    )
    await app.registry.repositories.delete(app.caller, APP, force=True)
    with pytest.raises(RepositoryNotFound):
        await one(app)


async def test_layers_alone_do_not_keep_a_repository(app: House) -> None:
    await app.push(b"layer")
    await app.registry.repositories.delete(app.caller, APP, force=False)


async def test_deleting_leaves_no_row_behind(app: House) -> None:
    await app.image("v1")
    await app.registry.uploads.begin(app.caller, APP)
    await app.registry.repositories.delete(app.caller, APP, force=True)
    for table in ("repositories", "layers", "manifests", "manifest_references", "tags", "uploads"):
        assert await app.rows(f"SELECT * FROM {table}") == []
    assert await app.rows("SELECT DISTINCT holders FROM blobs") == [(0,)]


async def test_deleting_removes_what_was_staged_and_keeps_what_others_hold(app: House) -> None:
    other = HOME.repository("team/other")
    await app.create(other)
    shared = await app.push(noise(200_000))
    assert await app.push(noise(200_000), other) == shared
    upload = await app.registry.uploads.begin(app.caller, APP)
    await app.registry.uploads.receive(app.caller, APP, upload.id, in_pieces(noise(300_000)))
    staged = set((app.folder / "uploads").rglob("*"))
    assert any(path.is_file() for path in staged)
    await app.registry.repositories.delete(app.caller, APP, force=True)
    assert not any(path.is_file() for path in (app.folder / "uploads").rglob("*"))
    assert await app.read(shared, other) == noise(200_000)


async def test_a_repository_made_anew_is_empty(app: House) -> None:
    digest = await app.push(b"layer")
    await app.image("v1")
    await app.registry.repositories.delete(app.caller, APP, force=True)
    await app.create()
    assert not await app.holds(digest)
    assert await app.identifiers() == []
