"""The servers: started on loopback with their data in a folder of their own, ended by process id, never by name."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from bench.processes import Process, is_alive, tree

_HOST = "127.0.0.1"
_PATIENCE = 60.0
_POLL = 0.005


class ServerFailedError(Exception):
    """A server did not start, or ended; the message has the end of its log."""


class Kind(Protocol):
    """What tells one registry from another."""

    name: str
    probe: str
    """A path that answers 200 when the server is ready."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What is added to the environment."""
        ...

    def command(self, folder: Path, port: int) -> Sequence[str | Path]:
        """How it is started on a port, with its data in a folder."""
        ...

    def prepare(self, server: Server, repositories: Sequence[str]) -> str | None:
        """Make repositories; the Authorization header of every request."""
        ...


class Server:
    """A server of one kind; a context manager that leaves nothing running."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.name = kind.name
        self.host = _HOST
        self.port = _free_port()
        self.folder = folder
        self.authorization: str | None = None
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that was started; its children belong to it."""
        assert self._process is not None
        return self._process.pid

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / "log"

    def start(self) -> float:
        """Start it; the seconds until it answers as ready."""
        began = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                list(self._kind.command(self.folder, self.port)),
                cwd=self.folder,
                env={**_environment(), **self._kind.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal reaches it through `stop` alone
            )
        try:
            self._await_ready(began + _PATIENCE)
        except BaseException:
            self.stop()
            raise
        return time.monotonic() - began

    def prepare(self, repositories: Sequence[str]) -> None:
        """Make repositories, and learn how to be let in."""
        self.authorization = self._kind.prepare(self, repositories)

    def stop(self) -> None:
        """End it with all its children, with force if it must be."""
        process, self._process = self._process, None
        if process is None:
            return
        family = tree(process.pid)
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _end(family)

    def _await_ready(self, deadline: float) -> None:
        assert self._process is not None
        while not self._answers():
            if self._process.poll() is not None:
                raise ServerFailedError(f"{self.name} ended with {self._process.returncode}\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerFailedError(f"{self.name} was not ready in {_PATIENCE:.0f} s\n{self._last_words()}")
            time.sleep(_POLL)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", self._kind.probe)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def _end(family: Sequence[Process]) -> None:
    """Wait for what a server started, and kill what does not end by itself."""
    deadline = time.monotonic() + 5
    for process in family:
        while is_alive(process) and time.monotonic() < deadline:
            time.sleep(0.02)
        if is_alive(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.id, 9)


def _environment() -> Mapping[str, str]:
    """The environment without what would configure a server, or a client of AWS, behind our back."""
    prefixes = ("PORTSIDE_", "REGISTRY_", "AWS_", "OTEL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
