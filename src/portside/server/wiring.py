"""Wiring: which adapter stands behind which port. The only place that knows, and importing it does nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from portside.aws.edge import ControlPlane
from portside.distribution.edge import DataPlane
from portside.distribution.manners import OPEN
from portside.distribution.strict import STRICT
from portside.identity.box import Box, BoxError
from portside.identity.keys import LONG_TERM, new_access_key_id, new_secret
from portside.jobs.archive import archive
from portside.jobs.collect import collect
from portside.jobs.empty import empty
from portside.jobs.events import forget_old_events
from portside.jobs.leased import Jobs
from portside.jobs.lifecycle import apply_lifecycle_policies
from portside.registry.access import Access
from portside.registry.bodies import Bodies
from portside.registry.collection import Collection
from portside.registry.content import Threads
from portside.registry.emptying import Emptying
from portside.registry.events import Follower
from portside.registry.iam.operators import Operators
from portside.registry.iam.simulation import Simulation
from portside.registry.kms import KmsOperators
from portside.registry.lifecycle.previews import LifecyclePreviews
from portside.registry.lifecycle.runs import LifecycleRuns
from portside.registry.listing import PageTokens
from portside.registry.moving import Moving
from portside.registry.principals import ROOT
from portside.registry.pulls import Pulls
from portside.registry.recollection import Recollection
from portside.registry.registry import Registry
from portside.registry.stores import Stores
from portside.registry.uses import Uses
from portside.registry.verification import Verification
from portside.server.archive_location import check_archive
from portside.server.issuers import FetchedIssuers
from portside.server.memory import keep_freed_memory
from portside.server.prepared import AccessKeyPair, Prepared
from portside.server.settings import Settings
from portside.storage.blobs.filesystem import FilesystemBlobs
from portside.storage.blobs.port import InventoriedBlobs, Inventory
from portside.storage.blobs.sealed import SealedBlobs, plain_size, sealed_size
from portside.storage.blobs.tiered import TieredBlobs
from portside.storage.errors import NoSpace, StorageError, StorageUnusable
from portside.storage.keys.local import LocalKeyKeeper, create_master_key, decode_master_key, read_master_key
from portside.storage.keys.ring import KeyRing
from portside.storage.metadata import migrate
from portside.storage.metadata.accounts import AccessKeyRow
from portside.storage.metadata.port import Metadata, Unit
from portside.storage.metadata.sqlite import SqliteMetadata

_THREADS = 32
_SAMPLE = 16
_SECOND = 1_000_000
_DAY = 24 * 3600 * _SECOND
_MASTER_KEY = "master.key"


@dataclass(frozen=True, slots=True)
class Plant:
    """A running registry's parts."""

    distribution: DataPlane
    control: ControlPlane
    stores: Stores
    threads: ThreadPoolExecutor
    jobs: Jobs
    previews: LifecyclePreviews

    async def ready(self) -> bool:
        """Whether the registry can do its work now; on a full disk it can, but for pushes."""
        try:
            await self.stores.metadata.check()
            with contextlib.suppress(NoSpace):
                await self.stores.threads.run(self.stores.blobs.check)
        except StorageError:
            return False
        return True

    async def close(self) -> None:
        """Let go of everything."""
        await self.jobs.close()
        await self.previews.close()
        await self.stores.pulls.close()
        await self.stores.uses.close()
        await self.stores.metadata.close()
        self.threads.shutdown()


@dataclass(frozen=True, slots=True)
class Tending:
    """What is done for a registry from outside."""

    collection: Collection
    verification: Verification
    operators: Operators
    kms: KmsOperators
    simulation: Simulation
    follower: Follower
    lifecycle: LifecycleRuns


