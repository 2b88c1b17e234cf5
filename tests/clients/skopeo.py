"""Skopeo, which has no store: its images are folders.

A `dir:` folder keeps manifests of any form byte by byte, so the digest of its
manifest file is the identity of what was pulled.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from tests.clients import commands, hints
from tests.clients.client import USER
from tests.clients.packages import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.images import Layout


class Skopeo:
    """Skopeo with its folders of images in one folder."""

    def __init__(self, state: Path, **more: str) -> None:
        self._command = [*hints.private(state), program("skopeo")]
        self.settings = state / "auth.json"
        self.environment = commands.isolated(state, REGISTRY_AUTH_FILE=self.settings, **more)
        self._digest = state / "digest"
        self._pulled = state / "pulled"
        self._taken: dict[str, Layout] = {}

    def run(self, *arguments: str | Path, given: str = "") -> str:
        """Run one skopeo command."""
        return commands.run([*self._command, *arguments], self.environment, given=given)

    def login(self, host: str, password: str) -> None:
        """Log in with the password on standard input."""
        self.run("login", "--tls-verify=false", "--username", USER, "--password-stdin", host, given=password)

    def take(self, layout: Layout, name: str) -> str:
        """Remember the folder; an index keeps all its images."""
        self._taken[name] = layout
        return layout.root.digest

    def push(self, name: str) -> str:
        """Copy the folder to the registry."""
        source = self._taken[name].reference
        options = ["--all", "--preserve-digests", "--quiet", "--dest-tls-verify=false", "--digestfile", self._digest]
        self.run("copy", *options, source, f"docker://{name}")
        return self._digest.read_text().strip()

    def pull(self, name: str) -> str:
        """Copy the image, with all platforms, into a new folder."""
        self.run("copy", "--all", "--quiet", "--src-tls-verify=false", f"docker://{name}", f"dir:{self._folder(name)}")
        return self.identity(name)

    def remove(self, name: str) -> None:
        """Delete the pulled folder; the taken one is everybody's."""
        self._taken.pop(name, None)
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def identity(self, name: str) -> str:
        """Return the digest of the pulled manifest."""
        manifest = (self._folder(name) / "manifest.json").read_bytes()
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"

    def _folder(self, name: str) -> Path:
        folder = self._pulled / name.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
