"""The contestants, each as its makers would run it for speed (docs/explanation/performance.md says how and why)."""

from __future__ import annotations

import configparser
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.builds import built
from bench.servers import Kind, Server
from tests.clients.packages import program

REGION = "us-east-1"
OURS = "ours"
REFERENCE = "v3"
"""The contestant that the targets are set against."""

_NOTHING: Mapping[str, str] = {}
# Version 3 sends traces to a collector on this machine unless it is told not to.
_UNTRACED: Mapping[str, str] = {"OTEL_TRACES_EXPORTER": "none"}

# Distribution's example configuration, and Debian's, without a password file and without a log line a request, which
# would be counted as work: descriptors are kept in memory.
_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}, fields: {{service: registry}}}}
storage:
  cache: {{blobdescriptor: inmemory}}
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  headers: {{X-Content-Type-Options: [nosniff]}}
health:
  storagedriver: {{enabled: true, interval: 10s, threshold: 3}}
"""


class Portside:
    """This checkout's server: SQLite, a folder; every request authenticated and authorised."""

    probe = "/readyz"
    environment = _NOTHING

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        """`options` are handed to `portside serve`."""
        self.name = name
        self._options = options

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """See Kind."""
        serve = [sys.executable, "-m", "portside", "serve", "--data", folder / "data", "--port", str(port)]
        return [*serve, "--region", REGION, *self._options]

    def prepare(self, server: Server, repositories: Sequence[str]) -> str | None:
        """See Kind. Repositories are made and the password fetched as anyone would: through the ECR API."""
        client = _ecr(server)
        for repository in repositories:
            client.create_repository(repositoryName=repository)
        [given] = client.get_authorization_token()["authorizationData"]
        return f"Basic {given['authorizationToken']}"


class _Open:
    """A registry that asks nobody for anything, and makes repositories as they are pushed to."""

    probe = "/v2/"
    environment = _NOTHING

    def __init__(self, name: str, binary: Path) -> None:
        self.name = name
        self._binary = binary

    def prepare(self, server: Server, repositories: Sequence[str]) -> str | None:
        """See Kind."""
        del server, repositories


class Distribution(_Open):
    """Distribution's registry, of version 2 or 3."""

    environment = _UNTRACED

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """See Kind."""
        configuration = folder / "config.yml"
        configuration.write_text(_CONFIGURATION.format(data=folder / "data", port=port))
        return [self._binary, "serve", configuration]


class Zot(_Open):
    """Zot without extensions; deduplication and garbage collection as it comes."""

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """See Kind."""
        configuration = folder / "config.json"
        settings = {
            "distSpecVersion": "1.1.1",
            "storage": {"rootDirectory": str(folder / "data")},
            "http": {"address": "127.0.0.1", "port": str(port)},
            "log": {"level": "error"},
        }
        configuration.write_text(json.dumps(settings))
        return [self._binary, "serve", configuration]


# Each may raise BuildFailedError or PackageUnavailableError.
_PEERS: Mapping[str, Callable[[Sequence[str], Path | None], Kind]] = {
    "plain": lambda serve, _: Portside("plain", ("--storage-sealing", "off", *serve)),
    "v3": lambda _, binary: Distribution("v3", binary or built("v3")),
    "v2": lambda _, binary: Distribution("v2", binary or program("docker-registry")),
    "zot": lambda _, binary: Zot("zot", binary or built("zot")),
}
PEERS = tuple(_PEERS)
"""The others' names, in the order of the table."""


def peer(name: str, serve: Sequence[str], binary: Path | None) -> Kind:
    """One of PEERS; `serve` are options of `portside serve`, `binary` is another build than the pinned one."""
    return _PEERS[name](serve, binary)


def _ecr(server: Server) -> Any:
    credentials = configparser.ConfigParser()
    credentials.read(server.folder / "data" / "credentials")
    given = credentials["default"]
    boto3: Any = importlib.import_module("boto3")  # it has no types
    session = boto3.Session(
        aws_access_key_id=given["aws_access_key_id"],
        aws_secret_access_key=given["aws_secret_access_key"],
        region_name=REGION,
    )
    return session.client("ecr", endpoint_url=server.endpoint)
