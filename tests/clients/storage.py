"""What podman and buildah have in common: one kind of store, nearly one command line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from tests.clients import commands, hints
from tests.clients.client import USER
from tests.clients.images import OCI
from tests.clients.packages import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.images import Layout


class Facts(NamedTuple):
    """How the store knows an image."""

    image_id: str
    digest: str


class StorageClient(ABC):
    """A client over containers/storage, with its store in one folder."""

    def __init__(self, executable: str, state: Path, *options: str) -> None:
        self.environment = commands.isolated(state, REGISTRY_AUTH_FILE=state / "auth.json")
        self._command = [*hints.private(state), program(executable)]
        self._command += ["--root", state / "root", "--runroot", state / "runroot", "--storage-driver", "vfs", *options]
        self._digest = state / "digest"
        self._indexes: set[str] = set()
        self._forms: dict[str, str] = {}

    def run(self, *arguments: str | Path, given: str = "") -> str:
        """Run one command over this store."""
        return commands.run([*self._command, *arguments], self.environment, given=given)

    def login(self, host: str, password: str) -> None:
        """Log in with the password on standard input."""
        self.run("login", "--tls-verify=false", "--username", USER, "--password-stdin", host, given=password)

    def take(self, layout: Layout, name: str) -> str:
        """Bring the image into the store; an index becomes a local manifest list."""
        self._forms[name] = "oci" if layout.recipe.form is OCI else "v2s2"
        if len(layout.images) > 1:
            self._indexes.add(name)
            self.run("manifest", "create", name)
            self.run("manifest", "add", "--all", name, layout.reference)
        else:
            self.run("tag", self.run("pull", "--quiet", layout.reference), name)
            self.run("rmi", f"localhost{layout.folder}")  # the name that the folder gave it
        return layout.image_id

    def push(self, name: str) -> str:
        """Push in the form that the image came in."""
        kind = ["manifest", "push", "--all"] if name in self._indexes else ["push"]
        options = ["--tls-verify=false", "--quiet", "--format", self._forms[name]]
        self.run(*kind, *options, "--digestfile", self._digest, name, f"docker://{name}")
        return self._digest.read_text().strip()

    def pull(self, name: str) -> str:
        """Pull by tag; of an index the store keeps the image of this machine only."""
        self.run("pull", "--tls-verify=false", "--quiet", name)
        return self.facts(name).digest

    def remove(self, name: str) -> None:
        """Remove the tag, and with the last tag the layers."""
        self._indexes.discard(name)
        self.run("rmi", name)

    def identity(self, name: str) -> str:
        """Return the image id, spelled as a digest."""
        return f"sha256:{self.facts(name).image_id}"

    @abstractmethod
    def facts(self, name: str) -> Facts:
        """Return what the store says of an image."""
