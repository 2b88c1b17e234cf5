"""Uploads: begin, receive, complete, cancel.

Order matters (design law 1): bytes are published before they are recorded. A crash between the two leaves a file that
no row names; the other order would leave a row that names nothing. No unit is open while a client's bytes are awaited.

One request at a time writes to an upload. It holds the upload's row, moves the hold on while bytes come, and writes at
positions that follow from the row; so a request that failed left nothing behind that the next one would not replace.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from portside.core.digest import Digest
from portside.core.errors import (
    BodyTruncated,
    EmptyUpload,
    InvalidLayer,
    InvalidLayerPart,
    LayerPartTooSmall,
    LimitExceeded,
    RegistryError,
    UploadBusy,
    UploadNotFound,
)
from portside.core.names import RepositoryId
from portside.core.records import Repository, Upload
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.content import Hash, Intake, copy, until_done
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.errors import Damaged, StorageError
from portside.storage.metadata.port import Unit

T = TypeVar("T")

_HOLD = 15_000_000
"""Microseconds that a hold lasts: a process that died is waited for this long."""
_EXTEND = 5_000_000
_IN_DOUBT = 1
"""A hold that has run out, in place of one that was let go."""
_PATIENCE = 20_000_000
_SMALLEST_PART = 5 * 1024 * 1024
_MOST_PARTS = 4200
_LIFETIME = 24 * 3600 * 1_000_000
"""Microseconds without a request after which an upload is forgotten (ecr-behaviour 15, row 15)."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Completed:
    """What an upload became; `existed` when the repository held the layer before."""

    digest: Digest
    size: int
    existed: bool


