"""Sending one blob to a registry, and going on where a cut connection or an earlier run left off.

Two ways in: bytes that can be had again from any position are streamed whole; bytes that come once, and whose digest
is known at their end only, go as chunks, each kept until the registry has it. After a failure the registry is asked
how far it came, and only the rest is sent (OCI distribution-spec, Pushing a blob in chunks).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlencode, urljoin, urlsplit

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.errors import NotFound, RemoteError, Unexpected, Unreachable, WrongContent
from portside.remote.http import Body
from portside.remote.pace import pause_before
from portside.remote.ports import Content
from portside.remote.progress import Progress, Stop
from portside.remote.registry import ATTEMPTS, Ask, Refusal, RegistryClient, repository_scope

WHOLE = 4 * 1024 * 1024
"""Bytes up to which a blob goes in one PUT: sent again as a whole when that fails."""
CHUNK = 5 * 1024 * 1024
"""Bytes of a chunk of what comes once: ECR's smallest part."""
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")
_TOLD = re.compile(r"First byte of the layer part is [0-9]{1,15} instead of ([0-9]{1,15})")
_STREAM = {"Content-Type": "application/octet-stream"}
_OVER = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.GONE,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    }
)


class Memory(Protocol):
    """Remembers open uploads between runs, by a name of the bytes."""

    def recall(self, name: str) -> str | None:
        """The address of the upload of these bytes that was begun and not finished."""
        ...

    def remember(self, name: str, location: str) -> None:
        """An upload was begun."""
        ...

    def forget(self, name: str) -> None:
        """It is finished, or gone."""
        ...


