"""A push, a retag and deletions, request by request, in repositories of their own."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from portside.core.digest import Digest
from portside.core.errors import RegistryError, RepositoryNotFound
from portside.distribution.errors import words
from portside.registry.failures import in_registry_words
from portside.storage.errors import StorageError
from tests.distribution.driver import Answer, Client
from tests.registry.house import HOME, House, image_of

LAYER = 1_200_000
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Teller:
    """Who makes the requests: one process of the registry, and a client of it."""

    house: House
    client: Client


@dataclass(frozen=True)
class Step:
    """One request, and the statuses that are right when it is made once more."""

    request: Callable[[Teller], Awaitable[Answer]]
    status: int
    again: frozenset[int]


class Story:
    """What happens in one repository, and in another that goes away."""

    def __init__(self, name: str, seed: int) -> None:
        self.repository, self._gone = HOME.repository(name), HOME.repository(f"{name}-gone")
        self._base = f"/v2/{name}"
        chance = random.Random(seed)
        self._config, self._old, self._new = b"{}", chance.randbytes(1000), chance.randbytes(LAYER)
        self._kept = image_of(self._config, self._old)
        self._made = image_of(self._config, self._new)
        self._victim = image_of(self._config)
        self._acknowledged: dict[str, bytes] = {}
        self._upload = self._cancelled = ""

    async def begin(self, teller: Teller) -> None:
        """What was acknowledged before anything goes wrong."""
        for repository in (self.repository, self._gone):
            await teller.house.create(repository)
            for content in (self._config, self._old):
                self._blob(await teller.house.push(content, repository), content)
            for tag, manifest in (("kept", self._kept), ("moving", self._kept), ("victim", self._victim)):
                await teller.house.put(manifest, tag, repository)
        self._acknowledged |= {"manifests/kept": self._kept, f"manifests/{Digest.of(self._kept)}": self._kept}

    @property
    def steps(self) -> list[Step]:
        """Every request in its order."""
        return [
            Step(self._begin, 202, frozenset({202})),
            # Of a part whose answer was lost, the registry says that it has it.
            Step(self._patch, 202, frozenset({202, 416})),
            Step(self._complete, 201, frozenset({201})),
            Step(self._push_at_once, 201, frozenset({201})),
            Step(self._put, 201, frozenset({201})),
            Step(self._retag, 201, frozenset({201})),
            Step(self._begin_another, 202, frozenset({202})),
            Step(self._cancel, 204, frozenset({204, 404})),
            Step(self._delete_image, 202, frozenset({202, 404})),
            Step(self._delete_repository, 200, frozenset({200, 404})),
        ]

    async def verify(self, teller: Teller) -> None:
        """Everything acknowledged is there, byte for byte; what moves or goes is whole or not there."""
        for path, content in self._acknowledged.items():
            answer = await teller.client.ask("GET", f"{self._base}/{path}")
            assert (answer.status, answer.body == content) == (200, True), path
        moving = await teller.client.ask("GET", f"{self._base}/manifests/moving")
        assert moving.body in {self._kept, self._made}
        victim = await teller.client.ask("GET", f"{self._base}/manifests/victim")
        assert victim.status == 404 or victim.body == self._victim

    async def verify_end(self, teller: Teller) -> None:
        """Everything that was asked for has happened."""
        await self.verify(teller)
        assert (await teller.client.ask("GET", f"{self._base}/manifests/moving")).body == self._made
        for path in (f"{self._base}/manifests/victim", f"/v2/{self._gone.name}/manifests/kept", self._cancelled):
            assert (await teller.client.ask("GET", path)).status == 404

    def _blob(self, digest: Digest, content: bytes) -> None:
        self._acknowledged[f"blobs/{digest}"] = content

    async def _begin(self, teller: Teller) -> Answer:
        answer = await teller.client.ask("POST", f"{self._base}/blobs/uploads/")
        self._upload = answer.headers.get("location", "")
        return answer

    async def _patch(self, teller: Teller) -> Answer:
        answer = await teller.client.ask("PATCH", self._upload, self._new, {"Content-Range": f"0-{LAYER - 1}"})
        assert answer.status not in {202, 416} or answer.headers["range"] == f"0-{LAYER - 1}"
        return answer

    async def _complete(self, teller: Teller) -> Answer:
        answer = await teller.client.ask("PUT", self._upload, digest=str(Digest.of(self._new)))
        if answer.status == 201:
            self._blob(Digest.of(self._new), self._new)
        return answer

    async def _push_at_once(self, teller: Teller) -> Answer:
        """Of a blob that is there already."""
        digest = str(Digest.of(self._config))
        return await teller.client.ask("POST", f"{self._base}/blobs/uploads/", self._config, digest=digest)

    async def _put(self, teller: Teller) -> Answer:
        return await self._put_as(teller, "new")

    async def _retag(self, teller: Teller) -> Answer:
        return await self._put_as(teller, "moving")

    async def _put_as(self, teller: Teller, tag: str) -> Answer:
        headers = {"Content-Type": _MANIFEST}
        answer = await teller.client.ask("PUT", f"{self._base}/manifests/{tag}", self._made, headers)
        if answer.status == 201:
            self._acknowledged[f"manifests/{tag}"] = self._made
        return answer

    async def _begin_another(self, teller: Teller) -> Answer:
        answer = await teller.client.ask("POST", f"{self._base}/blobs/uploads/")
        self._cancelled = answer.headers.get("location", "")
        return answer

    async def _cancel(self, teller: Teller) -> Answer:
        return await teller.client.ask("DELETE", self._cancelled)

    async def _delete_image(self, teller: Teller) -> Answer:
        return await teller.client.ask("DELETE", f"{self._base}/manifests/{Digest.of(self._victim)}")

    async def _delete_repository(self, teller: Teller) -> Answer:
        """Which docker has no request for."""
        try:
            await teller.house.registry.repositories.delete(teller.house.caller, self._gone, force=True)
        except RepositoryNotFound:
            return Answer(404)
        except (RegistryError, StorageError) as failure:
            error = in_registry_words(failure)
            assert error is not None
            status, _, _ = words(error)
            return Answer(status)
        return Answer(200)
