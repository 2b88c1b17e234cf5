"""Images: put, get, list, describe, delete.

PutImage and docker's PUT manifest are both `put`, and cannot drift apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from portside.core import manifests
from portside.core.digest import Digest
from portside.core.errors import (
    ImageDigestDoesNotMatch,
    ImageNotFound,
    LimitExceeded,
    RepositoryNotFound,
)
from portside.core.manifests import Manifest
from portside.core.names import ImageId, RepositoryId, Tag
from portside.core.records import Image, Repository
from portside.identity.caller import Caller
from portside.registry import manifest_content, outcomes
from portside.registry.access import Access
from portside.registry.archiving import ACTIVE
from portside.registry.creation import found_or_made
from portside.registry.listing import Listing, PageTokens
from portside.registry.outcomes import ImageFailure, Pushed, StoredImage
from portside.registry.pull_exclusions import is_excluded
from portside.registry.recording import Draft, Recording
from portside.registry.removal import known, remove, remove_tag, tagged
from portside.registry.repositories import find, lock
from portside.registry.stores import Stores
from portside.storage.errors import Damaged, KeyDisabled
from portside.storage.metadata.port import Unit

_MOST_AT_ONCE = 64 * 1024 * 1024
"""Bytes of manifests that one answer holds at the most."""
_LOOKED_AT = 10
"""Times a page's tags that are looked at for one: what it costs is bounded, however many images are archived."""


