"""Values that the metadata suites put into rows."""

from __future__ import annotations

from portside.core.digest import Digest
from portside.core.names import RegistryId
from portside.core.records import Image, Repository, RepositorySettings, Upload
from portside.storage.metadata.accounts import DataKeyRow
from portside.storage.metadata.port import Metadata

ACCOUNT = "123456789012"
STRANGER = "210987654321"
REGISTRY = RegistryId(ACCOUNT, "eu-central-1")
KEY = "contentkey"
SIZE = 5_000_000_000  # more than 32 bits
NOW = 1_800_000_000_000_000


def digest(number: int) -> Digest:
    """Digests that sort as their numbers do."""
    return Digest("sha256", f"{number:064x}")


def image(number: int, pushed_at: int = NOW, subject: Digest | None = None) -> Image:
    return Image(
        digest=digest(number),
        media_type="application/vnd.oci.image.manifest.v1+json",
        artifact_type="application/vnd.example",
        subject=subject,
        size=number + 1,
        content_size=SIZE,
        pushed_at=pushed_at,
        last_pull_at=None,
    )


def upload(repository: int, identifier: str = "one") -> Upload:
    return Upload(identifier, repository, location=f"{KEY}/{identifier}", started_at=NOW)


async def registry(metadata: Metadata, account: str = ACCOUNT) -> None:
    """Let there be an account, and a content key."""
    async with metadata.writing() as unit:
        await unit.accounts.add(account, NOW)
        await unit.accounts.add_data_key(DataKeyRow(KEY, "content", ACCOUNT, b"wrapped"), NOW)


async def repository(metadata: Metadata, name: str = "team/app") -> Repository:
    """Let there be a repository."""
    await registry(metadata)
    async with metadata.writing() as unit:
        assert await unit.repositories.add(REGISTRY.repository(name), RepositorySettings(), KEY, NOW)
        found = await unit.repositories.find(REGISTRY.repository(name))
    assert found is not None
    return found


async def key_of(metadata: Metadata, name: str = "team/app") -> int:
    """Let there be a repository; its row's key."""
    return (await repository(metadata, name)).key
