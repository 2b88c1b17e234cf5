"""Repository creation templates: kept, and what a push to a missing repository makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.errors import AccessDenied, InvalidParameter, RepositoryNotFound
from portside.core.identities import Kind
from portside.core.names import RepositoryId
from portside.core.records import Repository, RepositorySettings, TagExclusion
from portside.core.settings_errors import TemplateAlreadyExists, TemplateNotFound
from portside.registry.rules import Rules
from portside.registry.template_documents import ROOT, Template, prefixes_of
from tests.registry.house import ACCOUNT, HOME, SECOND, Clock, House, opened
from tests.registry.iam_house import document, user
from tests.registry.lifecycle.rules import KEEP_ONE, policy

PUSH = ("CREATE_ON_PUSH",)
WHOLE = Template(
    "prod",
    PUSH,
    RepositorySettings(
        tag_mutability="IMMUTABLE_WITH_EXCLUSION",
        tag_exclusions=(TagExclusion("dev-*"),),
        resource_tags={"team": "web"},
    ),
    description="For production",
    repository_policy=document("ecr:BatchGetImage", Principal="*"),
    lifecycle_policy=policy(KEEP_ONE),
)


async def create(house: House, template: Template) -> Template:
    return await house.registry.templates.create(house.caller, HOME, template)


async def listed(house: House, *prefixes: str, **page: Any) -> list[str]:
    page = {"limit": 100, "token": None, **page}
    found = await house.registry.templates.describe(house.caller, HOME, prefixes, **page)
    return [one.prefix for one in found.items]


async def pushed_to(house: House, name: str) -> Repository:
    """Push to a repository that may not be there."""
    await house.registry.uploads.begin(house.caller, HOME.repository(name))
    async with house.stores.metadata.reading() as unit:
        found = await unit.repositories.find(HOME.repository(name))
    assert found is not None
    return found


async def test_a_template_is_kept_whole(house: House) -> None:
    made = await create(house, WHOLE)
    assert made == replace(WHOLE, created_at=house.clock(), updated_at=house.clock())
    found = await house.registry.templates.describe(house.caller, HOME, ["prod"], limit=1, token=None)
    assert found.items == [made]
    assert await house.registry.templates.delete(house.caller, HOME, "prod") == made
    assert await listed(house) == []


async def test_a_prefix_has_one_template(house: House) -> None:
    await create(house, WHOLE)
    with pytest.raises(TemplateAlreadyExists, match="'prod' already exists"):
        await create(house, Template("prod", ()))


@pytest.mark.parametrize(("made", "other"), [("prod/web", "prod/web/"), ("prod/web/", "prod/web")])
async def test_a_prefix_is_the_same_with_its_slash_and_without(house: House, made: str, other: str) -> None:
    templates = house.registry.templates
    await create(house, replace(WHOLE, prefix=made))
    with pytest.raises(TemplateAlreadyExists, match=f"'{other}' already exists"):
        await create(house, Template(other, ()))
    assert await listed(house, other) == await listed(house, made, other) == await listed(house) == [made]
    changed = await templates.update(house.caller, HOME, other, lambda template: replace(template, description="x"))
    assert (changed.prefix, changed.description) == (made, "x")
    assert (await pushed_to(house, "prod/web/api")).settings == WHOLE.settings
    assert await templates.delete(house.caller, HOME, other) == changed
    assert await listed(house) == []


async def test_of_two_spellings_at_once_one_is_made(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        made = await asyncio.gather(
            *[create(house, Template(prefix, ())) for house in (one, other) for prefix in ("prod", "prod/")],
            return_exceptions=True,
        )
        assert sorted(type(found).__name__ for found in made) == ["Template", *["TemplateAlreadyExists"] * 3]
        assert len(await listed(one)) == 1


async def test_the_longest_prefix_there_can_be_is_kept(house: House) -> None:
    await create(house, Template("a" * 256, ()))
    assert await listed(house, "a" * 256) == ["a" * 256]


async def test_what_is_missing_is_said(house: House) -> None:
    templates = house.registry.templates
    for ask in (
        templates.update(house.caller, HOME, "prod", lambda template: template),
        templates.delete(house.caller, HOME, "prod"),
    ):
        with pytest.raises(TemplateNotFound, match="'prod' does not exist"):
            await ask


async def test_prefixes_without_a_template_are_left_out_of_what_is_described(house: House) -> None:
    await create(house, WHOLE)
    found = await house.registry.templates.describe(house.caller, HOME, ["none", "prod"], limit=1, token=None)
    assert [template.prefix for template in found.items] == ["prod"]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (replace(WHOLE, lifecycle_policy="{}"), "LifecyclePolicyText"),
        (replace(WHOLE, repository_policy="{}"), "repositoryPolicy"),
        (
            replace(WHOLE, repository_policy=document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"})),
            "repositoryPolicy",
        ),
    ],
)
async def test_a_policy_that_is_none_is_refused_at_once(house: House, bad: Template, field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        await create(house, bad)
    assert caught.value.field == field
    await create(house, WHOLE)
    with pytest.raises(InvalidParameter):
        await house.registry.templates.update(house.caller, HOME, "prod", lambda _: bad)
    assert (await pushed_to(house, "prod/web")).settings == WHOLE.settings


async def test_a_template_that_names_somebody_who_is_gone_can_be_changed(house: House) -> None:
    await user(house, "gone")
    named = document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/gone"}).replace(', "Resource": "*"', "")
    await create(house, replace(WHOLE, repository_policy=named))
    await house.registry.iam.directory.delete(house.caller, Kind.USER, "gone")
    with pytest.raises(InvalidParameter, match="Principal not found"):
        await pushed_to(house, "prod/web")
    await house.registry.templates.update(
        house.caller, HOME, "prod", lambda template: replace(template, description="x")
    )
    await house.registry.templates.update(
        house.caller, HOME, "prod", lambda template: replace(template, repository_policy=None)
    )
    assert (await pushed_to(house, "prod/web")).settings == WHOLE.settings


async def test_a_template_changes_and_what_was_made_by_it_does_not(house: House) -> None:
    await create(house, WHOLE)
    await pushed_to(house, "prod/web")
    house.clock.forward(1)
    changed = await house.registry.templates.update(
        house.caller, HOME, "prod", lambda template: replace(template, settings=RepositorySettings())
    )
    assert changed.updated_at == changed.created_at + SECOND
    assert (await pushed_to(house, "prod/web")).settings == WHOLE.settings
    assert (await pushed_to(house, "prod/api")).settings == RepositorySettings()


async def test_templates_are_listed_by_pages(house: House) -> None:
    for prefix in ("b", "a", ROOT):
        await create(house, Template(prefix, ()))
    assert await listed(house) == [ROOT, "a", "b"]
    assert await listed(house, "b", "a", "b") == ["b", "a"]
    first = await house.registry.templates.describe(house.caller, HOME, [], limit=2, token=None)
    assert await listed(house, limit=2, token=first.next_token) == ["b"]


# --- a push ---------------------------------------------------------------------------------------------------------


async def test_a_push_makes_a_repository_as_its_template_says(house: House) -> None:
    await create(house, WHOLE)
    made = await pushed_to(house, "prod/web")
    assert made.settings == WHOLE.settings
    shown = await house.registry.policies.of_repository(house.caller, made.id)
    assert "ecr:BatchGetImage" in shown
    row = await house.registry.lifecycle_policies.get(house.caller, made.id)
    assert '"countNumber":1' in row.document


async def test_a_template_works_whatever_the_rules_say_of_pushes(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, rules=Rules(create_on_push=True)) as house:
        await create(house, WHOLE)
        assert (await pushed_to(house, "prod/web")).settings == WHOLE.settings
        assert (await pushed_to(house, "other")).settings == RepositorySettings()


@pytest.mark.parametrize(
    ("prefixes", "name", "wins"),
    [
        (["prod"], "prod/web", "prod"),
        (["prod/"], "prod/web", "prod/"),
        (["prod"], "prod", None),
        (["prod"], "production/x", None),
        (["prod", "prod/web"], "prod/web/api", "prod/web"),
        (["prod", "prod/web"], "prod/web", "prod"),
        (["prod", ROOT], "prod/web", "prod"),
        (["prod", ROOT], "web", ROOT),
        ([ROOT], "a/b/c", ROOT),
        ([], "prod/web", None),
    ],
)
async def test_the_longest_prefix_wins(house: House, prefixes: list[str], name: str, wins: str | None) -> None:
    for prefix in prefixes:
        await create(house, Template(prefix, PUSH, RepositorySettings(resource_tags={"by": prefix})))
    if wins is None:
        with pytest.raises(RepositoryNotFound):
            await pushed_to(house, name)
    else:
        assert (await pushed_to(house, name)).settings.resource_tags == {"by": wins}


async def test_a_template_that_is_not_for_pushes_is_passed_over(house: House) -> None:
    await create(house, Template("prod/web", ("REPLICATION", "PULL_THROUGH_CACHE")))
    with pytest.raises(RepositoryNotFound):
        await pushed_to(house, "prod/web/api")
    await create(house, Template("prod", PUSH, RepositorySettings(resource_tags={"by": "prod"})))
    assert (await pushed_to(house, "prod/web/api")).settings.resource_tags == {"by": "prod"}


async def test_creating_by_name_does_not_look_at_templates(house: House) -> None:
    await create(house, replace(WHOLE, prefix=ROOT))
    assert (await house.create(HOME.repository("prod/web"))).settings == RepositorySettings()


async def test_who_pushes_needs_the_right_to_make_it_and_no_other(house: House) -> None:
    await create(house, WHOLE)
    weak = await user(house, "weak", "ecr:InitiateLayerUpload")
    strong = await user(house, "strong", "ecr:InitiateLayerUpload", "ecr:CreateRepository")
    with pytest.raises(AccessDenied, match="ecr:CreateRepository"):
        await house.registry.uploads.begin(weak, HOME.repository("prod/web"))
    await house.registry.uploads.begin(strong, HOME.repository("prod/web"))
    await house.registry.uploads.begin(weak, HOME.repository("prod/web"))


async def test_pushes_that_race_make_one_repository(tmp_path: Path, clock: Clock) -> None:
    """In one process and in another."""
    async with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        await create(one, WHOLE)
        begin: Callable[[House], Awaitable[Repository]] = lambda house: pushed_to(house, "prod/web")  # noqa: E731
        found = await asyncio.gather(*[begin(house) for house in (one, other) for _ in range(5)])
        assert {made.key for made in found} == {found[0].key}
        assert await one.rows("SELECT COUNT(*) FROM lifecycle_policies") == [(1,)]


@given(st.lists(st.sampled_from(["a", "b", "c-1"]), min_size=1, max_size=5))
def test_prefixes_end_where_parts_do(parts: list[str]) -> None:
    name = "/".join(parts)
    *prefixes, last = prefixes_of(name)
    assert last == ROOT
    assert [len(prefix) for prefix in prefixes] == sorted(map(len, prefixes), reverse=True)
    assert all(name.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)
    assert len(prefixes) == 2 * (len(parts) - 1)
    assert RepositoryId(ACCOUNT, "r", name).name == name
