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
from typing import Any, TypeVar

from portside.core.digest import Digest
from portside.core.errors import (
    BodyTruncated,
    InvalidLayer,
    RegistryError,
    UploadBusy,
    UploadNotFound,
)
from portside.core.names import RepositoryId
from portside.core.records import Repository, Upload
from portside.identity.caller import Caller
from portside.registry import parts
from portside.registry.access import Access
from portside.registry.content import Hash, Intake, copy, drop, until_done
from portside.registry.creation import found_or_made
from portside.registry.presence import present
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
LIFETIME = 24 * 3600 * 1_000_000
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
        self._stores = stores
        self._rules = stores.rules
        self._quotas = stores.rules.quotas
        self._metadata = stores.metadata
        self._blobs = stores.blobs
        self._keys = stores.keys
        self._threads = stores.threads
        self._clock = stores.clock
        self._access = access
        # Hashes that have counted an upload so far, by upload and seal: the next request is usually made here again.
        # When it is not, the bytes are read once more.
        self._counted: OrderedDict[tuple[str, bytes], Mapping[str, Hash]] = OrderedDict()

    async def begin(self, caller: Caller, repository: RepositoryId) -> Upload:
        """Open an upload; those into the same repository that nobody went on with for a day end now."""
        await self._access.repository(caller, "ecr:InitiateLayerUpload", repository)
        pushed_to = await found_or_made(self._stores, self._access, caller, repository)
        # A key that is switched off, and a full disk, are told now, and not when the bytes have come.
        await self._stores.keys.key(pushed_to.content_key)
        self._blobs.check()
        async with self._metadata.writing(durable=False) as unit:
            held = await lock(unit, repository)
            upload = Upload(
                id=str(uuid.uuid4()),
                repository_key=held.key,
                location=_new_location(held),
                started_at=self._clock(),
            )
            await unit.uploads.add(upload)
            stale = await unit.uploads.delete_stale(held.key, upload.started_at - LIFETIME, upload.started_at)
        for location in stale:
            await drop(self._blobs, self._threads, location)
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
        do not follow on or are not as many as they were said to be, and LimitExceeded for more than a layer may have;
        the upload then stands as it stood before the request.
        """
        await self._access.repository(caller, "ecr:UploadLayerPart", repository)
        async with self._holding(repository, upload) as (held, row):
            parts.may_begin(held, row, self._quotas, first=first, last=last, through_api=through_api)
            intake = await self._intake(held, row, frozenset({algorithm}))
            truncated = await self._feed(intake, held, row, body, first=first, last=last)
            taken = intake.received - row.received
            grown = await self._progress(held, row, intake)
            if through_api or self._rules.chunks_are_parts:
                grown = parts.with_part(grown, taken, self._quotas.smallest_part)
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
        last: int | None = None,
        through_api: bool = False,
    ) -> Completed:
        """Take the last bytes, if any, as `receive` does, check the digest, and make the layer durable.

        Completing again what was completed is answered alike. Raises InvalidLayer when none of `digests` is the
        digest; the upload then stands as it stood before the request. Through the API, and where chunks are parts,
        it raises EmptyUpload and LayerPartTooSmall as ECR does.
        """
        await self._access.repository(caller, "ecr:CompleteLayerUpload", repository)
        if body is not None:
            await self._access.repository(caller, "ecr:UploadLayerPart", repository)
        if done := await self._completed(repository, upload, digests):
            return done
        try:
            async with self._holding(repository, upload) as (held, row):
                parts.may_begin(held, row, self._quotas, first=first, last=last)
                intake = await self._intake(held, row, frozenset(one.algorithm for one in digests))
                if body is None or not await self._feed(intake, held, row, body, first=first, last=last):
                    if through_api or self._rules.chunks_are_parts:
                        parts.may_complete(held, row, intake.received - row.received, self._quotas.smallest_part)
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
            await drop(self._blobs, self._threads, row.location)

    @contextlib.asynccontextmanager
    async def _holding(self, repository: RepositoryId, upload: str) -> AsyncGenerator[tuple[Repository, Upload], None]:
        """Be the only one to write to an upload; when left by an exception its row is as it was.

        Raises UploadNotFound when what was staged is gone: a power failure took bytes that nobody was promised, and
        the client begins anew.
        """
        patience = self._clock() + _PATIENCE
        while True:
            if taken := await self._take(repository, upload):
                held, before, row = taken
                break
            if self._clock() > patience:
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

    async def _take(self, repository: RepositoryId, upload: str) -> tuple[Repository, Upload | None, Upload] | None:
        """Take hold of an upload's row; the row before and since, or None while another request holds it."""
        now, mine = self._clock(), None
        try:
            async with self._metadata.writing(durable=False) as unit:
                held = await find(unit, repository)
                before = await unit.uploads.find(held.key, upload)
                taken = await unit.uploads.hold(held.key, upload, now, now + _HOLD)
                row = await _open_upload(unit, held, upload)
                mine = row if taken else None
        except BaseException:
            if mine is not None:
                # The commit may have been made all the same; nothing was written, so nothing is in doubt.
                with contextlib.suppress(StorageError):
                    async with self._metadata.writing(durable=False) as unit:
                        await unit.uploads.extend(mine, 0)
            raise
        return None if mine is None else (held, before, mine)

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
            await drop(self._blobs, self._threads, location)
            raise
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.uploads.move(moved):
                raise UploadBusy(row.id)
        await drop(self._blobs, self._threads, row.location)
        return moved

    async def _intake(self, held: Repository, row: Upload, algorithms: frozenset[str]) -> Intake:
        box = (await self._keys.key(held.content_key)).box
        remainder = box.open(row.remainder, row.location.encode()) if row.remainder else b""
        counted = self._counted.pop(_mark(row), {})
        if row.received == len(remainder):
            counted = {name: hashlib.new(name) for name in algorithms}  # nothing is written yet
        return Intake(
            self._blobs, self._threads, row.location, received=row.received, remainder=remainder, counted=counted
        )

    async def _feed(
        self, intake: Intake, held: Repository, row: Upload, body: AsyncIterable[bytes], **span: int | None
    ) -> bool:
        """Take all of a body, which is as long as its span says; whether it was cut short."""
        extend_at = self._clock() + _EXTEND
        try:
            async for data in body:
                if self._clock() > extend_at:
                    # Before the bytes are written: a client that paused may find another request at its upload.
                    await self._extend(row)
                    extend_at = self._clock() + _EXTEND
                self._quotas.admit_layer(intake.received + len(data))
                if intake.take(data):
                    await (intake.advance() if intake.is_idle else self._while_holding(row, intake.advance()))
        except BodyTruncated:
            return True
        finally:
            await intake.stop()
        parts.must_be_whole(held, row, intake.received - row.received, **span)
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
        remainder = box.seal(intake.remainder, row.location.encode())
        return replace(row, received=intake.received, remainder=remainder)

    async def _release(self, row: Upload, intake: Intake) -> None:
        async with self._metadata.writing(durable=False) as unit:
            if not await unit.uploads.release(row, self._clock()):
                raise UploadBusy(row.id)
        if intake.counted:
            self._counted[_mark(row)] = intake.counted
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
        if row.completed not in digests or await present(self._stores, repository, [row.completed]) == [None]:
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
            await drop(self._blobs, self._threads, unneeded)
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
        blob = None
        while blob is None:
            if await unit.layers.add_blob(key, digest, row.location, size, now):
                return None
            # None when a sweep removed the row that was in the way.
            blob = await unit.layers.blob(key, digest)
        if blob.location == row.location:
            return None
        if not blob.damaged and blob.location != lost:
            return row.location
        await unit.layers.move_blob(key, digest, row.location, size, now)
        return blob.location


def _mark(row: Upload) -> tuple[str, bytes]:
    """What tells this state of an upload from all others: the end of its sealed rest, which is never the same twice.

    A turn could be, since a database that crashed may have forgotten the last ones.
    """
    return row.id, row.remainder[-16:]


def _new_location(held: Repository) -> str:
    return f"{held.content_key}/{os.urandom(16).hex()}"


async def _open_upload(unit: Unit, held: Repository, upload: str) -> Upload:
    row = await unit.uploads.find(held.key, upload)
    if row is None or row.completed is not None:
        raise UploadNotFound(held.id, upload)
    return row
