from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import (
    AccessDenied,
    ImageDigestDoesNotMatch,
    InvalidParameter,
    LayersNotFound,
    LimitExceeded,
    ReferencedImagesNotFound,
    RegistryError,
    RepositoryNotFound,
)
from portside.core.names import RepositoryId
from portside.core.records import RepositorySettings
from portside.identity.policy import Decision
from portside.registry.access import Access, Ask
from portside.registry.images import Images
from portside.registry.mounts import Mounts
from portside.registry.rules import Quotas, Rules
from portside.registry.uploads import Uploads
from tests.conformance.nouns.counts import assert_counted
from tests.registry.house import APP, HOME, Clock, House, image_of, index_of, opened

NEW = HOME.repository("team/new")
EMPTY = index_of()


async def begin(house: House, repository: RepositoryId = NEW) -> object:
    return await house.registry.uploads.begin(house.caller, repository)


async def put(house: House, repository: RepositoryId = NEW) -> object:
    return await house.put(EMPTY, "v1", repository)


async def mount(house: House, repository: RepositoryId = NEW) -> object:
    return await house.registry.mounts.mount(house.caller, repository, Digest.of(b""), APP)


PUSHES = {"upload": begin, "manifest": put, "mount": mount}
every_push = pytest.mark.parametrize("push", PUSHES.values(), ids=PUSHES)
Push = Callable[[House], Awaitable[object]]


@pytest.fixture
async def making(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """A registry that makes what is pushed to."""
    async with opened(tmp_path, clock, rules=Rules(create_on_push=True)) as house:
        yield house


@every_push
async def test_a_push_makes_its_repository(making: House, push: Push) -> None:
    await push(making)
    [found] = (await making.registry.repositories.describe(making.caller, HOME, [NEW.name], limit=1, token=None)).items
    assert found.settings == RepositorySettings()
    await push(making)
    await assert_counted(making.stores.metadata)


@every_push
async def test_a_push_makes_nothing_unless_the_rules_say_so(house: House, push: Push) -> None:
    with pytest.raises(RepositoryNotFound):
        await push(house)
    assert await house.rows("SELECT * FROM repositories") == []


@pytest.mark.parametrize(
    ("content", "digest", "refusal"),
    [
        (b"{", None, InvalidParameter),
        (EMPTY.replace(b"{", b"{" + b" " * 200, 1), None, InvalidParameter),
        (EMPTY, Digest.of(b""), ImageDigestDoesNotMatch),
        (image_of(b"{}"), None, LayersNotFound),
        (index_of(EMPTY), None, ReferencedImagesNotFound),
    ],
    ids=["syntax", "size", "digest", "layers", "images"],
)
async def test_an_image_that_is_refused_makes_nothing(
    tmp_path: Path, clock: Clock, content: bytes, digest: Digest | None, refusal: type[RegistryError]
) -> None:
    rules = Rules(Quotas(manifest_bytes=max(len(image_of(b"{}")), len(index_of(EMPTY)))), create_on_push=True)
    async with opened(tmp_path, clock, rules=rules) as house:
        said: list[str] = []
        for there in (False, True):
            with pytest.raises(refusal) as caught:
                await house.registry.images.put(house.caller, NEW, content, media_type=None, tags=[], digest=digest)
            said.append(caught.value.message)
            assert bool(await house.rows("SELECT name FROM repositories")) is there
            await begin(house)
        assert said[0] == said[1]


async def test_an_image_of_what_is_not_there_makes_its_repository_where_that_is_allowed(
    tmp_path: Path, clock: Clock
) -> None:
    async with opened(tmp_path, clock, rules=Rules(create_on_push=True), sparse=True) as house:
        await house.put(image_of(b"{}"), "v1", NEW)
        assert await house.rows("SELECT name, images FROM repositories") == [(NEW.name, 1)]


async def test_that_nothing_is_made_is_told_before_what_is_wrong_with_the_image(house: House) -> None:
    with pytest.raises(RepositoryNotFound):
        await house.put(b"{", "v1", NEW)


async def test_a_pull_makes_nothing(making: House) -> None:
    for ask in (
        making.registry.layers.availability(making.caller, NEW, [Digest.of(b"")]),
        making.registry.images.tags(making.caller, NEW, after="", limit=1),
        making.registry.uploads.status(making.caller, NEW, "U"),
    ):
        with pytest.raises(RepositoryNotFound):
            await ask
    assert await making.rows("SELECT * FROM repositories") == []


@pytest.mark.parametrize("repository", [NEW, APP], ids=["missing", "there"])
async def test_who_pushes_needs_the_right_to_make_what_is_missing(making: House, repository: RepositoryId) -> None:
    class Gate(Access):
        async def decide(self, ask: Ask) -> Decision:
            denied = ask.action == "ecr:CreateRepository"
            return Decision("implicit_deny" if denied else "allow", "identity", "", "", frozenset())

    await making.create(APP)
    asked = (
        Uploads(making.stores, Gate(making.stores)).begin(making.caller, repository),
        Images(making.stores, Gate(making.stores), making.registry.images._pages).put(
            making.caller, repository, EMPTY, media_type=None, tags=[], digest=None
        ),
        Mounts(making.stores, Gate(making.stores)).mount(making.caller, repository, Digest.of(b""), APP),
    )
    for ask in asked:
        if repository == APP:
            await ask
            continue
        with pytest.raises(AccessDenied, match=r"ecr:CreateRepository on resource: .*team/new"):
            await ask


async def test_pushes_that_race_all_go_through(tmp_path: Path, clock: Clock) -> None:
    """In one process and in another."""
    rules = Rules(create_on_push=True)
    async with opened(tmp_path, clock, rules=rules) as one, opened(tmp_path, clock, rules=rules) as other:
        pushes = [push(house) for house in (one, other) for push in PUSHES.values() for _ in range(3)]
        await asyncio.gather(*pushes)
        assert await one.rows("SELECT name, images FROM repositories") == [(NEW.name, 1)]
        await assert_counted(one.stores.metadata)


async def test_a_whole_image_is_pushed_to_what_was_missing(making: House) -> None:
    await making.push(b"{}", NEW)
    await making.put(image_of(b"{}"), "v1", NEW)
    assert len(await making.identifiers(repository=NEW)) == 1


async def test_the_registrys_quota_holds_for_a_push_too(tmp_path: Path, clock: Clock) -> None:
    rules = Rules(Quotas(repositories=1), create_on_push=True)
    async with opened(tmp_path, clock, rules=rules) as house:
        await begin(house, APP)
        with pytest.raises(LimitExceeded):
            await begin(house)
        await begin(house, APP)
