"""A Portside server in a process of its own, as an operator starts it."""

from __future__ import annotations

import base64
import configparser
import contextlib
import hashlib
import json
import secrets
import socket
import ssl
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import boto3

from tests.clients import commands, images

if TYPE_CHECKING:
    from collections.abc import Generator
    from http.client import HTTPResponse
    from pathlib import Path

    from tests.wire.amazon import Certificate

REGION = "us-east-1"
_PORTS = range(20_000, 32_000)
ACCEPTED = ", ".join(kind for form in (images.OCI, images.DOCKER) for kind in (form.manifest, form.index))


class Stored(NamedTuple):
    """A manifest as the registry serves it."""

    media_type: str
    digest: str
    document: dict[str, Any]


@dataclass
class RunningRegistry:
    """A server that answers, and what a client needs in order to use it."""

    data: Path
    port: int
    daemon: commands.Daemon
    certificate: Certificate | None = None
    repositories: set[str] = field(default_factory=set[str])

    @property
    def host(self) -> str:
        """Return the registry as an image name begins with it."""
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        """Return the endpoint of the API."""
        return f"{'https' if self.certificate else 'http'}://{self.host}"

    @property
    def process(self) -> int:
        """Return the process id of the server."""
        return self.daemon.process.pid

    @cached_property
    def environment(self) -> dict[str, str]:
        """Return the variables with which AWS programs find and use this server."""
        file = configparser.ConfigParser(interpolation=None)
        file.read(self.data / "credentials")
        return {
            "AWS_ACCESS_KEY_ID": file["default"]["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": file["default"]["aws_secret_access_key"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
        }

    @cached_property
    def ecr(self) -> Any:
        """Return a boto3 client with the root credentials."""
        untyped = cast("Any", boto3)  # its overloads name every service that there is
        return untyped.client(
            "ecr",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    @cached_property
    def token(self) -> str:
        """Return a registry token, usable as a Basic credential as it is."""
        return self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]

    @property
    def password(self) -> str:
        """Return the password that belongs to the user name AWS."""
        return base64.b64decode(self.token).decode().partition(":")[2]

    def create(self, name: str) -> str:
        """Create a repository unless it was created before; return its name with the host."""
        if name not in self.repositories:
            self.ecr.create_repository(repositoryName=name)
            self.repositories.add(name)
        return f"{self.host}/{name}"

    def stored(self, name: str) -> Stored:
        """Fetch the manifest that a full image name, with tag or digest, stands for."""
        path, separator, reference = name.removeprefix(f"{self.host}/").partition("@")
        if not separator:
            path, _, reference = path.rpartition(":")
        headers = {"Authorization": f"Basic {self.token}", "Accept": ACCEPTED}
        with self._get(f"/v2/{path}/manifests/{reference}", headers) as answer:
            body = answer.read()
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            return Stored(answer.headers["Content-Type"], digest, json.loads(body))

    def admits(self, password: str) -> bool:
        """Ask whether a password opens the registry."""
        basic = base64.b64encode(f"AWS:{password}".encode()).decode()
        return self._answers("/v2/", {"Authorization": f"Basic {basic}"})

    def is_ready(self) -> bool:
        """Ask whether the server wants requests."""
        return self._answers("/readyz", {})

    def _answers(self, path: str, headers: dict[str, str]) -> bool:
        try:
            with self._get(path, headers):
                return True
        except OSError:  # refused, or a status that is an error
            return False

    def _get(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        trusted = ssl.create_default_context(cafile=self.certificate.chain) if self.certificate else None
        request = urllib.request.Request(self.url + path, headers=headers)
        return urllib.request.urlopen(request, timeout=30, context=trusted)


@contextmanager
def serve(
    folder: Path, *options: str, certificate: Certificate | None = None, port: int | None = None
) -> Generator[RunningRegistry]:
    """Run a server over an empty data folder, or that of an earlier one; it must end cleanly when it is asked to."""
    data, port = folder / "data", port or free_port()
    command = [sys.executable, "-m", "portside", "serve", "--data", str(data), "--port", str(port), *options]
    if certificate:
        command += ["--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key)]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "portside.log")
    registry = RunningRegistry(data, port, daemon, certificate)
    try:
        daemon.ready(registry.is_ready)
        yield registry
    finally:
        code = daemon.stop()
    assert code == 0, f"the server ended with {code}\n{daemon.log.read_text()[-4000:]}"


def free_port() -> int:
    """Return a port that nobody uses just now, and that no outgoing connection will be given.

    A server that is stopped and started again finds its port taken otherwise: below 32768 nothing is given out (Linux,
    ip-sysctl, ip_local_port_range).
    """
    while True:
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", secrets.choice(_PORTS)))
            return listener.getsockname()[1]
