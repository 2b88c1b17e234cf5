"""Whatever is done in whatever order by two processes: all that was acknowledged is readable, and counts are right."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from portside.core.digest import Digest
from portside.core.errors import (
    ImageNotFound,
    InvalidLayer,
    LayerNotFound,
    LayerReferenced,
    LayersNotFound,
    ReferencedImagesNotFound,
    RegistryError,
    RepositoryAlreadyExists,
    RepositoryNotEmpty,
    RepositoryNotFound,
    UploadNotFound,
)
from portside.core.names import ImageId, RepositoryId, parse_tag
from tests.registry.house import HOME, Clock, House, image_of, in_pieces, index_of, noise, opened

NAMES = [HOME.repository("team/one"), HOME.repository("team/two")]
TAGS = ["v1", "v2", "latest"]

repositories = st.sampled_from(NAMES)
processes = st.integers(0, 1)
contents = st.builds(noise, st.sampled_from([0, 1, 1000, 65_536, 65_537, 200_000]), st.integers(0, 1))

COUNTS = {
    "a blob counts the repositories that hold it": """
        SELECT b.digest FROM blobs b WHERE holders != (
            SELECT count(*) FROM layers l WHERE l.content_key = b.content_key AND l.digest = b.digest)""",
    "a layer counts the images that refer to it": """
        SELECT l.digest FROM layers l WHERE images != (
            SELECT count(*) FROM manifest_references f
            WHERE f.repository = l.repository AND f.child = l.digest AND NOT f.is_image)""",
    "a repository counts its images": """
        SELECT name FROM repositories WHERE images != (
            SELECT count(*) FROM manifests WHERE repository = repositories.key)""",
    "a registry counts its repositories": """
        SELECT region FROM registries g WHERE repositories != (
            SELECT count(*) FROM repositories r WHERE r.account = g.account AND r.region = g.region)""",
    "a layer has a blob": """
        SELECT digest FROM layers WHERE (content_key, digest) NOT IN (SELECT content_key, digest FROM blobs)""",
    "a tag points at an image": """
        SELECT name FROM tags WHERE (repository, digest) NOT IN (SELECT repository, digest FROM manifests)""",
    "a reference comes from an image": """
        SELECT parent FROM manifest_references
        WHERE (repository, parent) NOT IN (SELECT repository, digest FROM manifests)""",
    "an index refers to images": """
        SELECT child FROM manifest_references
        WHERE is_image AND (repository, child) NOT IN (SELECT repository, digest FROM manifests)""",
    "an image refers to layers": """
        SELECT child FROM manifest_references
        WHERE NOT is_image AND (repository, child) NOT IN (SELECT repository, digest FROM layers)""",
}


@dataclass
class Shelf:
    """What one repository must hold."""

    layers: set[bytes] = field(default_factory=set)
    images: dict[bytes, list[bytes]] = field(default_factory=dict)
    """Each manifest with the child manifests that it lists."""
    tags: dict[str, bytes] = field(default_factory=dict)

    def listed(self, manifest: bytes) -> bool:
        return any(manifest in children for children in self.images.values())

    def drop(self, manifest: bytes) -> None:
        del self.images[manifest]
        self.tags = {tag: found for tag, found in self.tags.items() if found != manifest}


@dataclass
class Open:
    """An upload, and what it holds."""

    repository: RepositoryId
    key: int
    id: str
    content: bytes = b""
    done: bool = False


class Histories(RuleBasedStateMachine):
    """Two processes on one folder, and a model of what they acknowledged."""

    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.shelves: dict[RepositoryId, Shelf] = {}
        self.keys: dict[RepositoryId, int] = {}
        self.made = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.clock.forward(0.001)
        return self.runner.run(work)

    def fails(self, failure: type[RegistryError], work: Coroutine[Any, Any, Any]) -> None:
        try:
            self.run(work)
        except failure:
            return
        raise AssertionError(f"no {failure.__name__}")

    @initialize()
    def open(self) -> None:
        async def start() -> list[House]:
            path = Path(self.folder.name)
            return [await self.stack.enter_async_context(opened(path, self.clock)) for _ in range(2)]

        self.houses: list[House] = self.run(start())
        house = self.houses[0]
        self.run(house.registry.settings.put(house.caller, HOME, "BLOB_MOUNTING", "ENABLED"))
        for repository in NAMES:
            self.create(0, repository)

    def teardown(self) -> None:
        try:
            if hasattr(self, "houses"):
                self.everything_is_readable()
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    # --- repositories

    @rule(process=processes, repository=repositories)
    def create(self, process: int, repository: RepositoryId) -> None:
        work = self.houses[process].create(repository)
        if repository in self.shelves:
            self.fails(RepositoryAlreadyExists, work)
            return
        self.run(work)
        self.made += 1
        self.shelves[repository], self.keys[repository] = Shelf(), self.made

    @rule(process=processes, repository=repositories, force=st.sampled_from([False, False, True]))
    def delete_repository(self, process: int, repository: RepositoryId, *, force: bool) -> None:
        house = self.houses[process]
        work = house.registry.repositories.delete(house.caller, repository, force=force)
        if repository not in self.shelves:
            self.fails(RepositoryNotFound, work)
        elif self.shelves[repository].images and not force:
            self.fails(RepositoryNotEmpty, work)
        else:
            self.run(work)
            del self.shelves[repository]

    # --- uploads

    @rule(target=uploads, process=processes, repository=repositories)
    def begin(self, process: int, repository: RepositoryId) -> Any:
        house = self.houses[process]
        work = house.registry.uploads.begin(house.caller, repository)
        if repository not in self.shelves:
            self.fails(RepositoryNotFound, work)
            return multiple()
        return Open(repository, self.keys[repository], self.run(work).id)

    def gone(self, upload: Open) -> type[RegistryError] | None:
        if upload.repository not in self.shelves:
            return RepositoryNotFound
        return UploadNotFound if upload.key != self.keys[upload.repository] else None

    @rule(process=processes, upload=uploads, more=contents)
    def patch(self, process: int, upload: Open, more: bytes) -> None:
        house = self.houses[process]
        work = house.registry.uploads.receive(house.caller, upload.repository, upload.id, in_pieces(more))
        if failure := self.gone(upload) or (UploadNotFound if upload.done else None):
            self.fails(failure, work)
            return
        upload.content += more
        assert self.run(work).received == len(upload.content)

    @rule(process=processes, upload=uploads, more=contents, wrong=st.sampled_from([False, False, True]))
    def complete(self, process: int, upload: Open, more: bytes, *, wrong: bool) -> None:
        house = self.houses[process]
        content = upload.content if upload.done else upload.content + more
        digest = Digest.of(content + b"!" if wrong else content)
        work = house.registry.uploads.complete(
            house.caller, upload.repository, upload.id, [digest], body=in_pieces(more) if more else None
        )
        if failure := self.gone(upload):
            self.fails(failure, work)
        elif wrong:
            self.fails(UploadNotFound if upload.done else InvalidLayer, work)
        elif upload.done and content not in self.shelves[upload.repository].layers:
            self.fails(UploadNotFound, work)
        else:
            assert self.run(work).size == len(content)
            upload.content, upload.done = content, True
            self.shelves[upload.repository].layers.add(content)

    @rule(process=processes, upload=uploads)
    def cancel(self, process: int, upload: Open) -> None:
        house = self.houses[process]
        work = house.registry.uploads.cancel(house.caller, upload.repository, upload.id)
        if failure := self.gone(upload) or (UploadNotFound if upload.done else None):
            self.fails(failure, work)
            return
        self.run(work)
        upload.key = -1

    @rule(process=processes, repository=repositories, content=contents)
    def push(self, process: int, repository: RepositoryId, content: bytes) -> None:
        if repository in self.shelves:
            self.run(self.houses[process].push(content, repository))
            self.shelves[repository].layers.add(content)

    @rule(process=processes, repository=repositories, content=contents, source=st.none() | repositories)
    def mount(self, process: int, repository: RepositoryId, content: bytes, source: RepositoryId | None) -> None:
        house = self.houses[process]
        work = house.registry.mounts.mount(house.caller, repository, Digest.of(content), source)
        if repository not in self.shelves:
            self.fails(RepositoryNotFound, work)
            return
        offered = [shelf for name, shelf in self.shelves.items() if source in {None, name} and content in shelf.layers]
        assert (self.run(work) is not None) == bool(offered)
        if offered:
            self.shelves[repository].layers.add(content)

    @rule(process=processes, repository=repositories, content=contents)
    def delete_layer(self, process: int, repository: RepositoryId, content: bytes) -> None:
        house, shelf, digest = self.houses[process], self.shelves.get(repository), Digest.of(content)
        work = house.registry.layers.delete(house.caller, repository, digest)
        if shelf is None:
            self.fails(RepositoryNotFound, work)
        elif content not in shelf.layers:
            self.fails(LayerNotFound, work)
        elif any(str(digest).encode() in manifest for manifest in shelf.images):
            self.fails(LayerReferenced, work)
        else:
            self.run(work)
            shelf.layers.remove(content)

    # --- images

    @rule(
        process=processes,
        repository=repositories,
        config=contents,
        layers=st.lists(contents, max_size=2),
        tag=st.none() | st.sampled_from(TAGS),
    )
    def put_image(
        self, process: int, repository: RepositoryId, config: bytes, layers: list[bytes], tag: str | None
    ) -> None:
        self.put(process, repository, image_of(config, *layers), tag=tag, missing={config, *layers})

    @rule(process=processes, repository=repositories, data=st.data(), tag=st.none() | st.sampled_from(TAGS))
    def put_index(self, process: int, repository: RepositoryId, data: st.DataObject, tag: str | None) -> None:
        known = sorted({image for shelf in self.shelves.values() for image in shelf.images})
        children = data.draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        self.put(process, repository, index_of(*children), tag=tag, children=children)

    def put(
        self,
        process: int,
        repository: RepositoryId,
        manifest: bytes,
        *,
        tag: str | None,
        children: Sequence[bytes] = (),
        missing: AbstractSet[bytes] = frozenset(),
    ) -> None:
        work, shelf = self.houses[process].put(manifest, tag, repository), self.shelves.get(repository)
        if shelf is None:
            self.fails(RepositoryNotFound, work)
        elif missing - shelf.layers:
            self.fails(LayersNotFound, work)
        elif set(children) - set(shelf.images):
            self.fails(ReferencedImagesNotFound, work)
        else:
            changed = manifest not in shelf.images or (tag is not None and shelf.tags.get(tag) != manifest)
            assert self.run(work).changed == changed
            shelf.images[manifest] = list(children)
            if tag is not None:
                shelf.tags[tag] = manifest

    @rule(process=processes, repository=repositories, data=st.data())
    def delete_images(self, process: int, repository: RepositoryId, data: st.DataObject) -> None:
        if repository not in self.shelves:
            return
        shelf = self.shelves[repository]
        by_digest = st.sampled_from([Digest.of(image) for image in sorted(shelf.images)] or [Digest.of(b"none")])
        asked = st.sampled_from(TAGS).map(lambda tag: ImageId(tag=parse_tag(tag))) | by_digest.map(
            lambda digest: ImageId(digest=digest)
        )
        wanted = data.draw(st.lists(asked, min_size=1, max_size=4))
        removed, failures = self.run(self.houses[process].delete(*wanted, repository=repository))
        again = True
        while again:
            left = [one for one in wanted if not self.deleted(shelf, one)]
            again, wanted = len(left) < len(wanted), left
        assert len(failures) == len(wanted)
        assert all(one.digest is not None for one in removed)

    @rule(process=processes, repository=repositories, tag=st.sampled_from(TAGS))
    def untag(self, process: int, repository: RepositoryId, tag: str) -> None:
        house, shelf, asked = self.houses[process], self.shelves.get(repository), parse_tag(tag)
        work = house.registry.images.untag(house.caller, repository, asked)
        if shelf is None:
            self.fails(RepositoryNotFound, work)
        elif tag not in shelf.tags:
            self.fails(ImageNotFound, work)
        else:
            self.run(work)
            if not self.deleted(shelf, ImageId(tag=asked)):
                del shelf.tags[tag]

    def deleted(self, shelf: Shelf, asked: ImageId) -> bool:
        """Delete one from the model, if it can be."""
        manifest = shelf.tags.get(asked.tag or "") or next(
            (image for image in shelf.images if Digest.of(image) == asked.digest), None
        )
        if manifest is None:
            return False
        if asked.tag is not None and list(shelf.tags.values()).count(manifest) > 1:
            del shelf.tags[asked.tag]
            return True
        if shelf.listed(manifest):
            return False
        shelf.drop(manifest)
        return True

    # --- what must be true

    @invariant()
    def counts_are_right(self) -> None:
        if not hasattr(self, "houses"):
            return
        for law, statement in COUNTS.items():
            assert self.run(self.houses[0].rows(statement)) == [], law

    @invariant()
    def no_file_is_without_a_row_and_no_row_without_a_file(self) -> None:
        if not hasattr(self, "houses"):
            return
        house = self.houses[0]
        names = {path.name: path.parts for path in house.files()}
        published = {name for name, parts in names.items() if "blobs" in parts}
        rows = self.run(house.rows("SELECT location FROM blobs"))
        assert published == {location.partition("/")[2] for (location,) in rows}
        rows = self.run(house.rows("SELECT location FROM uploads WHERE completed IS NULL"))
        assert set(names) - published <= {location.partition("/")[2] for (location,) in rows}

    @rule()
    def everything_is_readable(self) -> None:
        for repository, shelf in self.shelves.items():
            for house in self.houses:
                self.run(self.check(house, repository, shelf))

    async def check(self, house: House, repository: RepositoryId, shelf: Shelf) -> None:
        for content in shelf.layers:
            assert await house.read(Digest.of(content), repository) == content
        for manifest in shelf.images:
            asked = ImageId(digest=Digest.of(manifest))
            assert (await house.registry.images.get(house.caller, repository, asked)).content == manifest
        tagged = {(tag, Digest.of(manifest)) for tag, manifest in shelf.tags.items()}
        untagged = {(None, Digest.of(image)) for image in shelf.images if image not in shelf.tags.values()}
        listed = [(one.tag, one.digest) for one in await house.identifiers(repository=repository)]
        assert len(listed) == len(set(listed))
        assert set(listed) == tagged | untagged


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase
