"""A private PostgreSQL: Debian's binaries, a folder of its own, a socket nobody else knows.

The server sorts text as English does, so that only columns that ask for byte order have it. As root it runs as
`nobody`, since PostgreSQL refuses root. Nothing it holds outlives it, so it never waits for the disk.

    with running() as server:
        url = server.database()
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from portside.storage.metadata.tables import metadata
from tests.clients.packages import program

_USER = "portside"
_EMPTY = "template1"
_PARENT = "/tmp"  # a socket's path ends at 107 bytes, and TMPDIR may be long
_INIT = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
    "--no-sync",
)
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "synchronous_commit": "off",  # who needs it has to ask for it
    "max_connections": "60",
    "deadlock_timeout": "100ms",
}


_KEEPER = """
read _
"$1" -D "$2/data" -w -m immediate stop
rm -rf "$2"
"""


class PostgresError(Exception):
    """PostgreSQL does not start or does not do what it is told."""


class PostgresServer:
    """A running server."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Start it, for the first time or again; returns when it answers."""
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        self._control(
            "-l", self._folder / "log", "-o", f"-c unix_socket_directories={self._folder} {settings}", "start"
        )

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends sessions and writes everything out, `immediate` is as if it had crashed."""
        self._control("-m", mode, "stop")

    def _control(self, *order: str | Path) -> None:
        _run([self._binaries / "pg_ctl", "-D", self._folder / "data", "-w", *order], self._folder)

    def database(self, like: str | None = None) -> str:
        """Make a database, empty or a copy of the one at the address `like`, to which nobody is connected."""
        name = f"test_{next(self._numbers)}"
        template = urlsplit(like).path.removeprefix("/") if like else _EMPTY
        _run([self._binaries / "createdb", "-h", self._folder, "-U", _USER, "-T", template, name])
        return self.address(name)

    def address(self, name: str) -> str:
        """The address of a database, existing or not."""
        return f"postgresql://{_USER}@/{name}?host={self._folder}"


@contextlib.contextmanager
def running() -> Iterator[PostgresServer]:
    """Start a server; stop it and remove it at the end."""
    binaries = program("initdb").parent
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_PARENT))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    with _removed_at_the_end(binaries / "pg_ctl", folder):
        data = folder / "data"
        _run([binaries / "initdb", "-D", data, "-U", _USER, *_INIT], folder)
        server = PostgresServer(binaries, folder)
        server.start()
        yield server


@contextlib.contextmanager
def _removed_at_the_end(pg_ctl: Path, folder: Path) -> Iterator[None]:
    """Let a process of its own wait for our end and tidy up: we may be killed."""
    keeper = subprocess.Popen(
        ["sh", "-c", _KEEPER, "sh", pg_ctl, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **_privileges(),
    )
    try:
        yield
    finally:
        keeper.communicate()
    if folder.exists():
        raise PostgresError(f"PostgreSQL in {folder} could not be stopped and removed")


async def empty(url: str) -> None:
    """Remove every row of our tables."""
    connection = await asyncpg.connect(url)
    try:
        # A test that left a unit open is told of at once.
        await connection.execute("SET lock_timeout = '5s'")
        for table in reversed(metadata.sorted_tables):
            await connection.execute(f"DELETE FROM {table.name}")
    finally:
        await connection.close()


def _run(command: list[str | Path], folder: Path | None = None) -> None:
    """Run one of PostgreSQL's programs; in its folder it must not be root."""
    privileges = _privileges() if folder else {}
    # Into a file, because a server that is started keeps a pipe open for as long as it runs.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, **privileges
        )
        said.seek(0)
        if done.returncode:
            last = (said.read().decode(errors="replace").strip().splitlines() or ["no output"])[-1]
            raise PostgresError(f"{Path(command[0]).name} failed: {last}")


def _privileges() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": ()} if os.geteuid() == 0 else {}
