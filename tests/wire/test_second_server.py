"""The application runs on a second ASGI server too, so that nothing in it leans on the first one's habits."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from portside.server import wiring
from portside.server.settings import Settings
from tests.clients import commands
from tests.faults.pusher import Pusher, Refused, manifest_of
from tests.wire.server import RunningRegistry, free_port

PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from granian.constants import Interfaces
from granian.server import Server
from portside.server.application import create
from portside.server.settings import Settings
if __name__ == "__main__":
    settings = Settings(data=Path(sys.argv[1]), port=int(sys.argv[2]))
    server = Server("portside", address="127.0.0.1", port=settings.port, interface=Interfaces.ASGI, websockets=False)
    server.serve(target_loader=partial(create, settings), wrap_loader=False)
"""


def test_a_push_and_a_pull_pass_through_granian(own_state: Path) -> None:
    data, port = own_state / "data", free_port()
    prepared = asyncio.run(wiring.prepare(Settings(data=data, port=port)))
    assert prepared.access_key is not None
    _write_credentials(data, prepared.access_key.id, prepared.access_key.secret)
    program = own_state / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, program, str(data), str(port)]
    daemon = commands.Daemon(command, commands.isolated(own_state), own_state / "granian.log")
    registry = RunningRegistry(data, port, daemon)
    try:
        daemon.ready(registry.is_ready)
        _push_and_pull(registry)
    finally:
        daemon.stop()


def _push_and_pull(registry: RunningRegistry) -> None:
    registry.ecr.create_repository(repositoryName="second/server")
    config, layer = b"{}", os.urandom(3_000_000)
    with Pusher(registry.port, registry.token, "second/server") as pusher:
        digests = [pusher.push_blob(config), pusher.push_blob(layer)]
        pusher.push_manifest("1", manifest_of(config, [layer]))
        assert [pusher.blob(digest) for digest in digests] == [config, layer]
        assert pusher.manifest("1") == manifest_of(config, [layer])
        with pytest.raises(Refused, match="404"):
            pusher.manifest("2")


def _write_credentials(data: Path, identifier: str, secret: str) -> None:
    lines = ("[default]", f"aws_access_key_id = {identifier}", f"aws_secret_access_key = {secret}", "")
    (data / "credentials").write_text("\n".join(lines))