class Uploads:
    """The uploads into every repository here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._keys = stores.keys
        self._threads = stores.threads
        self._clock = stores.clock
        self._access = access
        # Hashes that have counted an upload so far, by upload and turn: the next request is usually made here again.
        # When it is not, the bytes are read once more.
        self._counted: OrderedDict[tuple[str, int], Mapping[str, Hash]] = OrderedDict()

    async def begin(self, caller: Caller, repository: RepositoryId) -> Upload:
        """Open an upload; those into the same repository that nobody went on with for a day end now."""
        await self._access.repository(caller, "ecr:InitiateLayerUpload", repository)
        async with self._metadata.writing(durable=False) as unit:
            held = await lock(unit, repository)
            upload = Upload(
                id=str(uuid.uuid4()),
                repository_key=held.key,
                location=_new_location(held),
                started_at=self._clock(),
            )
            await unit.uploads.add(upload)
            stale = await unit.uploads.delete_stale(held.key, upload.started_at - _LIFETIME, upload.started_at)
        for location in stale:
            await self._threads.run(partial(self._blobs.delete, location))
        return upload

    async def status(self, caller: Caller, repository: RepositoryId, upload: str) -> Upload:
        """An open upload; raises UploadNotFound."""
        await self._access.repository(caller, "ecr:UploadLayerPart", repository)
        async with self._metadata.reading() as unit:
            return await _open_upload(unit, await find(unit, repository), upload)

    async def receive(
        self,
        caller: Caller,
        repository: RepositoryId,
        upload: str,
        body: AsyncIterable[bytes],
        *,
        first: int | None = None,
        last: int | None = None,
        algorithm: str = "sha256",
        through_api: bool = False,
    ) -> Upload:
        """Take bytes that begin at `first` (where the last ones ended, when not given) and end with `last`.

        `algorithm` is what the digest is expected to be made with: another one is counted at the end, by reading once
        more.

        What arrived before a client hung up is kept, and BodyTruncated raised. Raises InvalidLayerPart for bytes that
        do not follow on or are not as many as they were said to be.
        """
        await self._access.repository(caller, "ecr:UploadLayerPart", repository)
        async with self._holding(repository, upload) as (held, row):
            _follows(held, row, first)
            if through_api and row.parts >= _MOST_PARTS:
                raise LimitExceeded(f"An upload cannot have more than {_MOST_PARTS} parts.")
            intake = await self._intake(held, row, frozenset({algorithm}))
            truncated = await self._feed(intake, row, body)
            taken = intake.received - row.received
            if not truncated and first is not None and last is not None and taken != last - first + 1:
                raise InvalidLayerPart(
                    f"The layer part has {taken} bytes, and its range {last - first + 1}", held.id, row.id, row.received
                )
            grown = await self._progress(held, row, intake)
            if through_api:
                grown = _with_part(grown, taken)
            await self._release(grown, intake)
        if truncated:
            raise BodyTruncated
        return grown

    async def complete(
        self,
        caller: Caller,
        repository: RepositoryId,
        upload: str,
        digests: Sequence[Digest],
        *,
        body: AsyncIterable[bytes] | None = None,
        first: int | None = None,
        through_api: bool = False,
    ) -> Completed:
        """Take the last bytes, if any, check the digest, and make the layer durable.

        Completing again what was completed is answered alike. Raises InvalidLayer when none of `digests` is the
        digest; the upload then stands as it stood before the request. Through the API it raises EmptyUpload and
        LayerPartTooSmall as ECR does.
        """
        await self._access.repository(caller, "ecr:CompleteLayerUpload", repository)
        if body is not None:
            await self._access.repository(caller, "ecr:UploadLayerPart", repository)
        if done := await self._completed(repository, upload, digests):
            return done
        try:
            async with self._holding(repository, upload) as (held, row):
                _follows(held, row, first)
                if through_api:
                    _may_complete(held, row)
                intake = await self._intake(held, row, frozenset(one.algorithm for one in digests))
                if body is None or not await self._feed(intake, row, body):
                    return await self._finish(held, row, intake, digests)
                await self._release(await self._progress(held, row, intake), intake)
        except UploadNotFound:
            # While this request waited for its turn, the one before it may have completed the upload.
            if done := await self._completed(repository, upload, digests):
                return done
            raise
        raise BodyTruncated

    async def cancel(self, caller: Caller, repository: RepositoryId, upload: str) -> None:
        """Drop an upload; raises UploadNotFound."""
        await self._access.repository(caller, "ecr:InitiateLayerUpload", repository)
        async with self._holding(repository, upload) as (held, row):
            async with self._metadata.writing() as unit:
                await unit.uploads.delete(held.key, row.id)
            await self._threads.run(lambda: self._blobs.delete(row.location))

    @contextlib.asynccontextmanager
    async def _holding(self, repository: RepositoryId, upload: str) -> AsyncGenerator[tuple[Repository, Upload], None]:
        """Be the only one to write to an upload; when left by an exception its row is as it was.

        Raises UploadNotFound when what was staged is gone: a power failure took bytes that nobody was promised, and
        the client begins anew.
        """
        patience = self._clock() + _PATIENCE
        while True:
            now = self._clock()
            async with self._metadata.writing(durable=False) as unit:
                held = await find(unit, repository)
                before = await unit.uploads.find(held.key, upload)
                mine = await unit.uploads.hold(held.key, upload, now, now + _HOLD)
                row = await _open_upload(unit, held, upload)
            if mine:
                break
            if now > patience:
                raise UploadBusy(upload)
            await asyncio.sleep(0.1)
        try:
            if before is None or before.held_until or before.turn != row.turn - 1:
                row = await self._moved(held, row)
            yield held, row
        except BaseException as failure:
            # What is recorded stays as it is. After a failure of storage the next request takes the upload to another
            # place, as after a hold that ran out: nobody knows what still reaches this one.
            until = 0 if isinstance(failure, RegistryError) else _IN_DOUBT
            async with self._metadata.writing(durable=False) as unit:
                if not await unit.uploads.extend(row, until) and isinstance(failure, UploadBusy):
                    # No other request took over when the upload, or its repository, is gone.
                    await _open_upload(unit, await find(unit, repository), upload)
            if isinstance(failure, Damaged):
                raise UploadNotFound(repository, upload) from None
            raise

    async def _moved(self, held: Repository, row: Upload) -> Upload:
        """Take what was received to a new place: a request that lost its hold may still be writing to the old one."""
        box = (await self._keys.key(held.content_key)).box
        remainder = box.open(row.remainder, row.location.encode()) if row.remainder else b""
        location = _new_location(held)
        written = row.received - len(remainder)
        moved = replace(row, location=location, remainder=box.seal(remainder, location.encode()))
        try:
            await self._while_holding(
                row, self._threads.run(lambda: copy(self._blobs, row.location, location, written))
            )
        except StorageError:
            await self._drop(location)
            raise
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.uploads.move(moved):
                raise UploadBusy(row.id)
        await self._drop(row.location)
        return moved

    async def _drop(self, location: str) -> None:
        """Remove what nobody reads any more; a store that cannot now leaves garbage, which is no failure."""
        with contextlib.suppress(StorageError):
            await self._threads.run(partial(self._blobs.delete, location))

    async def _intake(self, held: Repository, row: Upload, algorithms: frozenset[str]) -> Intake:
        box = (await self._keys.key(held.content_key)).box
        remainder = box.open(row.remainder, row.location.encode()) if row.remainder else b""
        counted = self._counted.pop((row.id, row.turn - 1), {})
        if row.received == len(remainder):
            counted = {name: hashlib.new(name) for name in algorithms}  # nothing is written yet
        return Intake(
            self._blobs, self._threads, row.location, received=row.received, remainder=remainder, counted=counted
        )

    async def _feed(self, intake: Intake, row: Upload, body: AsyncIterable[bytes]) -> bool:
        """Take all of a body; whether it was cut short."""
        extend_at = self._clock() + _EXTEND
        try:
            async for data in body:
                if self._clock() > extend_at:
                    # Before the bytes are written: a client that paused may find another request at its upload.
                    await self._extend(row)
                    extend_at = self._clock() + _EXTEND
                if intake.take(data):
                    await self._while_holding(row, intake.settle())
        except BodyTruncated:
            return True
        return False

    async def _finish(self, held: Repository, row: Upload, intake: Intake, digests: Sequence[Digest]) -> Completed:
        counted = await self._while_holding(row, intake.digests(frozenset(one.algorithm for one in digests)))
        digest = next((one for one in digests if counted[one.algorithm] == one.hex), None)
        if digest is None:
            raise InvalidLayer
        size = await self._while_holding(row, intake.publish())
        return await self._record(held, row, digest, size)

    async def _extend(self, row: Upload) -> None:
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.uploads.extend(row, self._clock() + _HOLD):
                raise UploadBusy(row.id)

    async def _while_holding(self, row: Upload, work: Coroutine[Any, Any, T]) -> T:
        """Do what may take longer than a hold lasts."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_EXTEND / 1_000_000))[0]:
                await self._extend(row)
        except BaseException:
            await until_done(task)
            raise
        return task.result()

    async def _progress(self, held: Repository, row: Upload, intake: Intake) -> Upload:
        await self._while_holding(row, intake.settle())
        box = (await self._keys.key(held.content_key)).box
        remainder = box.seal(bytes(intake.remainder), row.location.encode())
        return replace(row, received=intake.received, remainder=remainder)

    async def _release(self, row: Upload, intake: Intake) -> None:
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.uploads.release(row, self._clock()):
                raise UploadBusy(row.id)
        if intake.counted:
            self._counted[row.id, row.turn] = intake.counted
            while len(self._counted) > _REMEMBERED:
                self._counted.popitem(last=False)

    async def _completed(self, repository: RepositoryId, upload: str, digests: Sequence[Digest]) -> Completed | None:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            row = await unit.uploads.find(held.key, upload)
            if row is None:
                raise UploadNotFound(repository, upload)
            if row.completed is None:
                return None
            if row.completed not in digests or await unit.layers.find(held.key, row.completed) is None:
                raise UploadNotFound(repository, upload)
            return Completed(row.completed, row.received, existed=True)

    async def _record(self, held: Repository, row: Upload, digest: Digest, size: int) -> Completed:
        """Let rows name the published bytes, or other bytes of this digest that are stored already."""
        lost = await self._lost(held, digest)
        async with self._metadata.writing() as unit:
            standing = await lock(unit, held.id)
            if standing.key != held.key:
                raise UploadNotFound(held.id, row.id)
            unneeded = await self._place(unit, held, replace(row, received=size), digest, lost)
            now = self._clock()
            existed = not await unit.layers.link(held.key, held.content_key, digest, now)
            if not await unit.uploads.complete(replace(row, received=size), digest, now):
                raise UploadBusy(row.id)
        if unneeded is not None:
            await self._threads.run(lambda: self._blobs.delete(unneeded))
        return Completed(digest, size, existed)

    async def _lost(self, held: Repository, digest: Digest) -> str | None:
        """Where bytes of this digest should be stored and are not, so that ours are needed."""
        async with self._metadata.reading() as unit:
            blob = await unit.layers.blob(held.content_key, digest)
        if blob is None or await self._threads.run(lambda: self._blobs.holds(blob.location, blob.size)):
            return None
        return blob.location

    async def _place(self, unit: Unit, held: Repository, row: Upload, digest: Digest, lost: str | None) -> str | None:
        """Name the place of a blob's bytes; the location that nothing names any more, if there is one."""
        key, size, now = held.content_key, row.received, self._clock()
        if await unit.layers.add_blob(key, digest, row.location, size, now):
            return None
        blob = await unit.layers.blob(key, digest)
        assert blob is not None
        if blob.location == row.location:
            return None
        if not blob.damaged and blob.location != lost:
            return row.location
        await unit.layers.move_blob(key, digest, row.location, size, now)
        return blob.location


def _new_location(held: Repository) -> str:
    return f"{held.content_key}/{os.urandom(16).hex()}"


async def _open_upload(unit: Unit, held: Repository, upload: str) -> Upload:
    row = await unit.uploads.find(held.key, upload)
    if row is None or row.completed is not None:
        raise UploadNotFound(held.id, upload)
    return row


def _follows(held: Repository, row: Upload, first: int | None) -> None:
    if first is not None and first != row.received:
        message = f"First byte of the layer part is {first} instead of {row.received}"
        raise InvalidLayerPart(message, held.id, row.id, row.received)


def _with_part(row: Upload, size: int) -> Upload:
    undersized = row.undersized or (row.parts > 0 and row.last_part < _SMALLEST_PART)
    return replace(row, parts=row.parts + 1, last_part=size, undersized=undersized)


def _may_complete(held: Repository, row: Upload) -> None:
    if row.parts == 0 and row.received == 0:
        raise EmptyUpload(held.id, row.id)
    if row.undersized:
        raise LayerPartTooSmall