async def prepare(settings: Settings) -> Prepared:
    """Bring the data up to date; make the account, its root key and the master key when there are none.

    Writes nothing where nothing is missing, so that a server starts on a full disk too. Raises
    storage.errors.StorageUnusable and NewerSchema.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not migrate.is_current(settings.database_url):
            # In a thread of its own, since Alembic may need an event loop of its own.
            await asyncio.to_thread(migrate.upgrade, settings.database_url)
        # After the database was reached: a start that is refused leaves nothing behind.
        master_key = await _missing_master_key(settings)
    except OSError as error:
        raise StorageUnusable(f"The folder {settings.data} cannot be written: {error.strerror}.") from None
    return await _prepare(settings, master_key)


async def open(  # noqa: A001 - `wiring.open` says what it does
    settings: Settings, around: Callable[[Stores], Stores] = lambda stores: stores
) -> Plant:
    """Open what `prepare` made, in the process that will serve; `around` may put something before the ports."""
    keep_freed_memory()
    executor = ThreadPoolExecutor(_THREADS, "blobs")
    stores, inventory = await _open_stores(settings, Threads(executor))
    stores = around(stores)
    access = Access(stores, log_denials=settings.log_decisions)
    pages = PageTokens((await stores.keys.key_for("page")).box)
    issuers = FetchedIssuers(settings.egress, stores.threads)
    registry = Registry.over(stores, access, pages, issuers, sparse=settings.sparse)
    hosts = settings.host_names
    bodies = Bodies(settings.body_mebibytes * 1024 * 1024, settings.wait_seconds)
    control = ControlPlane(registry, hosts, frozenset(settings.regions), bodies)
    manners = STRICT if settings.strict_ecr else OPEN
    jobs = _jobs(settings, stores, inventory)
    plane = DataPlane(registry, hosts, bodies, manners)
    return Plant(plane, control, stores, executor, jobs, registry.lifecycle_previews)


def _jobs(settings: Settings, stores: Stores, inventory: Inventory) -> Jobs:
    jobs = Jobs(stores.metadata, stores.clock)
    jobs.start(empty(Emptying(stores)))
    if settings.collect_interval:
        jobs.start(collect(Collection(stores, inventory), settings.collect_interval * _SECOND))
    if settings.lifecycle_interval:
        interval = settings.lifecycle_interval * _SECOND
        jobs.start(apply_lifecycle_policies(LifecycleRuns(stores, interval), interval))
    if settings.events_days:
        jobs.start(forget_old_events(stores.metadata, stores.clock, settings.events_days * _DAY))
    if settings.archive is not None:
        stored_size = sealed_size if settings.sealing else plain_size
        moving = Moving(stores, _tiers(settings.data, settings.archive), stored_size)
        jobs.start(archive(moving, settings.archive_interval * _SECOND))
    return jobs


@contextlib.asynccontextmanager
async def tending(settings: Settings) -> AsyncGenerator[Tending, None]:
    """Open what `prepare` made for the work that looks after it, beside a server that runs or without one."""
    executor = ThreadPoolExecutor(_THREADS, "blobs")
    stores, inventory = await _open_stores(settings, Threads(executor))
    try:
        await stores.metadata.check()
        await check_archive(settings, stores.metadata)
        yield Tending(
            Collection(stores, inventory),
            Verification(stores, inventory),
            Operators(stores),
            KmsOperators(stores),
            Simulation(stores, Access(stores)),
            Follower(stores.metadata),
            LifecycleRuns(stores, settings.lifecycle_interval * _SECOND or _DAY),
        )
    finally:
        await stores.metadata.close()
        executor.shutdown()


async def _open_stores(settings: Settings, threads: Threads) -> tuple[Stores, Inventory]:
    metadata = await _open_metadata(settings)
    keys = KeyRing(metadata, LocalKeyKeeper(_master_key(settings)), _clock)
    blobs = _files(settings)
    if settings.sealing:
        blobs = SealedBlobs(blobs, keys.opened)
    stores = Stores(
        metadata,
        blobs,
        keys,
        threads,
        _clock,
        Recollection(metadata),
        Pulls(metadata, _clock),
        Uses(metadata, _clock),
        settings.collect_grace * _SECOND,
        settings.rules,
    )
    return stores, blobs


def _files(settings: Settings) -> InventoriedBlobs:
    return FilesystemBlobs(settings.data) if settings.archive is None else _tiers(settings.data, settings.archive)


def _tiers(data: Path, archived: Path) -> TieredBlobs:
    return TieredBlobs(FilesystemBlobs(data), FilesystemBlobs(archived))


async def _open_metadata(settings: Settings) -> Metadata:
    path = migrate.sqlite_path(settings.database_url)
    if path is not None:
        return SqliteMetadata(path)
    # Loaded only where it is used: the driver takes a tenth of a start.
    from portside.storage.metadata.postgres import PostgresMetadata  # noqa: PLC0415

    return await PostgresMetadata.connect(settings.database_url)


async def _prepare(settings: Settings, master_key: Path | None) -> Prepared:
    metadata = await _open_metadata(settings)
    try:
        await check_archive(settings, metadata)
        await _check_sealing(settings, metadata)
        await _adopt_events(metadata)
        keys = KeyRing(metadata, LocalKeyKeeper(_master_key(settings)), _clock)
        box = (await keys.key_for("secret")).box
        async with metadata.reading() as unit:
            if await unit.accounts.exists(settings.account) and (pair := await _standing(settings, unit, box)):
                return Prepared(False, pair, master_key)
        async with metadata.writing() as unit:
            created = await unit.accounts.add(settings.account, _clock())
            if pair := await _standing(settings, unit, box):
                return Prepared(created, pair, master_key)
            pair = _preset(settings) or AccessKeyPair(new_access_key_id(LONG_TERM, settings.account), new_secret())
            sealed = box.seal(pair.secret.encode("ascii"), pair.id.encode())
            await unit.accounts.set_root_key(AccessKeyRow(pair.id, settings.account, ROOT, sealed, True), _clock())
    except BoxError:
        raise StorageUnusable("The stored access key does not open under this master key.") from None
    finally:
        await metadata.close()
    return Prepared(created, pair, master_key)


async def _adopt_events(metadata: Metadata) -> None:
    """Show events of a database that was restored from a dump again."""
    async with metadata.reading() as unit:
        if await unit.events.are_of_here():
            return
    async with metadata.writing() as unit:
        if not await unit.events.are_of_here():  # another start may have been first
            await unit.events.adopt()


async def _standing(settings: Settings, unit: Unit, box: Box) -> AccessKeyPair | None:
    """The account's root key; None when there is none, or another one than the settings name."""
    preset = _preset(settings)
    rows = [row for row in await unit.accounts.access_keys(settings.account) if row.active and row.principal == ROOT]
    if not rows or (preset and [row.id for row in rows] != [preset.id]):
        return None
    newest = rows[-1]
    try:
        pair = AccessKeyPair(newest.id, box.open(newest.secret, newest.id.encode()).decode("ascii"))
    except BoxError:
        if preset:
            return None  # it is written anew
        raise
    return pair if preset in {None, pair} else None


async def _check_sealing(settings: Settings, metadata: Metadata) -> None:
    """Refuse what was stored with the other setting: it would count as lost, and a push would take its place."""
    async with metadata.reading() as unit:
        placed = await unit.layers.some_blobs(_SAMPLE)
    files = _files(settings)
    for blob in placed:
        # Neither is there when the file is lost; both never, since the sealed form is longer.
        sizes = (blob.size, sealed_size(blob.location, blob.size))
        plain, sealed = (files.holds(blob.location, size) for size in sizes)
        if plain or sealed:
            if sealed != settings.sealing:
                word = "on" if sealed else "off"
                raise StorageUnusable(f"What is stored was stored with --storage-sealing {word}; start with that.")
            return


def _preset(settings: Settings) -> AccessKeyPair | None:
    identifier, secret = settings.root_access_key_id, settings.root_secret_access_key
    return AccessKeyPair(identifier, secret) if identifier and secret else None


async def _missing_master_key(settings: Settings) -> Path | None:
    """Make the master key's file when none is given and there is none; where it was made.

    Raises StorageUnusable when there was one once: a new key opens nothing.
    """
    if settings.master_key_file is not None or settings.master_key:
        return None
    path = settings.data / _MASTER_KEY
    if path.exists():
        return None
    if await _is_sealed(settings):
        raise StorageUnusable(
            f"The master key {path} is missing, and what is stored is sealed under it. "
            "Restore the file, or name it with --master-key-file."
        )
    try:
        create_master_key(path)
    except FileExistsError:
        return None  # another start at the same moment made it
    return path


async def _is_sealed(settings: Settings) -> bool:
    """Whether a master key was in use before."""
    metadata = await _open_metadata(settings)
    try:
        async with metadata.reading() as unit:
            return await unit.accounts.data_key_for("secret", "") is not None
    finally:
        await metadata.close()


def _master_key(settings: Settings) -> bytes:
    if settings.master_key_file is not None:
        return read_master_key(settings.master_key_file)
    if text := settings.master_key:
        return decode_master_key(text)
    return read_master_key(settings.data / _MASTER_KEY)


def _clock() -> int:
    return time.time_ns() // 1000
