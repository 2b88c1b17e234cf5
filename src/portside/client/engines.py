"""Where a person's container engine listens: DOCKER_HOST, Docker's contexts, and the usual sockets.

Source: docker/cli, cli/context/store (`contexts/meta/SHA256(NAME)/meta.json`); podman-system-service(1).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from portside.client.docker_config import DockerConfig, read
from portside.remote.engine import Endpoint
from portside.remote.errors import Unusable
from portside.remote.text import parse

_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")


def endpoint(environment: Mapping[str, str] = os.environ) -> Endpoint:
    """The engine that `docker` would speak to, else podman's. Raises Unusable for a context that does not exist."""
    config = DockerConfig(environment)
    if host := environment.get("DOCKER_HOST"):
        folder = environment.get("DOCKER_CERT_PATH")
        verified = bool(environment.get("DOCKER_TLS_VERIFY"))
        return Endpoint(host, (Path(folder) if folder else config.folder()) if verified else None, "DOCKER_HOST")
    context = environment.get("DOCKER_CONTEXT") or str((read(config.file) or {}).get("currentContext") or "")
    if context and context != "default":
        return _of_context(config.folder(), context)
    return _usual(environment)


def _of_context(folder: Path, name: str) -> Endpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    try:
        document = parse((folder / "contexts" / "meta" / key / "meta.json").read_bytes())
        host = cast("dict[str, Any]", document)["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Unusable(f"There is no Docker context '{name}'", "see 'docker context ls'") from None
    certificates = folder / "contexts" / "tls" / key / "docker"
    return Endpoint(str(host), certificates if certificates.is_dir() else None, f"the context '{name}'")


def _usual(environment: Mapping[str, str]) -> Endpoint:
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"] if runtime else []
    places = [_SOCKETS[0], *own, _SOCKETS[1]]
    found = next((place for place in places if Path(place).is_socket()), _SOCKETS[0])
    return Endpoint(f"unix://{found}", None, "where engines listen")
