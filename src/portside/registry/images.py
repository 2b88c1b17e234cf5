"""Images: put, get, list, describe, delete.

PutImage and docker's PUT manifest are both `put`, and cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from portside.core import manifests
from portside.core.digest import Digest
from portside.core.errors import (
    ImageDigestDoesNotMatch,
    ImageNotFound,
    ImageTagAlreadyExists,
    LayersNotFound,
    LimitExceeded,
    ReferencedImagesNotFound,
    RepositoryNotFound,
)
from portside.core.manifests import Manifest
from portside.core.names import ImageId, RepositoryId, Tag
from portside.core.records import Image, Repository
from portside.identity.box import BoxError
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.listing import Listing, PageTokens
from portside.registry.mutability import is_immutable
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.errors import Damaged, StorageError
from portside.storage.metadata.port import Unit

_log = structlog.get_logger()
_MOST_AT_ONCE = 64 * 1024 * 1024
"""Bytes of manifests that one answer holds at the most."""
_PULL_GRAIN = 3600 * 1_000_000
"""A pull is recorded when the last recorded one is older than this; ECR promises 24 hours (ecr-behaviour 1.4)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a put came to; `changed` is False when the same manifest stood under the same tag already."""

    image: Image
    changed: bool


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with its manifest's bytes; `id` has the digest, and the tag it was asked for by."""

    id: ImageId
    image: Image
    content: bytes


