"""Law 3 for whole files and rows: swapped, cut, flipped or gone, they are never served, and a push heals them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from portside.core.digest import Digest
from tests.distribution.driver import V2, Client, client_of
from tests.registry.house import Clock, House, image_of, noise, opened

CONFIG = b"{}"
ONE, TWO = noise(200_000, 1), noise(200_000, 2)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """With two images that differ in one layer of the same length, tagged `one` and `two`."""
    async with opened(tmp_path, Clock(time.time_ns() // 1000)) as house:
        await house.create()
        for tag, layer in (("one", ONE), ("two", TWO)):
            for content in (CONFIG, layer):
                await house.push(content)
            await house.put(image_of(CONFIG, layer), tag)
        yield house


@pytest.fixture
async def client(house: House) -> Client:
    return await client_of(house)


async def _file(house: House, content: bytes) -> Path:
    [[location]] = await house.rows(f"SELECT location FROM blobs WHERE digest = '{Digest.of(content)}'")
    [found] = [path for path in house.files() if path.name == location.rpartition("/")[2]]
    return found


def _flipped(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _gone(path: Path) -> None:
    path.unlink()


async def _pull(client: Client, path: str) -> tuple[int, bytes]:
    """Status and bytes; an answer that breaks off is what its client sees as damage."""
    answer = await client.ask("GET", f"{V2}/{path}")
    return answer.status, answer.body


async def _expect_damaged_then_healed(client: Client, layer: bytes) -> None:
    path = f"blobs/{Digest.of(layer)}"
    status, body = await _pull(client, path)
    assert status != 200
    assert layer[:1000] not in body
    assert (await client.ask("HEAD", f"{V2}/{path}")).status == 404
    put = await client.put("again", image_of(CONFIG, layer))
    assert put.error[:2] == (404, "BLOB_UPLOAD_UNKNOWN")
    await client.push(layer)
    assert await _pull(client, path) == (200, layer)
    assert (await client.put("again", image_of(CONFIG, layer))).status == 201


@pytest.mark.parametrize("harm", [_flipped, _cut, _emptied, _gone])
async def test_a_harmed_file_is_never_served_counts_as_missing_and_heals(
    house: House, client: Client, harm: Callable[[Path], None]
) -> None:
    harm(await _file(house, ONE))
    await _expect_damaged_then_healed(client, ONE)
    assert await _pull(client, f"blobs/{Digest.of(TWO)}") == (200, TWO)


async def test_two_files_that_changed_places_are_never_served_and_heal(house: House, client: Client) -> None:
    one, two = await _file(house, ONE), await _file(house, TWO)
    aside = one.with_suffix(".aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)
    for layer in (ONE, TWO):
        await _expect_damaged_then_healed(client, layer)


async def test_an_image_is_not_accepted_over_bytes_that_are_gone(house: House, client: Client) -> None:
    """Whether anybody has noticed yet or not."""
    (await _file(house, ONE)).unlink()
    put = await client.put("new", image_of(CONFIG, ONE))
    assert put.error[:2] == (404, "BLOB_UPLOAD_UNKNOWN")
    await client.push(ONE)
    assert (await client.put("new", image_of(CONFIG, ONE))).status == 201


async def test_two_manifests_that_changed_rows_are_never_served_and_heal(house: House, client: Client) -> None:
    documents = {str(Digest.of(document)): document for document in (image_of(CONFIG, ONE), image_of(CONFIG, TWO))}
    first, second = documents
    held = dict(await house.rows("SELECT digest, hex(content) FROM manifests"))
    for digest, other in ((first, second), (second, first)):
        await house.rows(f"UPDATE manifests SET content = x'{held[other]}' WHERE digest = '{digest}'")
    for digest, document in documents.items():
        path = f"manifests/{digest}"
        status, body = await _pull(client, path)
        assert status == 500
        assert CONFIG not in body
        # A client that looks before it pushes has to see that there is something to push.
        assert (await client.ask("HEAD", f"{V2}/{path}")).status == 404
        assert (await client.put(digest, document)).status == 201
        assert await _pull(client, path) == (200, document)
        assert (await client.ask("HEAD", f"{V2}/{path}")).status == 200
