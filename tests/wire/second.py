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
from pathlib import Path
import uvicorn
from portside.server.application import create
from portside.server.settings import Settings
settings = Settings(data=Path(sys.argv[1]), port=int(sys.argv[2]), **json.loads(sys.argv[3]))
uvicorn.run(create(settings), host="127.0.0.1", port=settings.port, http="httptools", log_level="warning")
"""


@contextmanager
def serve_on_uvicorn(folder: Path, **settings: int) -> Iterator[RunningRegistry]:
    """Run the application, with these settings, on uvicorn over an empty data folder."""
    data, port = folder / "data", free_port()
    prepared = asyncio.run(wiring.prepare(Settings(data=data, port=port)))
    assert prepared.access_key is not None
    _write_credentials(data, prepared.access_key.id, prepared.access_key.secret)
    command = [sys.executable, "-c", PROGRAM, str(data), str(port), json.dumps(settings)]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "uvicorn.log")
    registry = RunningRegistry(data, port, daemon)
    try:
        daemon.ready(registry.is_ready)
        yield registry
    finally:
        daemon.stop()


def _write_credentials(data: Path, identifier: str, secret: str) -> None:
    lines = ("[default]", f"aws_access_key_id = {identifier}", f"aws_secret_access_key = {secret}", "")
    (data / "credentials").write_text("\n".join(lines))