@dataclass(frozen=True, slots=True)
class ImageFailure:
    """Why one image of a batch was left out (ecr-behaviour 14.2)."""

    id: ImageId
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A manifest on its way in."""

    manifest: Manifest
    digest: Digest
    size: int
    sealed: bytes


_NOT_FOUND = ("ImageNotFound", "Requested image not found")
_REFERENCED = "ImageReferencedByManifestList"
_DISAGREE = ("ImageTagDoesNotMatchDigest", "Requested image tag and digest do not match")


class Images:
    """The images of every repository here."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens, *, sparse: bool = False) -> None:
        """`sparse`: a manifest may name layers and images that its repository does not hold."""
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._access = access
        self._pages = pages
        self._sparse = sparse

    async def put(
        self,
        caller: Caller,
        repository: RepositoryId,
        content: bytes,
        *,
        media_type: str | None,
        tags: Sequence[Tag],
        digest: Digest | None,
    ) -> Pushed:
        """Store a manifest, and point tags at it: all of them or none.

        Checks in ECR's order (ecr-behaviour 1.5): access, repository, syntax, media type, digest, blobs, child
        manifests, tag. Raises InvalidParameter, ImageDigestDoesNotMatch, LayersNotFound, ReferencedImagesNotFound and
        ImageTagAlreadyExists.
        """
        await self._access.repository(caller, "ecr:PutImage", repository)
        async with self._metadata.reading() as unit:
            content_key = (await find(unit, repository)).content_key
        manifest = manifests.read(content, media_type)
        calculated = Digest.of(content, digest.algorithm if digest else "sha256")
        if digest is not None and digest != calculated:
            raise ImageDigestDoesNotMatch(repository, digest)
        sealed = (await self._keys.key(content_key)).box.seal(content, str(calculated).encode())
        draft = _Draft(manifest, calculated, len(content), sealed)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            if held.content_key != content_key:
                raise RepositoryNotFound(repository)  # it was deleted, and made anew under another key
            image, added = await self._record(unit, held, draft)
            tagged = [await self._tag(unit, held, image, tag) for tag in tags]
        return Pushed(image, changed=added or any(tagged))

    async def get(self, caller: Caller, repository: RepositoryId, wanted: ImageId) -> StoredImage:
        """One image with its bytes; raises ImageNotFound."""
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = await self._resolve(unit, held, wanted)
            if isinstance(found, ImageFailure):
                raise ImageNotFound(repository, wanted)
            sealed = await _sealed(unit, held, found.digest)
        content = await self._opened(held, found.digest, sealed)
        await self._pulled(held, found)
        return StoredImage(ImageId(wanted.tag, found.digest), found, content)

    async def look(self, caller: Caller, repository: RepositoryId, wanted: ImageId) -> Image:
        """One image without its bytes; raises ImageNotFound."""
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = await self._resolve(unit, held, wanted)
        if isinstance(found, ImageFailure):
            raise ImageNotFound(repository, wanted)
        await self._pulled(held, found)
        return found

    async def get_many(
        self, caller: Caller, repository: RepositoryId, wanted: Sequence[ImageId], accepted: Sequence[str]
    ) -> list[StoredImage | ImageFailure]:
        """Images with their bytes, a failure for each that is missing; stored bytes are never translated.

        `accepted` media types are a wish: ECR falls back to what is stored too (ecr-behaviour 1.4).
        """
        del accepted
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = [await self._resolve(unit, held, asked) for asked in wanted]
            images = {one.digest: one for one in found if isinstance(one, Image)}
            if sum(image.size for image in images.values()) > _MOST_AT_ONCE:
                raise LimitExceeded(
                    f"The images have more than {_MOST_AT_ONCE} bytes of manifests; ask for fewer at once."
                )
            sealed = {digest: await _sealed(unit, held, digest) for digest in images}
        # The key after the unit: to fetch it may take a unit of its own.
        contents = {digest: await self._opened(held, digest, content) for digest, content in sealed.items()}
        for image in images.values():
            await self._pulled(held, image)
        return [
            StoredImage(ImageId(asked.tag, one.digest), one, contents[one.digest]) if isinstance(one, Image) else one
            for asked, one in zip(wanted, found, strict=True)
        ]

    async def identifiers(
        self, caller: Caller, repository: RepositoryId, *, tag_status: str, limit: int, token: str | None
    ) -> Listing[ImageId]:
        """A page of identifiers: one for each tag, and one without a tag for each untagged image."""
        await self._access.repository(caller, "ecr:ListImages", repository)
        query = f"list\n{repository.arn}\n{tag_status}"
        after = self._pages.open(query, token) if token else (-1, "", "")
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            rows = await unit.manifests.identifiers(held.key, tag_status, (after[0], after[1], after[2]), limit + 1)
        more = None
        if len(rows) > limit:
            digest, tag, pushed_at = rows[limit - 1]
            more = self._pages.seal(query, [pushed_at, str(digest), tag or ""])
        return Listing([ImageId(tag, digest) for digest, tag, _ in rows[:limit]], more)

    async def tags(self, caller: Caller, repository: RepositoryId, *, after: str, limit: int) -> Sequence[Tag]:
        """Tags in lexical order from after one: docker's tag list."""
        await self._access.repository(caller, "ecr:ListImages", repository)
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            return await unit.tags.page(held.key, after, limit)

    async def describe(
        self,
        caller: Caller,
        repository: RepositoryId,
        wanted: Sequence[ImageId],
        *,
        tag_status: str,
        limit: int,
        token: str | None,
    ) -> Listing[Image]:
        """What is known of these images, or a page of all; raises ImageNotFound when one of `wanted` is missing."""
        await self._access.repository(caller, "ecr:DescribeImages", repository)
        query = f"describe\n{repository.arn}\n{tag_status}"
        after = self._pages.open(query, token) if token else (-1, "")
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            if wanted:
                return Listing(await self._described(unit, held, wanted), None)
            rows = await unit.manifests.page(held.key, tag_status, (after[0], after[1]), limit + 1)
            images = [replace(row, tags=await unit.tags.of(held.key, row.digest)) for row in rows[:limit]]
        more = None
        if len(rows) > limit:
            more = self._pages.seal(query, [images[-1].pushed_at, str(images[-1].digest)])
        return Listing(images, more)

    async def untag(self, caller: Caller, repository: RepositoryId, tag: Tag) -> None:
        """Docker's DELETE by tag: an image goes with its last tag, unless an index lists it. Raises ImageNotFound.

        Through the API the last tag of such an image cannot be removed (ecr-behaviour 1.6); the OCI specification lets
        every tag be deleted, and the image stays for the index's sake.
        """
        asked = ImageId(tag)
        await self._access.repository(caller, "ecr:BatchDeleteImage", repository)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            outcome = await self._remove(unit, held, asked)
            if isinstance(outcome, ImageFailure):
                if outcome.code != _REFERENCED:
                    raise ImageNotFound(repository, asked)
                await unit.tags.delete(held.key, tag)

    async def delete_many(
        self, caller: Caller, repository: RepositoryId, wanted: Sequence[ImageId]
    ) -> tuple[list[ImageId], list[ImageFailure]]:
        """Remove tags, or images with all their tags; what was removed, and why the rest was not.

        An image goes with its last tag. One that an index lists cannot go before the index, so what is left because
        of an index is tried again as long as others went.
        """
        await self._access.repository(caller, "ecr:BatchDeleteImage", repository)
        removed: list[ImageId] = []
        failures: list[ImageFailure] = []
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            tried, left = 0, list(wanted)
            while left and len(left) != tried:
                tried, again = len(left), list[ImageFailure]()
                for asked in left:
                    outcome = await self._remove(unit, held, asked)
                    if not isinstance(outcome, ImageFailure):
                        removed.extend(outcome)
                    elif outcome.code == _REFERENCED:
                        again.append(outcome)
                    else:
                        failures.append(outcome)
                left = [failure.id for failure in again]
                if len(left) == tried:
                    failures.extend(again)
        return removed, failures

    async def _record(self, unit: Unit, held: Repository, draft: _Draft) -> tuple[Image, bool]:
        """Make the manifest's rows; whether they were not there before."""
        manifest, digest = draft.manifest, draft.digest
        sizes = await self._sizes(unit, held, manifest)
        known = await unit.manifests.find(held.key, digest)
        if known is not None and await self._stands(unit, held, digest):
            return known, False
        image = Image(
            digest=digest,
            media_type=manifest.media_type,
            artifact_type=manifest.artifact_type,
            subject=manifest.subject.digest if manifest.subject else None,
            size=draft.size,
            content_size=max(sizes, default=0) if manifest.images else sum(sizes),
            pushed_at=known.pushed_at if known else self._clock(),
            last_pull_at=known.last_pull_at if known else None,
        )
        if known is not None:
            await unit.layers.release(held.key, digest, image.pushed_at)
            await unit.manifests.delete(held.key, digest)
        await unit.manifests.add(held.key, image, draft.sealed)
        for blob in manifest.blobs:
            await unit.manifests.refer(held.key, digest, blob.digest, is_image=False)
            await unit.layers.refer(held.key, blob.digest, blob.media_type, image.pushed_at)
        for child in manifest.images:
            await unit.manifests.refer(held.key, digest, child.digest, is_image=True)
        return image, True

    async def _sizes(self, unit: Unit, held: Repository, manifest: Manifest) -> list[int]:
        """Bytes of every blob or child image that the manifest names; all must be in the repository, unless sparse."""
        layers = [(blob.digest, await unit.layers.find(held.key, blob.digest)) for blob in manifest.blobs]
        if not self._sparse and (missing := [digest for digest, layer in layers if layer is None]):
            raise LayersNotFound(held.id, missing)
        children = [(child.digest, await unit.manifests.find(held.key, child.digest)) for child in manifest.images]
        unknown = list(dict.fromkeys(digest for digest, child in children if child is None))
        if unknown and not self._sparse:
            raise ReferencedImagesNotFound(held.id, unknown)
        return [layer.size for _, layer in layers if layer] + [child.content_size for _, child in children if child]

    async def _tag(self, unit: Unit, held: Repository, image: Image, tag: Tag) -> bool:
        """Point the tag at the image; whether it pointed elsewhere before."""
        standing = await unit.tags.find(held.key, tag)
        if standing is not None and is_immutable(held.settings, tag):
            raise ImageTagAlreadyExists(held.id, tag)
        if standing == image.digest:
            return False
        await unit.tags.put(held.key, tag, image.digest, self._clock())
        return True

    async def _resolve(self, unit: Unit, held: Repository, asked: ImageId) -> Image | ImageFailure:
        digest = asked.digest
        if asked.tag is not None:
            digest = await unit.tags.find(held.key, asked.tag)
            if digest is not None and asked.digest not in {None, digest}:
                return ImageFailure(asked, *_DISAGREE)
        found = await unit.manifests.find(held.key, digest) if digest else None
        return ImageFailure(asked, *_NOT_FOUND) if found is None else found

    async def _described(self, unit: Unit, held: Repository, wanted: Sequence[ImageId]) -> list[Image]:
        described: dict[Digest, Image] = {}
        for asked in wanted:
            found = await self._resolve(unit, held, asked)
            if isinstance(found, ImageFailure):
                raise ImageNotFound(held.id, asked)
            described[found.digest] = replace(found, tags=await unit.tags.of(held.key, found.digest))
        return list(described.values())

    async def _remove(self, unit: Unit, held: Repository, asked: ImageId) -> list[ImageId] | ImageFailure:
        found = await self._resolve(unit, held, asked)
        if isinstance(found, ImageFailure):
            return found
        tags = await unit.tags.of(held.key, found.digest)
        if asked.tag is not None and len(tags) > 1:
            await unit.tags.delete(held.key, asked.tag)
            return [ImageId(asked.tag, found.digest)]
        if parents := await unit.manifests.parents(held.key, found.digest):
            listed = ", ".join(str(parent) for parent in parents)
            reason = f"Requested image referenced by manifest list: [{listed}]"
            return ImageFailure(asked, _REFERENCED, reason)
        await unit.tags.delete_of(held.key, found.digest)
        await unit.layers.release(held.key, found.digest, self._clock())
        await unit.manifests.delete(held.key, found.digest)
        return [ImageId(tag, found.digest) for tag in tags] or [ImageId(None, found.digest)]

    async def _opened(self, held: Repository, digest: Digest, sealed: bytes) -> bytes:
        box = (await self._keys.key(held.content_key)).box
        try:
            return box.open(sealed, str(digest).encode())
        except BoxError:
            raise Damaged(f"The manifest {digest} does not authenticate.") from None

    async def _stands(self, unit: Unit, held: Repository, digest: Digest) -> bool:
        """Whether the stored bytes are what they were; pushing them again replaces them when not."""
        try:
            await self._opened(held, digest, await _sealed(unit, held, digest))
        except Damaged:
            return False
        return True

    async def _pulled(self, held: Repository, image: Image) -> None:
        now = self._clock()
        if image.last_pull_at is None or now - image.last_pull_at > _PULL_GRAIN:
            try:
                async with self._metadata.writing(durable=False) as unit:
                    await unit.manifests.pulled(held.key, image.digest, now)
            except StorageError as error:
                # A full disk stops pushes, not pulls.
                _log.warning("pull time not recorded", repository=held.id.arn, reason=error.message)


async def _sealed(unit: Unit, held: Repository, digest: Digest) -> bytes:
    stored = await unit.manifests.content(held.key, digest)
    if stored is None:
        raise ImageNotFound(held.id, ImageId(digest=digest))
    return stored[1]