class Uploads:
    """Uploads to one repository. May be used from several threads."""

    def __init__(self, client: RegistryClient, repository: str, memory: Memory, progress: Progress, stop: Stop) -> None:
        self._client = client
        self._repository = repository
        self._scope = repository_scope(repository)
        self._memory = memory
        self._progress = progress
        self._stop = stop

    def send(self, blob: Descriptor, content: Content) -> str:
        """Upload a blob of known digest; gives `pushed`, `mounted` or `resumed`.

        Raises WrongContent when the bytes are others than the digest says, and what the client raises.
        """
        if blob.size <= WHOLE:
            return self._at_once(blob, content)
        name = self._name(str(blob.digest))
        upload = self._resumed(name)
        outcome = "resumed" if upload and upload.held else "pushed"
        if upload is None or upload.held > blob.size:
            upload, outcome = self._begun(blob.digest, content.mount_from()), "pushed"
            if upload is None:
                return "mounted"
            self._memory.remember(name, upload.location)
        self._progress.advanced(str(blob.digest), upload.held)
        whole = self._streamed(blob, content, upload)
        try:
            self._completed(blob, whole)
        except WrongContent:
            self._memory.forget(name)
            if outcome != "resumed":
                raise
            # What an earlier run left there was not this blob's beginning.
            self._progress.advanced(str(blob.digest), -blob.size)
            return self.send(blob, content)
        self._memory.forget(name)
        return outcome

    def send_once(self, key: str, pieces: Iterable[bytes], label: str) -> Descriptor:
        """Upload bytes that come once; gives their digest and size (the media type is the caller's).

        `key` names the bytes across runs: the same key always gives the same bytes. Raises as `send`.
        """
        name = self._name(key)
        upload = self._resumed(name)
        resumed = upload is not None and upload.held > 0
        if upload is None:
            upload = self._must_begin()
            self._memory.remember(name, upload.location)
        hashed = hashlib.sha256()
        size = 0
        for chunk in _chunks(self._stop.watched(pieces), CHUNK):
            length = sum(map(len, chunk))
            for piece in chunk:
                hashed.update(piece)
            if size + length > upload.held:
                upload = self._chunk(upload, chunk, size)
            size += length
            self._progress.advanced(label, length)
        if upload.held > size:
            self._memory.forget(name)
            raise WrongContent("An upload that was begun holds more than the layer has", "run the command again")
        blob = Descriptor("", Digest("sha256", hashed.hexdigest()), size)
        # Forgotten whatever the answer: an upload that does not become this blob never will.
        self._memory.forget(name)
        try:
            self._completed(blob, upload)
        except WrongContent:
            if not resumed:
                raise
            message = f"What an earlier run left at {self._client.host} was not the beginning of {label}"
            raise WrongContent(message, "run the command again") from None
        return blob

    def _name(self, key: str) -> str:
        return f"{self._client.host}/{self._repository} {key}"

    def _at_once(self, blob: Descriptor, content: Content) -> str:
        for attempt in range(ATTEMPTS):
            upload = self._begun(blob.digest, content.mount_from())
            if upload is None:
                return "mounted"
            whole = self._checked(blob, content)
            try:
                self._completed(blob, upload, whole)
            except (Unreachable, NotFound):
                if attempt == ATTEMPTS - 1:
                    raise
                self._stop.wait(pause_before(attempt))
            else:
                self._progress.advanced(str(blob.digest), blob.size)
                return "pushed"
        raise Unreachable(f"{self._client.host} did not take {blob.digest}", "try again later")

    def _resumed(self, name: str) -> _Upload | None:
        """Find the upload of these bytes that an earlier run left; None without one that can go on."""
        location = self._memory.recall(name)
        if location is None:
            return None
        # Another host has the name today, or the same one speaks TLS now.
        found = self._found(location) if urlsplit(location)[:2] == urlsplit(self._client.base)[:2] else None
        if found is None:
            self._memory.forget(name)
        return found

    def _begun(self, digest: Digest | None, mount_from: str | None) -> _Upload | None:
        """Begin an upload; None when the blob was mounted instead."""
        wanted = {"mount": str(digest), "from": mount_from} if digest and mount_from else {}
        query = f"?{urlencode(wanted)}" if wanted else ""
        path = f"/v2/{self._repository}/blobs/uploads/{query}"
        response = self._client.send(Ask("POST", path, self._scope, {"Content-Length": "0"}, lambda: b""))
        response.drain_conn()
        if response.status == HTTPStatus.CREATED and wanted:
            return None
        return _Upload(self._location(response.headers.get("Location"), path), 0)

    def _must_begin(self) -> _Upload:
        upload = self._begun(None, None)
        assert upload is not None
        return upload

    def _location(self, header: str | None, before: str) -> str:
        if not header:
            raise Unexpected(f"{self._client.host} began an upload without saying where", "ask who runs the registry")
        return urljoin(urljoin(self._client.base, before), header)

    def _found(self, location: str) -> _Upload | None:
        """Ask how far an upload came; None when it is gone."""
        try:
            response = self._client.send(Ask("GET", location, self._scope))
        except NotFound:
            return None
        except Refusal as refusal:
            if refusal.status in _OVER:
                return None
            raise
        response.drain_conn()
        held = _held(response.headers.get("Range"))
        # The address may hold the upload's state, so that the old one is good for nothing (distribution's `_state`).
        return (
            None
            if held is None
            else _Upload(self._location(response.headers.get("Location") or location, location), held)
        )

    def _streamed(self, blob: Descriptor, content: Content, upload: _Upload) -> _Upload:
        """Send everything that the upload does not hold yet."""
        label = str(blob.digest)
        for attempt in range(ATTEMPTS):
            if upload.held == blob.size:
                return upload
            counted = _Counted(label, self._progress)
            body = self._body(content, upload.held, blob, counted)
            try:
                return self._patched(upload, blob.size, body)
            except (Unreachable, NotFound, Refusal) as failure:
                if attempt == ATTEMPTS - 1 or not _may_go_on(failure):
                    raise
                self._stop.wait(pause_before(attempt))
                before = upload.held + counted.total
                upload = self._after_failure(self._name(label), upload, blob.size, failure)
                self._progress.advanced(label, upload.held - before)
        raise Unreachable(f"{self._client.host} did not take {label}", "try again later")

    def _after_failure(self, name: str, upload: _Upload, size: int, failure: RemoteError) -> _Upload:
        found = self._held_now(upload, failure)
        if found is None or found.held > size:
            found = self._must_begin()
            self._memory.remember(name, found.location)
        return found

    def _held_now(self, upload: _Upload, failure: RemoteError) -> _Upload | None:
        """How far an upload came, as the refusal says it, else as the registry does when it is asked.

        ECR's own Range stays where the first chunk ended, and only its refusal says the truth (ecr-behaviour 1.9).
        """
        found = self._found(upload.location)
        told = _TOLD.search(failure.message)
        return found if found is None or told is None else replace(found, held=int(told[1]))

    def _body(self, content: Content, start: int, blob: Descriptor, counted: _Counted) -> Callable[[], Iterator[bytes]]:
        return lambda: counted.over(_exactly(self._stop.watched(content.read(start)), blob, start))

    def _patched(self, upload: _Upload, end: int, body: Callable[[], Body]) -> _Upload:
        """Send the bytes between what the upload holds and `end`."""
        headers = {**_STREAM, "Content-Length": str(end - upload.held)}
        if upload.held:  # the first bytes are a stream, whose end nobody has to know
            headers["Content-Range"] = f"{upload.held}-{end - 1}"
        response = self._client.send(Ask("PATCH", upload.location, self._scope, headers, body, repeatable=False))
        response.drain_conn()
        return _Upload(self._location(response.headers.get("Location") or upload.location, upload.location), end)

    def _chunk(self, upload: _Upload, chunk: list[bytes], first: int) -> _Upload:
        """Send of a chunk, whose first byte is the upload's byte `first`, what the upload does not hold."""
        end = first + sum(map(len, chunk))
        for attempt in range(ATTEMPTS):
            skip = max(upload.held - first, 0)
            try:
                return self._patched(upload, end, lambda skip=skip: _without(chunk, skip))
            except (Unreachable, NotFound, Refusal) as failure:
                if attempt == ATTEMPTS - 1 or not _may_go_on(failure):
                    raise
                self._stop.wait(pause_before(attempt))
                found = self._held_now(upload, failure)
                told = _TOLD.search(failure.message)
                if found is None or (told is not None and found.held < first):
                    raise Unreachable(f"{self._client.host} lost an upload", "run the command again") from failure
                # What came before this chunk was acknowledged, whatever a range says.
                upload = replace(found, held=max(found.held, first))
                if upload.held >= end:
                    return upload
        raise Unreachable(f"{self._client.host} did not take the layer", "try again later")

    def _completed(self, blob: Descriptor, upload: _Upload, whole: bytes = b"") -> None:
        url = f"{upload.location}{'&' if urlsplit(upload.location).query else '?'}digest={quote(str(blob.digest))}"
        headers = {**_STREAM, "Content-Length": str(len(whole))}
        try:
            response = self._client.send(Ask("PUT", url, self._scope, headers, lambda: whole, repeatable=not whole))
        except NotFound:
            # Said to a second PUT whose first one's answer was lost.
            if not self._there(blob.digest):
                raise
            return
        except Refusal as refusal:
            if refusal.codes & {"DIGEST_INVALID", "BLOB_UPLOAD_INVALID"}:
                message = f"The bytes of {blob.digest} are others than its digest says ({refusal.said})"
                raise WrongContent(message, "the source is damaged; build or save the image again") from None
            raise
        response.drain_conn()
        must_answer(self._client.host, response.headers.get("Docker-Content-Digest"), blob.digest)

    def _there(self, digest: Digest) -> bool:
        try:
            self._client.send(Ask("HEAD", f"/v2/{self._repository}/blobs/{digest}", self._scope)).drain_conn()
        except NotFound:
            return False
        return True

    def _checked(self, blob: Descriptor, content: Content) -> bytes:
        whole = b"".join(self._stop.watched(content.read(0)))
        if len(whole) != blob.size or Digest.of(whole, blob.digest.algorithm) != blob.digest:
            raise WrongContent(f"The bytes of {blob.digest} are others than its digest says", "the source is damaged")
        return whole


