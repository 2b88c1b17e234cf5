"""The scrub: what is right is right, whatever is wrong is found, never served, and heals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from portside.core.digest import Digest
from portside.core.errors import LayerNotFound
from portside.core.names import ImageId
from portside.registry.content import PIECE
from portside.registry.verification import Finding, Progress, Watch
from portside.storage.blobs.port import SEGMENT
from portside.storage.errors import StorageUnusable
from portside.storage.keys.local import LocalKeyKeeper
from portside.storage.keys.ring import KeyRing
from tests.registry.fakes import Blobs
from tests.registry.house import APP, HOME, Clock, House, image_of, noise, opened

OTHER = HOME.repository("team/other")
LARGE = noise(3 * PIECE + 12_345)


async def verify(house: House) -> tuple[list[Finding], Progress]:
    found: list[Finding] = []
    progress = await house.verification.run(Watch(found.append, lambda _: None))
    return found, progress


def place(house: House, size: int) -> Path:
    """The file of the blob of this size."""
    [path] = [
        path for path in house.files() if "blobs" in path.parts and path.stat().st_size in {size, size + sealing(size)}
    ]
    return path


def sealing(size: int) -> int:
    return 28 * max(-(-size // SEGMENT), 1)


def damage(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("sealing", [True, False])
async def test_what_was_pushed_is_all_right(tmp_path: Path, clock: Clock, *, sealing: bool) -> None:
    async with opened(tmp_path, clock, sealing=sealing) as house:
        await house.create()
        await house.create(OTHER)
        for content in (b"", b"1", noise(SEGMENT), noise(PIECE), noise(PIECE + 1), LARGE):
            await house.image(config=content)
        await house.image("v1", config=LARGE, repository=OTHER)
        found, progress = await verify(house)
        assert (found, progress.blobs, progress.manifests) == ([], 6, 7)
        assert progress.bytes > 2 * PIECE + SEGMENT + len(LARGE)


@pytest.mark.parametrize("sealing", [True, False])
@pytest.mark.parametrize("at", [0, SEGMENT + 500, 2 * PIECE, -1])
async def test_damage_is_found_marked_set_aside_and_healed_by_a_push(
    tmp_path: Path, clock: Clock, at: int, *, sealing: bool
) -> None:
    async with opened(tmp_path, clock, sealing=sealing) as house:
        await house.create()
        digest = await house.push(LARGE)
        await house.image("v1", config=b"beside")
        path = place(house, len(LARGE))
        damage(path, at)
        wrong = path.read_bytes()
        [finding], _ = await verify(house)
        assert (finding.kind, finding.state, finding.digest) == ("blob", "damaged", str(digest))
        assert not path.exists()
        [aside] = [path for path in house.files() if "damaged" in path.parts]
        assert aside.read_bytes() == wrong
        assert not await house.holds(digest)
        with pytest.raises(LayerNotFound):
            await house.read(digest)
        # Until somebody pushes it, it is told of again.
        assert [one.digest for one in (await verify(house))[0]] == [str(digest)]
        await house.push(LARGE)
        assert await house.read(digest) == LARGE
        assert (await verify(house))[0] == []
        assert await house.rows("SELECT damaged FROM blobs WHERE damaged") == []


@pytest.mark.parametrize("length", [None, 0, SEGMENT, 2 * PIECE])
async def test_what_is_absent_or_cut_short_is_missing_and_not_marked(app: House, length: int | None) -> None:
    digest = await app.push(LARGE)
    path = place(app, len(LARGE))
    whole = path.read_bytes()
    path.unlink()
    if length is not None:
        path.write_bytes(whole[:length])
    [finding], _ = await verify(app)
    assert (finding.state, finding.digest) == ("missing", str(digest))
    assert not await app.holds(digest)
    path.write_bytes(whole)
    assert (await verify(app))[0] == []
    assert await app.read(digest) == LARGE


async def test_an_empty_blob_has_to_authenticate_too(app: House) -> None:
    await app.push(b"")
    damage(place(app, 0), 0)
    [finding], _ = await verify(app)
    assert finding.state == "damaged"


async def test_a_manifest_that_is_not_what_was_pushed_is_found_and_healed_by_a_push(app: House) -> None:
    digest = await app.image("v1")
    await app.image("v2", config=b"another")
    await app.rows(f"UPDATE manifests SET content = zeroblob(length(content)) WHERE digest = '{digest}'")
    assert (await verify(app))[0] == [Finding("manifest", "damaged", str(digest), APP.arn, "It does not authenticate.")]
    await app.put(image_of(b"{}"), "v1")
    assert (await verify(app))[0] == []
    stored = await app.registry.images.get(app.caller, APP, ImageId(digest=digest))
    assert stored.content == image_of(b"{}")


async def test_a_manifest_under_the_digest_of_another_is_found(app: House) -> None:
    """It authenticates: somebody who has the key put it there."""
    digest = await app.image("v1")
    [(key,)] = await app.rows("SELECT content_key FROM repositories")
    sealed = (await app.stores.keys.key(key)).box.seal(b"{}", str(digest).encode())
    await app.rows(f"UPDATE manifests SET content = x'{sealed.hex()}'")
    [finding], _ = await verify(app)
    assert finding.reason == "Its content has another digest."


async def test_only_what_is_chosen_is_read(app: House) -> None:
    for number in range(10):
        await app.image(f"v{number}", config=f"{number}".encode())
    turns = iter(range(100))
    progress = await app.verification.run(Watch(lambda _: None, lambda _: None), lambda: next(turns) % 2 == 0)
    assert (progress.blobs, progress.manifests) == (5, 5)
    nothing = await app.verification.run(Watch(lambda _: None, lambda _: None), lambda: False)
    assert nothing == Progress()


async def test_more_than_a_page_is_read(app: House) -> None:
    for number in range(101):
        await app.image(config=f"{number}".encode())
    found, progress = await verify(app)
    assert (found, progress.blobs, progress.manifests) == ([], 101, 101)


async def test_progress_is_told_piece_by_piece(app: House) -> None:
    await app.push(LARGE)
    read: list[int] = []
    await app.verification.run(Watch(lambda _: None, lambda progress: read.append(progress.bytes)))
    assert read == [PIECE, 2 * PIECE, 3 * PIECE, len(LARGE), len(LARGE)]


async def test_what_heals_or_goes_meanwhile_is_not_called_damaged(tmp_path: Path, clock: Clock) -> None:
    async with opened(tmp_path, clock, blobs=Blobs) as house:
        await house.create()
        await house.push(LARGE)
        path = place(house, len(LARGE))
        damage(path, 0)
        blobs = house.stores.blobs
        assert isinstance(blobs, Blobs)

        async def healed() -> None:
            async with house.stores.metadata.writing() as unit:
                [(key, digest, location)] = await house.rows("SELECT content_key, digest, location FROM blobs")
                moved = location[:-4] + "0000"
                await unit.layers.move_blob(key, Digest.parse(digest), moved, len(LARGE), clock())

        loop = asyncio.get_running_loop()
        blobs.before["read"] = lambda: asyncio.run_coroutine_threadsafe(healed(), loop).result(10)
        assert (await verify(house))[0] == []
        assert path.exists()


async def test_a_wrong_master_key_is_said_and_nothing_is_called_damaged(app: House) -> None:
    await app.image("v1", config=LARGE)
    app.verification._keys = KeyRing(app.stores.metadata, LocalKeyKeeper(b"x" * 32), app.clock)
    with pytest.raises(StorageUnusable):
        await verify(app)
    assert await app.rows("SELECT damaged FROM blobs WHERE damaged") == []
    assert await app.read(Digest.of(LARGE)) == LARGE
