"""The contestants: Portside as it is served, and docker-registry as Debian configures it, without authentication."""

from __future__ import annotations

import configparser
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.servers import Server
from tests.clients.packages import program

_REGION = "us-east-1"

# Debian's /etc/docker/registry/config.yml with another address and folder, without its password file, and without a
# log line for every request, which would be counted as its work.
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
    """This checkout's server: SQLite, a folder, sealed content; every request authenticated and authorised."""

    name = "portside"
    probe = "/readyz"

    def __init__(self, options: Sequence[str] = ()) -> None:
        """`options` are handed to `portside serve`."""
        self._options = options

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """See Kind."""
        serve = [sys.executable, "-m", "portside", "serve", "--data", folder / "data", "--port", str(port)]
        return [*serve, "--region", _REGION, *self._options]

    def prepare(self, server: Server, repository: str) -> str | None:
        """See Kind. The repository is made and the password fetched as anyone would: through the ECR API."""
        client = _ecr(server)
        client.create_repository(repositoryName=repository)
        [given] = client.get_authorization_token()["authorizationData"]
        return f"Basic {given['authorizationToken']}"


class DockerRegistry:
    """Distribution's registry; `binary` is another build of it than Debian's."""

    name = "docker-registry"
    probe = "/v2/"

    def __init__(self, binary: Path | None = None) -> None:
        """The package is installed when it is missing and no binary is given."""
        self._binary = binary or program("docker-registry")

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """See Kind."""
        configuration = folder / "config.yml"
        configuration.write_text(_CONFIGURATION.format(data=folder / "data", port=port))
        return [self._binary, "serve", configuration]

    def prepare(self, server: Server, repository: str) -> str | None:
        """See Kind: it asks nobody for anything, and makes repositories as they are pushed to."""
        del server, repository


def _ecr(server: Server) -> Any:
    credentials = configparser.ConfigParser()
    credentials.read(server.folder / "data" / "credentials")
    given = credentials["default"]
    boto3: Any = importlib.import_module("boto3")  # it has no types
    session = boto3.Session(
        aws_access_key_id=given["aws_access_key_id"],
        aws_secret_access_key=given["aws_secret_access_key"],
        region_name=_REGION,
    )
    return session.client("ecr", endpoint_url=server.endpoint)
