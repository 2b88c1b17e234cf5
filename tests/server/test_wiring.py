"""Which data a server is willing to open, and what a worker's life begins and ends with beside its requests."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portside.core.digest import Digest
from portside.server import wiring
from portside.server.prepared import AccessKeyPair, Prepared
from portside.server.settings import Settings
from portside.storage.errors import StorageUnusable
from portside.storage.metadata.archive import MovableBlob

CONTENT = b"some content"
LOCATION = "{key}/" + "0" * 32


async def _store(settings: Settings) -> Path:
    """Publish and record a blob; its file."""
    plant = await wiring.open(settings)
    stores = plant.stores
    key = (await stores.keys.key_for("content", settings.account)).id
    location = LOCATION.format(key=key)
    stores.blobs.write(location, 0, CONTENT, last=True)
    stores.blobs.publish(location, len(CONTENT))
    async with stores.metadata.writing() as unit:
        assert await unit.layers.add_blob(key, Digest.of(CONTENT), location, len(CONTENT), 0)
    await plant.close()
    [file] = (settings.data / "blobs").rglob("0" * 32)
    return file


async def _prepare(settings: Settings) -> None:
    await asyncio.to_thread(asyncio.run, _awaited(settings))


async def _awaited(settings: Settings) -> None:
    await wiring.prepare(settings)


async def _prepared(settings: Settings) -> Prepared:
    return await wiring.prepare(settings)


@pytest.mark.parametrize("sealing", [True, False])
async def test_what_was_stored_with_the_other_sealing_is_refused_and_stays(tmp_path: Path, *, sealing: bool) -> None:
    """Opened so, everything would count as lost, and the next push would take its place."""
    settings = Settings(data=tmp_path, sealing=sealing)
    await _prepare(settings)
    file = await _store(settings)
    held = file.read_bytes()
    with pytest.raises(StorageUnusable, match=f"--storage-sealing {'on' if sealing else 'off'}"):
        await _prepare(replace(settings, sealing=not sealing))
    await _prepare(settings)
    assert file.read_bytes() == held


@pytest.mark.parametrize("sealing", [True, False])
async def test_lost_content_stops_no_start(tmp_path: Path, *, sealing: bool) -> None:
    settings = Settings(data=tmp_path)
    await _prepare(settings)
    (await _store(settings)).unlink()
    await _prepare(replace(settings, sealing=sealing))


async def test_an_empty_registry_may_change_its_sealing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    await _prepare(settings)
    await _prepare(replace(settings, sealing=False))


@pytest.mark.parametrize("key", [{}, {"root_access_key_id": "AKIA" + "A" * 16, "root_secret_access_key": "s" * 40}])
async def test_a_start_over_what_stands_writes_nothing(tmp_path: Path, key: dict[str, str]) -> None:
    """It would wait, and fail, while another one writes."""
    settings = Settings(data=tmp_path, **key)
    made = await asyncio.to_thread(asyncio.run, _prepared(settings))
    await (await wiring.open(settings)).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "portside.db")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert await wiring.prepare(settings) == replace(made, created_account=False, master_key_created=None)
        await (await wiring.open(settings)).close()


async def test_another_root_key_takes_the_place_of_the_one_that_stands(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    made = (await asyncio.to_thread(asyncio.run, _prepared(settings))).access_key
    assert made is not None
    for identifier, secret in ((made.id, "t" * 40), ("AKIA" + "B" * 16, "t" * 40)):
        preset = replace(settings, root_access_key_id=identifier, root_secret_access_key=secret)
        assert (await wiring.prepare(preset)).access_key == AccessKeyPair(identifier, secret)
        assert (await wiring.prepare(settings)).access_key == AccessKeyPair(identifier, secret)


OFF = {"collect_interval": 0, "events_days": 0, "lifecycle_interval": 0}


@pytest.mark.parametrize(
    ("given", "jobs"),
    [({}, ["job collect", "job empty", "job events", "job lifecycle"]), (OFF, ["job empty"])],
)
async def test_a_worker_offers_its_jobs_unless_they_are_off(
    tmp_path: Path, given: dict[str, Any], jobs: list[str]
) -> None:
    settings = Settings(data=tmp_path / "data", **given)
    await wiring.prepare(settings)
    plant = await wiring.open(settings)
    assert sorted(task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("job ")) == jobs
    await plant.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("job ")] == []


async def test_the_grace_time_is_the_one_that_was_set(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", collect_grace=90)
    await wiring.prepare(settings)
    plant = await wiring.open(settings)
    assert plant.stores.grace == 90_000_000
    await plant.close()


async def _away(settings: Settings) -> None:
    """Store a blob whose bytes lie at the archive location."""
    plant = await wiring.open(settings)
    key = (await plant.stores.keys.key_for("content", settings.account)).id
    location = LOCATION.format(key=key)
    async with plant.stores.metadata.writing() as unit:
        await unit.layers.add_blob(key, Digest.of(CONTENT), location, len(CONTENT), 0)
        await unit.archive.set_away(MovableBlob(key, str(Digest.of(CONTENT)), location, len(CONTENT)), away=True)
    await plant.close()


async def test_without_the_archive_that_layers_lie_in_no_start_is_made(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", archive=tmp_path / "archive")
    await _prepare(settings)
    await _prepare(replace(settings, archive=None))
    await _away(settings)
    with pytest.raises(StorageUnusable, match=r"start with its --storage-archive\.$"):
        await _prepare(replace(settings, archive=None))
    with pytest.raises(StorageUnusable, match=r"which is not there; mount it, or name it\.$"):
        await _prepare(settings)
    with pytest.raises(StorageUnusable, match="--storage-archive"):
        async with wiring.tending(replace(settings, archive=None)):
            pass
    (tmp_path / "archive").mkdir()
    await _prepare(settings)


async def test_the_folder_of_the_data_is_no_archive_by_another_name_either(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", archive=tmp_path / "archive")
    settings.data.mkdir()
    (tmp_path / "archive").symlink_to(settings.data)
    with pytest.raises(StorageUnusable, match="is the folder of the data"):
        await _prepare(settings)


async def test_a_worker_offers_to_move_where_there_is_an_archive(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", archive=tmp_path / "archive")
    await wiring.prepare(settings)
    plant = await wiring.open(settings)
    assert "job archive" in {task.get_name() for task in asyncio.all_tasks()}
    await plant.close()
