"""Debian's docker-registry: a registry that is no ECR, with a login of its own or none."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients import commands
from tests.clients.packages import program
from tests.wire.server import free_port

_CONFIGURATION = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/blobs}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
{auth}
"""
_AUTH = "auth: {{htpasswd: {{realm: registry, path: {folder}/htpasswd}}}}"
USER, PASSWORD = "somebody", "correct horse"
# What `htpasswd -nbB somebody "correct horse"` writes.
_ENTRY = "somebody:$2b$05$HhOh6WUcxo9SEe900MJ0EubybNJaFeFoSl7OSDBUejbXMb5M5.iNK\n"


@dataclass(frozen=True)
class Distribution:
    """A registry that answers."""

    port: int

    @property
    def host(self) -> str:
        """The host as an image name begins with it."""
        return f"localhost:{self.port}"

    def manifest(self, name: str) -> bytes:
        """The bytes of a manifest of this registry."""
        path, _, tag = name.removeprefix(f"{self.host}/").rpartition(":")
        request = urllib.request.Request(
            f"http://{self.host}/v2/{path}/manifests/{tag}",
            headers={"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@contextmanager
def distribution(folder: Path, *, closed: bool = False) -> Generator[Distribution]:
    """Run one over an empty folder; `closed`: only USER may use it, with PASSWORD."""
    running = Distribution(free_port())
    auth = ""
    if closed:
        (folder / "htpasswd").write_text(_ENTRY)
        auth = _AUTH.format(folder=folder)
    file = folder / "registry.yml"
    file.write_text(_CONFIGURATION.format(folder=folder, port=running.port, auth=auth))
    command = [program("docker-registry"), "serve", file]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "registry.log")
    try:
        daemon.ready(lambda: _answers(running))
        yield running
    finally:
        daemon.stop()


def _answers(running: Distribution) -> bool:
    try:
        urllib.request.urlopen(f"http://{running.host}/v2/", timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return True
