"""A repository of a registry, as a Source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, cast

from urllib3.exceptions import HTTPError

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import MAXIMUM_SIZE, Descriptor
from portside.remote.errors import NotFound, Unexpected, Unreachable, WrongContent
from portside.remote.http import Response, explained, read_body
from portside.remote.pace import pause_before
from portside.remote.ports import Document
from portside.remote.progress import Stop
from portside.remote.references import Reference
from portside.remote.registry import ATTEMPTS, Ask, Refusal, RegistryClient, repository_scope
from portside.remote.text import parse

ACCEPT = ", ".join(sorted(media_types.IMAGES | media_types.INDEXES | media_types.ARTIFACTS))
_PIECE = 1024 * 1024
_PAGES = 1000
"""Ours: no subject has more pages of referrers."""


class RegistrySource:
    """An image of a registry, by tag or digest."""

    def __init__(self, client: RegistryClient, reference: Reference, stop: Stop) -> None:
        self._client = client
        self._reference = reference
        self._scope = repository_scope(reference.repository, push=False)
        self._stop = stop

    def root(self) -> Document:
        """The manifest that the reference stands for."""
        return self._manifest(self._reference.wanted, self._reference.digest)

    def manifest(self, listed: Descriptor) -> Document:
        """A manifest of this digest."""
        found = self._manifest(str(listed.digest), listed.digest)
        return Document(listed.media_type or found.media_type, found.content)

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on; asked for again from where they broke off."""
        position = start
        for attempt in range(ATTEMPTS):
            try:
                for piece in self._pieces(listed, position):
                    position += len(piece)
                    yield piece
            except Unreachable:
                if attempt == ATTEMPTS - 1:
                    raise
                self._stop.wait(pause_before(attempt))
            else:
                if position >= listed.size:
                    return
        raise Unreachable(f"{self._client.host} does not send all of {listed.digest}", "try again later")

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """What refers to the subject: the referrers API, else the tag that older registries keep for it."""
        found: list[Descriptor] = []
        path = f"/v2/{self._reference.repository}/referrers/{subject}"
        for _ in range(_PAGES):
            try:
                response = self._client.send(Ask("GET", path, self._scope, {"Accept": media_types.OCI_INDEX}))
            except (NotFound, Refusal):
                return found or self._tagged_referrers(subject)
            found += _listed(read_body(response, path, MAXIMUM_SIZE), self._client.host)
            onward = _next(response)
            if onward is None:
                return found
            path = onward
        raise Unexpected(f"{self._client.host} lists referrers without end", "ask who runs the registry")

    def origin(self) -> tuple[str, str] | None:
        """Host and repository."""
        return self._client.host, self._reference.repository

    def _tagged_referrers(self, subject: Digest) -> Sequence[Descriptor]:
        # OCI distribution-spec, Referrers Tag Schema.
        try:
            index = self._manifest(f"{subject.algorithm}-{subject.hex}", None)
        except NotFound:
            return []
        return _listed(index.content, self._client.host) if index.media_type in media_types.INDEXES else []

    def _manifest(self, wanted: str, digest: Digest | None) -> Document:
        path = f"/v2/{self._reference.repository}/manifests/{wanted}"
        response = self._client.send(Ask("GET", path, self._scope, {"Accept": ACCEPT}))
        content = read_body(response, path, MAXIMUM_SIZE)
        if digest is not None and Digest.of(content, digest.algorithm) != digest:
            raise WrongContent(f"{self._client.host} answered other bytes than {digest}", "do not trust this registry")
        return Document(_media_type(response, content), content)

    def _pieces(self, listed: Descriptor, start: int) -> Iterator[bytes]:
        path = f"/v2/{self._reference.repository}/blobs/{listed.digest}"
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            response = self._client.send(Ask("GET", path, self._scope, headers))
        except Refusal as refusal:
            if refusal.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start >= listed.size:
                return
            raise
        skip = start if start and response.status == HTTPStatus.OK else 0
        finished = False
        try:
            while piece := response.read(_PIECE):
                rest = piece[skip:] if skip < len(piece) else b""
                skip -= min(skip, len(piece))
                if rest:
                    yield rest
            finished = True
        except (HTTPError, OSError) as error:
            raise explained(error, f"//{self._client.host}") from error
        finally:
            if finished:
                response.release_conn()
            else:
                response.close()


def _media_type(response: Response, content: bytes) -> str:
    declared = (response.headers.get("Content-Type") or "").partition(";")[0].strip()
    if declared in media_types.IMAGES | media_types.INDEXES | media_types.ARTIFACTS:
        return declared
    try:
        named: object = parse(content).get("mediaType")
    except (ValueError, AttributeError):
        named = None
    return named if isinstance(named, str) else declared


def _next(response: Response) -> str | None:
    link = response.headers.get("Link") or ""
    if 'rel="next"' not in link:
        return None
    return link.partition("<")[2].partition(">")[0] or None


def _listed(content: bytes, host: str) -> list[Descriptor]:
    try:
        listed = cast("list[dict[str, Any]]", parse(content)["manifests"] or [])
        return [Descriptor(one["mediaType"], Digest.parse(one["digest"]), one["size"]) for one in listed]
    except (ValueError, KeyError, TypeError, InvalidParameter):
        raise WrongContent(f"{host} answered no list of referrers", "do not trust this registry") from None