class Images:
    """The images of every repository here."""

    def __init__(self, stores: Stores, access: Access, pages: PageTokens, *, sparse: bool = False) -> None:
        """`sparse`: a manifest may name layers and images that its repository does not hold."""
        self._stores = stores
        self._quotas = stores.rules.quotas
        self._metadata = stores.metadata
        self._keys = stores.keys
        self._clock = stores.clock
        self._recollection = stores.recollection
        self._pulls = stores.pulls
        self._access = access
        self._pages = pages
        self._recording = Recording(stores, sparse=sparse)

    async def may_put(self, caller: Caller, repository: RepositoryId) -> None:
        """Raise AccessDenied for whoever may not push here: asked before a manifest's bytes are waited for.

        They take of memory that all pushes share. `put` asks again, since a body may be long in coming.
        """
        await self._access.repository(caller, "ecr:PutImage", repository)

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
        manifests, tag. Raises InvalidParameter, ImageDigestDoesNotMatch, LayersNotFound, ReferencedImagesNotFound,
        ImageTagAlreadyExists and LimitExceeded. An archived image that is pushed again is active at once.
        A repository that the push would make is not made for what is refused.
        """
        await self._access.repository(caller, "ecr:PutImage", repository)

        def admit() -> None:
            self._recording.admit_first(repository, self._read(repository, content, media_type, digest)[0])

        content_key = (await found_or_made(self._stores, self._access, caller, repository, admit)).content_key
        manifest, calculated = self._read(repository, content, media_type, digest)
        sealed = await manifest_content.seal(self._keys, content_key, calculated, content)
        lost = await self._recording.look(repository, manifest)
        draft = Draft(manifest, calculated, len(content), sealed, lost)
        async with self._metadata.writing() as unit:
            held = await lock(unit, repository)
            if held.content_key != content_key:
                raise RepositoryNotFound(repository)  # it was deleted, and made anew under another key
            image, changed = await self._recording.put(unit, held, draft, tags)
        return Pushed(image, changed)

    def _read(
        self, repository: RepositoryId, content: bytes, media_type: str | None, digest: Digest | None
    ) -> tuple[Manifest, Digest]:
        """A manifest and its digest; raises InvalidParameter and ImageDigestDoesNotMatch."""
        self._quotas.admit_manifest(content)
        manifest = manifests.read(content, media_type)
        calculated = Digest.of(content, digest.algorithm if digest else "sha256")
        if digest is not None and digest != calculated:
            raise ImageDigestDoesNotMatch(repository, digest)
        return manifest, calculated

    async def get(self, caller: Caller, repository: RepositoryId, wanted: ImageId) -> StoredImage:
        """One image with its bytes; raises ImageNotFound."""
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        held, stored = await self._recollection.recall(
            ("stored", repository, wanted),
            lambda: self._stored(repository, wanted),
            size=lambda value: len(value[1].content),
        )
        await self._pulled(caller, held, stored.image)
        return stored

    async def look(self, caller: Caller, repository: RepositoryId, wanted: ImageId) -> Image:
        """One image without its bytes; raises ImageNotFound.

        An image whose bytes are damaged is not found either: clients that look before they push would not heal it.
        """
        await self._access.repository(caller, "ecr:BatchGetImage", repository)
        held, found = await self._recollection.recall(
            ("image", repository, wanted), lambda: self._found(repository, wanted)
        )
        await self._pulled(caller, held, found)
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
            sealed = {digest: await manifest_content.stored(unit, held, digest) for digest in images}
        # The key after the unit: to fetch it may take a unit of its own.
        try:
            contents = {
                digest: await manifest_content.opened(self._keys, held, digest, content)
                for digest, content in sealed.items()
            }
        except KeyDisabled as disabled:
            return [
                outcomes.unreadable(asked, disabled.message) if isinstance(one, Image) else one
                for asked, one in zip(wanted, found, strict=True)
            ]
        await self._pulled(caller, held, *images.values())
        return [
            StoredImage(ImageId(asked.tag, one.digest), one, contents[one.digest]) if isinstance(one, Image) else one
            for asked, one in zip(wanted, found, strict=True)
        ]

    async def identifiers(
        self,
        caller: Caller,
        repository: RepositoryId,
        *,
        tag_status: str,
        limit: int,
        token: str | None,
        status: str = "ACTIVE",
    ) -> Listing[ImageId]:
        """A page of identifiers: one for each tag, and one without a tag for each untagged image."""
        await self._access.repository(caller, "ecr:ListImages", repository)
        query = f"list\n{repository.arn}\n{tag_status}\n{status}"
        after = self._pages.open(query, token) if token else (-1, "", "")
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            rows = await unit.manifests.identifiers(
                held.key, tag_status, (after[0], after[1], after[2]), limit + 1, status=status
            )
        more = None
        if len(rows) > limit:
            digest, tag, pushed_at = rows[limit - 1]
            more = self._pages.seal(query, [pushed_at, str(digest), tag or ""])
        return Listing([ImageId(tag, digest) for digest, tag, _ in rows[:limit]], more)

    async def tags(self, caller: Caller, repository: RepositoryId, *, after: str, limit: int) -> Listing[Tag]:
        """Tags of active images in lexical order from after one: docker's tag list, which shows what can be pulled.

        A page may be short where many images are archived; its token is the tag to go on after.
        """
        await self._access.repository(caller, "ecr:ListImages", repository)
        found: list[Tag] = []
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            for _ in range(_LOOKED_AT):
                rows = await unit.tags.page(held.key, after, limit + 1)
                left = len(rows)
                for tag, status in rows[:limit]:
                    if len(found) == limit:
                        break
                    left, after = left - 1, tag
                    found += [tag] if status == ACTIVE else []
                if not left or len(found) == limit:
                    return Listing(found, after if left else None)
                await asyncio.sleep(0)
        return Listing(found, after)

    async def describe(
        self,
        caller: Caller,
        repository: RepositoryId,
        wanted: Sequence[ImageId],
        *,
        tag_status: str,
        limit: int,
        token: str | None,
        status: str = "ACTIVE",
    ) -> Listing[Image]:
        """What is known of these images, or a page of all; raises ImageNotFound when one of `wanted` is missing."""
        await self._access.repository(caller, "ecr:DescribeImages", repository)
        query = f"describe\n{repository.arn}\n{tag_status}\n{status}"
        after = self._pages.open(query, token) if token else (-1, "")
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            if wanted:
                return Listing(await self._described(unit, held, wanted), None)
            rows = await unit.manifests.page(held.key, tag_status, (after[0], after[1]), limit + 1, status=status)
            images = [await self._tagged(unit, held, row) for row in rows[:limit]]
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
            outcome = await remove(unit, held, asked, self._clock())
            if isinstance(outcome, ImageFailure):
                if outcome.code != outcomes.REFERENCED:
                    raise ImageNotFound(repository, asked)
                image = await known(unit, held, asked)
                assert not isinstance(image, ImageFailure)
                await remove_tag(unit, held, image, tag, self._clock())

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
                    # An image may have a thousand tags: others have their turn before the next.
                    await asyncio.sleep(0)
                    outcome = await remove(unit, held, asked, self._clock())
                    if not isinstance(outcome, ImageFailure):
                        removed.extend(outcome)
                    elif outcome.code == outcomes.REFERENCED:
                        again.append(outcome)
                    else:
                        failures.append(outcome)
                left = [failure.id for failure in again]
                if len(left) == tried:
                    failures.extend(again)
        return removed, failures

    async def _pulled(self, caller: Caller, held: Repository, *images: Image) -> None:
        due = [image for image in images if self._pulls.is_due(image)]
        if due and not await is_excluded(self._stores, caller, held.id.registry):
            for image in due:
                self._pulls.note(held.key, image)

    async def _resolve(self, unit: Unit, held: Repository, asked: ImageId) -> Image | ImageFailure:
        """The image to pull; an archived one can be described and deleted, and not pulled."""
        found = await known(unit, held, asked)
        if isinstance(found, Image) and found.status != ACTIVE:
            return outcomes.archived(asked)
        return found

    async def _described(self, unit: Unit, held: Repository, wanted: Sequence[ImageId]) -> list[Image]:
        described: dict[Digest, Image] = {}
        for asked in wanted:
            found = await known(unit, held, asked)
            if isinstance(found, ImageFailure):
                raise ImageNotFound(held.id, asked)
            described[found.digest] = await self._tagged(unit, held, found)
        return list(described.values())

    async def _tagged(self, unit: Unit, held: Repository, image: Image) -> Image:
        """The image with its tags, one of many: a thousand may have a thousand tags each, and others have a turn."""
        await asyncio.sleep(0)
        return await tagged(unit, held, image)

    async def _found(self, repository: RepositoryId, wanted: ImageId) -> tuple[Repository, Image]:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = await self._resolve(unit, held, wanted)
            if isinstance(found, ImageFailure):
                raise ImageNotFound(repository, wanted)
            sealed = await manifest_content.stored(unit, held, found.digest)
        try:
            await manifest_content.opened(self._keys, held, found.digest, sealed)
        except Damaged:
            raise ImageNotFound(repository, wanted) from None
        return held, found

    async def _stored(self, repository: RepositoryId, wanted: ImageId) -> tuple[Repository, StoredImage]:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            found = await self._resolve(unit, held, wanted)
            if isinstance(found, ImageFailure):
                raise ImageNotFound(repository, wanted)
            sealed = await manifest_content.stored(unit, held, found.digest)
        content = await manifest_content.opened(self._keys, held, found.digest, sealed)
        return held, StoredImage(ImageId(wanted.tag, found.digest), found, content)
