"""A repository of a registry, as a Target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from portside.core import media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import MAXIMUM_SIZE, Descriptor
from portside.remote.ecr_api import EcrApi, EcrError
from portside.remote.errors import Denied, NotFound, RemoteError, Unauthenticated, WrongContent
from portside.remote.http import read_body
from portside.remote.ports import Content, Document
from portside.remote.registry import Ask, Refusal, RegistryClient, repository_scope
from portside.remote.registry_source import ACCEPT
from portside.remote.text import parse
from portside.remote.uploads import Uploads, must_answer

_AT_A_TIME = 100
"""Digests that one BatchCheckLayerAvailability takes (service model)."""


class RegistryTarget:
    """A repository that images are pushed to."""

    def __init__(
        self,
        client: RegistryClient,
        repository: str,
        uploads: Uploads,
        *,
        api: Callable[[], EcrApi | None] = lambda: None,
        jobs: int = 8,
    ) -> None:
        """`api`: gives the ECR API where the registry has one and there are keys for it; asked when first needed."""
        self._client = client
        self._repository = repository
        self._scope = repository_scope(repository)
        self._uploads = uploads
        self._api = api
        self._jobs = jobs

    @property
    def uploads(self) -> Uploads:
        """How blobs whose digest is not known yet are sent."""
        return self._uploads

    def rehearsal(self) -> Rehearsal:
        """Takes layers as `uploads` does, and sends nothing."""
        return Rehearsal()

    def holds(self, reference: str, accept: str = ACCEPT) -> Digest | None:
        """The digest that a tag or digest stands for."""
        path = f"/v2/{self._repository}/manifests/{reference}"
        try:
            response = self._client.send(Ask("HEAD", path, self._scope, {"Accept": accept}))
        except NotFound:
            return None
        except Refusal as refusal:
            # A registry that cannot answer this is asked for each blob, and told the manifest.
            if refusal.status in {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE}:
                return None
            raise
        response.drain_conn()
        try:
            return Digest.parse(response.headers.get("Docker-Content-Digest") or "")
        except InvalidParameter:
            return None

    def missing(self, blobs: Sequence[Descriptor]) -> set[Digest]:
        """Ask the ECR API for a hundred at a time, else for each."""
        if len(blobs) > 1 and (api := self._api()) is not None:
            try:
                return self._missing_in_batches(api, blobs)
            except (EcrError, Denied, Unauthenticated):
                pass  # a push needs no right to the API: each blob is asked for below
        with ThreadPoolExecutor(min(self._jobs, len(blobs)) or 1) as threads:
            there = list(threads.map(self._has, blobs))
        return {blob.digest for blob, known in zip(blobs, there, strict=True) if not known}

    def put_blob(self, blob: Descriptor, content: Content) -> str:
        """Upload, resume or mount a blob."""
        return self._uploads.send(blob, content)

    def put_manifest(self, document: Document, references: Sequence[str]) -> None:
        """Store a manifest under each reference."""
        lists_itself = True
        for reference in references or [str(document.descriptor.digest)]:
            path = f"/v2/{self._repository}/manifests/{reference}"
            headers = {"Content-Type": document.media_type, "Content-Length": str(len(document.content))}
            try:
                response = self._client.send(Ask("PUT", path, self._scope, headers, lambda: document.content))
            except Refusal as refusal:
                raise self._refused(refusal) from None
            response.drain_conn()
            must_answer(self._client.host, response.headers.get("Docker-Content-Digest"), document.descriptor.digest)
            lists_itself = "OCI-Subject" in response.headers
        self._list_referrer(document, lists_itself=lists_itself)

    def _refused(self, refusal: Refusal) -> RemoteError:
        if "immutable" in refusal.said:
            return Denied(refusal.said, "choose another tag, or make the repository's tags mutable")
        if refusal.codes & {"BLOB_UPLOAD_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "DIGEST_INVALID"}:
            return WrongContent(f"{self._client.host} does not take the manifest: {refusal.said}", "push again")
        return refusal

    def _has(self, blob: Descriptor) -> bool:
        path = f"/v2/{self._repository}/blobs/{blob.digest}"
        try:
            response = self._client.send(Ask("HEAD", path, self._scope))
        except NotFound:
            return False
        response.drain_conn()
        length = response.headers.get("Content-Length")
        # A registry that has other bytes under this name is sent the right ones.
        return length is None or length == str(blob.size)

    def _missing_in_batches(self, api: EcrApi, blobs: Sequence[Descriptor]) -> set[Digest]:
        known: set[str] = set()
        for first in range(0, len(blobs), _AT_A_TIME):
            digests = [str(blob.digest) for blob in blobs[first : first + _AT_A_TIME]]
            reply = api.call("BatchCheckLayerAvailability", repositoryName=self._repository, layerDigests=digests)
            known |= {
                one["layerDigest"] for one in reply.get("layers", []) if one.get("layerAvailability") == "AVAILABLE"
            }
        return {blob.digest for blob in blobs if str(blob.digest) not in known}

    def _list_referrer(self, document: Document, *, lists_itself: bool) -> None:
        """Keep the list of referrers that a registry without the referrers API does not keep (Referrers Tag Schema)."""
        parsed: dict[str, Any] = parse(document.content)
        subject = parsed.get("subject")
        if lists_itself or not isinstance(subject, dict):
            return
        name = str(Digest.parse(str(subject["digest"]))).replace(":", "-")  # pyright: ignore[reportUnknownArgumentType]
        listed = self._listed(name)
        mine: dict[str, Any] = {
            "mediaType": document.media_type,
            "digest": str(document.descriptor.digest),
            "size": len(document.content),
            "artifactType": parsed.get("artifactType") or parsed.get("config", {}).get("mediaType"),
            "annotations": parsed.get("annotations") or {},
        }
        if any(one.get("digest") == mine["digest"] for one in listed):
            return
        index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [*listed, mine]}
        content = json.dumps(index, separators=(",", ":")).encode()
        headers = {"Content-Type": media_types.OCI_INDEX, "Content-Length": str(len(content))}
        path = f"/v2/{self._repository}/manifests/{name}"
        self._client.send(Ask("PUT", path, self._scope, headers, lambda: content)).drain_conn()

    def _listed(self, tag: str) -> list[dict[str, Any]]:
        path = f"/v2/{self._repository}/manifests/{tag}"
        try:
            response = self._client.send(Ask("GET", path, self._scope, {"Accept": media_types.OCI_INDEX}))
        except NotFound:
            return []
        try:
            found: dict[str, list[dict[str, Any]]] = parse(read_body(response, path, MAXIMUM_SIZE))
            return [*found["manifests"]]
        except (ValueError, KeyError, TypeError):
            raise WrongContent(
                f"{self._client.host} has no list of referrers under {tag}", "see who pushed it"
            ) from None


class Rehearsal:
    """Where layers go of a push that is only tried: they are hashed, so that what would be sent is known."""

    def send_once(self, key: str, pieces: Iterable[bytes], label: str) -> Descriptor:
        """The bytes' digest and size."""
        del key, label
        hashed = hashlib.sha256()
        size = 0
        for piece in pieces:
            hashed.update(piece)
            size += len(piece)
        return Descriptor("", Digest("sha256", hashed.hexdigest()), size)
