"""The same application on a second ASGI server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portside.server import wiring
from portside.server.settings import Settings
from tests.clients import commands
from tests.wire.server import RunningRegistry, free_port

PROGRAM = """
import json
import sys
from functools import partial
from pathlib import Path
from granian.constants import Interfaces
from granian.server import Server
from portside.server.application import create
from portside.server.settings import Settings
if __name__ == "__main__":
    settings = Settings(data=Path(sys.argv[1]), port=int(sys.argv[2]), **json.loads(sys.argv[3]))
    server = Server("portside", address="127.0.0.1", port=settings.port, interface=Interfaces.ASGI, websockets=False)
    server.serve(target_loader=partial(create, settings), wrap_loader=False)
"""


@contextmanager
def serve_on_granian(folder: Path, **settings: int) -> Iterator[RunningRegistry]:
    """Run the application, with these settings, on Granian over an empty data folder."""
    data, port = folder / "data", free_port()
    prepared = asyncio.run(wiring.prepare(Settings(data=data, port=port)))
    assert prepared.access_key is not None
    _write_credentials(data, prepared.access_key.id, prepared.access_key.secret)
    program = folder / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, program, str(data), str(port), json.dumps(settings)]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "granian.log")
    registry = RunningRegistry(data, port, daemon)
    try:
        daemon.ready(registry.is_ready)
        yield registry
    finally:
        daemon.stop()


def _write_credentials(data: Path, identifier: str, secret: str) -> None:
    lines = ("[default]", f"aws_access_key_id = {identifier}", f"aws_secret_access_key = {secret}", "")
    (data / "credentials").write_text("\n".join(lines))
