"""Buildah, used for moving images only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.clients.storage import Facts, StorageClient

if TYPE_CHECKING:
    from pathlib import Path


class Buildah(StorageClient):
    """Buildah with its store in one folder."""

    def __init__(self, state: Path) -> None:
        super().__init__("buildah", state)

    def facts(self, name: str) -> Facts:
        """Ask buildah, which speaks of images as what a container would be made from."""
        image = json.loads(self.run("inspect", "--type", "image", name))
        return Facts(image["FromImageID"], image["FromImageDigest"])
