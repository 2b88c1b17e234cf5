"""Whether the archive location is the one that bytes were moved to."""

from __future__ import annotations

from portside.server.settings import Settings
from portside.storage.errors import StorageUnusable
from portside.storage.metadata.port import Metadata


async def check_archive(settings: Settings, metadata: Metadata) -> None:
    """Refuse what would let layers of archived images count as lost. Raises StorageUnusable."""
    if settings.archive is not None:
        if settings.archive.exists() and settings.data.exists() and settings.archive.samefile(settings.data):
            raise StorageUnusable("--storage-archive is the folder of the data; give another one.")
        if settings.archive.is_dir():
            return
    async with metadata.reading() as unit:
        used = await unit.archive.is_used()
    if not used:
        return
    if settings.archive is None:
        raise StorageUnusable("Layers of archived images lie at an archive location; start with its --storage-archive.")
    raise StorageUnusable(
        f"Layers of archived images lie in {settings.archive}, which is not there; mount it, or name it."
    )
