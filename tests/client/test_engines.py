from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

import pytest

from portside.client.engines import endpoint
from portside.remote.errors import Unusable


def context(folder: Path, name: str, host: str) -> None:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts/meta" / key
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "contexts/tls" / key / "docker").mkdir(parents=True)


def test_the_variable_comes_first(tmp_path: Path) -> None:
    context(tmp_path, "c", "unix:///context.sock")
    variables = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "unix:///mine.sock", "DOCKER_CONTEXT": "c"}
    assert endpoint(variables).address == "unix:///mine.sock"


def test_certificates_come_with_the_variable_that_asks_for_them(tmp_path: Path) -> None:
    variables = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "tcp://h:2376"}
    assert endpoint(variables).certificates is None
    assert endpoint({**variables, "DOCKER_TLS_VERIFY": "1"}).certificates == tmp_path
    named = {**variables, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certificates"}
    assert endpoint(named).certificates == Path("/certificates")


@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_context_is_followed(by: str, tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2376")
    variables = {"DOCKER_CONFIG": str(tmp_path)}
    if by == "variable":
        variables["DOCKER_CONTEXT"] = "far"
    else:
        (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    found = endpoint(variables)
    assert found.address == "tcp://far:2376"
    assert found.certificates is not None
    assert found.said_by == "the context 'far'"


@pytest.mark.parametrize("content", [None, "{", "[]", '{"Endpoints": {}}'])
def test_a_context_that_cannot_be_read_is_said_so(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        context(tmp_path, "far", "x")
        [meta] = (tmp_path / "contexts/meta").glob("*/meta.json")
        meta.write_text(content)
    with pytest.raises(Unusable, match="no Docker context 'far'"):
        endpoint({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "far"})


def test_podman_s_socket_serves_where_docker_has_none(tmp_path: Path) -> None:
    (tmp_path / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "podman/podman.sock"))
        found = endpoint({"DOCKER_CONFIG": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)})
    assert found.address in {f"unix://{tmp_path}/podman/podman.sock", "unix:///var/run/docker.sock"}
