"""Podman, without its service and without containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.clients.storage import Facts, StorageClient

if TYPE_CHECKING:
    from pathlib import Path


class Podman(StorageClient):
    """Podman with its store, locks and events in one folder."""

    def __init__(self, state: Path) -> None:
        super().__init__(
            "podman",
            state,
            *("--cgroup-manager", "cgroupfs", "--events-backend", "none"),
            *("--tmpdir", f"{state}/libpod"),
        )

    def facts(self, name: str) -> Facts:
        """Ask podman, which answers with a list."""
        image = json.loads(self.run("image", "inspect", name))[0]
        return Facts(image["Id"], image["Digest"])