@dataclass(frozen=True, slots=True)
class _Upload:
    """An upload that is under way."""

    location: str
    held: int
    """Bytes that the registry has of it."""


class _Counted:
    """Counts the bytes that go by."""

    def __init__(self, label: str, progress: Progress) -> None:
        self.total = 0
        self._label = label
        self._progress = progress

    def over(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self.total += len(piece)
            self._progress.advanced(self._label, len(piece))


def _exactly(pieces: Iterable[bytes], blob: Descriptor, start: int) -> Iterator[bytes]:
    """The pieces, when they are what is left of the blob; never a byte more, which would be the next request's.

    Raises WrongContent.
    """
    left = blob.size - start
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise WrongContent(f"{blob.digest} has another size than its manifest says", "check the source")


def must_answer(host: str, header: str | None, digest: Digest) -> None:
    """Raise WrongContent when a registry says that what it stored is called something else."""
    if header and header != str(digest) and header.startswith(f"{digest.algorithm}:"):
        raise WrongContent(f"{host} says that it stored {header} and was sent {digest}", "do not trust this registry")


def _may_go_on(failure: RemoteError) -> bool:
    # 416 and 409 are answered when a part was there already, or not yet.
    return not isinstance(failure, Refusal) or failure.status in {
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        HTTPStatus.CONFLICT,
    }


def _held(header: str | None) -> int | None:
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    last = int(found[1])
    # `0-0` is what an upload without bytes says, and one with a single byte too.
    return last + 1 if last else 0


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """The pieces in groups of at least `size` bytes, the last one of what is left: nothing is copied together."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            yield held
            held, length = [], 0
    if held:
        yield held


def _without(pieces: Iterable[bytes], skip: int) -> Iterator[bytes]:
    for piece in pieces:
        if skip < len(piece):
            yield piece[skip:]
        skip = max(skip - len(piece), 0)
