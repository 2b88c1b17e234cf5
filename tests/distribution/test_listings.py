from __future__ import annotations

import re
from typing import Any

import pytest

from tests.distribution.driver import V2, Client
from tests.registry.house import HOME, House

NAMES = ["a-a", "a/a", "a1", "a_a", "team/app"]


async def walk(client: Client, target: str, member: str) -> list[Any]:
    """Follow the links to the end."""
    found: list[Any] = []
    while True:
        answer = await client.ask("GET", target)
        found += answer.json[member]
        if "link" not in answer.headers:
            return found
        link = re.fullmatch(r'<(/v2/[^>]+)>; rel="next"', answer.headers["link"])
        assert link is not None
        target = link[1]


@pytest.fixture
async def catalog(house: House) -> None:
    for name in NAMES[:-1]:
        await house.create(HOME.repository(name))


@pytest.fixture
async def tags(house: House) -> list[str]:
    names = ["10", "9", "A", "_x", "a", "b.c-d"]
    for name in reversed(names):
        await house.image(name)
    return names


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
async def test_the_version_is_told_to_whoever_is_known(client: Client, path: str) -> None:
    answer = await client.ask("GET", path)
    assert (answer.status, answer.body) == (200, b"{}")
    assert (await client.ask("HEAD", path)).headers["content-length"] == "2"


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("size", ["1", "2", "4", "5", "6", "1000", "999999999"])
async def test_the_catalog_has_every_name_once_in_lexical_order(client: Client, size: str) -> None:
    assert await walk(client, f"/v2/_catalog?n={size}", "repositories") == NAMES


@pytest.mark.usefixtures("catalog")
async def test_the_catalog_goes_on_from_any_name(client: Client) -> None:
    assert (await client.ask("GET", "/v2/_catalog", last="a0")).json == {"repositories": NAMES[2:]}
    assert (await client.ask("GET", "/v2/_catalog", last="zz")).json == {"repositories": []}


async def test_a_page_of_the_catalog_links_to_the_next(client: Client, catalog: None) -> None:
    del catalog
    answer = await client.ask("GET", "/v2/_catalog", n="2")
    assert answer.headers["link"] == '</v2/_catalog?n=2&last=a%2Fa>; rel="next"'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("size", ["1", "3", "6", "7", "1000"])
async def test_a_tag_list_has_every_tag_once_in_lexical_order(client: Client, tags: list[str], size: str) -> None:
    assert await walk(client, f"{V2}/tags/list?n={size}", "tags") == tags


async def test_a_page_of_tags_links_to_the_next(client: Client, tags: list[str]) -> None:
    answer = await client.ask("GET", f"{V2}/tags/list", n="2")
    assert answer.json == {"name": "team/app", "tags": tags[:2]}
    assert answer.headers["link"] == f'<{V2}/tags/list?n=2&last=9>; rel="next"'


async def test_a_tag_list_goes_on_from_any_tag(client: Client, tags: list[str]) -> None:
    assert (await client.ask("GET", f"{V2}/tags/list", last="A")).json["tags"] == tags[3:]
    assert (await client.ask("GET", f"{V2}/tags/list", last="AA")).json["tags"] == tags[3:]


async def test_no_tags_are_a_list(client: Client) -> None:
    assert (await client.ask("GET", f"{V2}/tags/list")).json == {"name": "team/app", "tags": []}


@pytest.mark.usefixtures("catalog", "tags")
@pytest.mark.parametrize("path", ["/v2/_catalog", f"{V2}/tags/list"])
async def test_nothing_is_asked_for_and_nothing_follows(client: Client, path: str) -> None:
    answer = await client.ask("GET", path, n="0")
    assert [] in answer.json.values()
    assert "link" not in answer.headers


@pytest.mark.parametrize("path", ["/v2/_catalog", f"{V2}/tags/list"])
@pytest.mark.parametrize("size", ["", "-1", "x", "1.5", "+1", " 1", "٣", "²", "1" * 10, "1" * 10_000, "0x10"])
async def test_a_page_size_is_a_number(client: Client, path: str, size: str) -> None:
    status, code, message = (await client.ask("GET", path, n=size)).error
    assert (status, code) == (400, "UNSUPPORTED")
    assert message.startswith("Invalid parameter at 'maxResults'")


@pytest.mark.parametrize("path", ["/v2/_catalog", f"{V2}/tags/list"])
async def test_a_null_character_that_no_database_takes_is_refused(client: Client, path: str) -> None:
    assert (await client.ask("GET", f"{path}?last=a%00b")).status == 400


@pytest.mark.parametrize("path", ["/v2/_catalog", f"{V2}/tags/list"])
@pytest.mark.parametrize("last", ["%ff%fe", "%", "%F0%9F%98%80", "a'b--", "&&", "last=x"])
async def test_any_other_end_of_the_last_page_is_taken(client: Client, path: str, last: str) -> None:
    assert (await client.ask("GET", f"{path}?last={last}")).status == 200


async def test_of_a_repeated_parameter_the_last_counts(client: Client, tags: list[str]) -> None:
    assert (await client.ask("GET", f"{V2}/tags/list?n=5&n=1")).json["tags"] == tags[:1]
