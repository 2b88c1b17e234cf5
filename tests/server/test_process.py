"""The running server and its signals: drains, second thoughts, reloads, lost workers.

Transfers are driven over bare sockets, because these tests are about the moment at which a byte is sent or read.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portside.server import process
from portside.server.settings import Settings
from tests.clients import commands
from tests.wire.server import RunningRegistry, free_port, serve

MEBIBYTE = 1024 * 1024
LAYER = os.urandom(MEBIBYTE) * 48


class Exchange:
    """One HTTP/1.1 exchange with the server, by hand."""

    def __init__(self, registry: RunningRegistry, method: str, path: str, length: int | None = None) -> None:
        # A small window, so that a download stands still when it is not read.
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", registry.port))
        lines = [f"{method} {path} HTTP/1.1", f"Host: {registry.host}", f"Authorization: Basic {registry.token}"]
        if length is not None:
            lines += [f"Content-Length: {length}", "Content-Type: application/octet-stream"]
        self.send("\r\n".join([*lines, "", ""]).encode())
        self.reader = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> tuple[int, dict[str, str]]:
        status = int(self.reader.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self.reader.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


def open_upload(registry: RunningRegistry, repository: str) -> str:
    registry.create(repository)
    begun = Exchange(registry, "POST", f"/v2/{repository}/blobs/uploads/", 0)
    status, headers = begun.head()
    begun.close()
    assert status == 202
    return headers["location"].removeprefix(registry.url)


def push(registry: RunningRegistry, repository: str, content: bytes) -> str:
    path = open_upload(registry, repository)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    put = Exchange(registry, "PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", len(content))
    put.send(content)
    assert put.head()[0] == 201
    put.close()
    return digest


def is_refused(registry: RunningRegistry) -> bool:
    try:
        socket.create_connection(("127.0.0.1", registry.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # it stopped listening while this connection was being made; the next one is refused
    return False


def workers_of(registry: RunningRegistry) -> set[int]:
    listed = Path(f"/proc/{registry.process}/task/{registry.process}/children").read_text().split()
    return {int(number) for number in listed if b"spawn_main" in _command(number)}


def _command(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it was listed, and is gone
        return b""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_lets_transfers_finish_and_takes_no_more(tmp_path: Path, workers: str) -> None:
    with serve(tmp_path, "--workers", workers) as registry:
        digest = push(registry, "team/app", LAYER)
        path = open_upload(registry, "team/app")
        upload = Exchange(registry, "PATCH", path, len(LAYER))
        upload.send(LAYER[:MEBIBYTE])
        download = Exchange(registry, "GET", f"/v2/team/app/blobs/{digest}")
        assert download.head()[0] == 200
        begun = download.reader.read(MEBIBYTE)
        os.kill(registry.process, signal.SIGTERM)
        commands.until(lambda: is_refused(registry), "the end of listening")
        upload.send(LAYER[MEBIBYTE:])
        assert upload.head()[0] == 202
        upload.close()
        assert begun + download.reader.read(len(LAYER) - MEBIBYTE) == LAYER
        download.close()
        assert registry.daemon.process.wait(30) == 0


def test_transfers_that_take_too_long_are_cut(tmp_path: Path) -> None:
    with serve(tmp_path, "--drain-seconds", "1") as registry:
        upload = Exchange(registry, "PATCH", open_upload(registry, "team/app"), len(LAYER))
        upload.send(LAYER[:MEBIBYTE])
        time.sleep(0.2)
        began = time.monotonic()
        os.kill(registry.process, signal.SIGTERM)
        assert registry.daemon.process.wait(30) == 0
        assert time.monotonic() - began >= 1
        upload.close()


def test_a_second_signal_cuts_transfers_at_once(tmp_path: Path) -> None:
    with serve(tmp_path) as registry:
        upload = Exchange(registry, "PATCH", open_upload(registry, "team/app"), len(LAYER))
        upload.send(LAYER[:MEBIBYTE])
        time.sleep(0.2)
        os.kill(registry.process, signal.SIGINT)
        commands.until(lambda: is_refused(registry), "the end of listening")
        assert registry.daemon.process.poll() is None
        os.kill(registry.process, signal.SIGINT)
        assert registry.daemon.process.wait(10) == 0
        upload.close()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_process_group_is_a_clean_end(tmp_path: Path, stop: signal.Signals) -> None:
    with serve(tmp_path, "--workers", "2") as registry:
        for process in (*workers_of(registry), registry.process):
            os.kill(process, stop)
        assert registry.daemon.process.wait(30) == 0


def test_a_signal_at_any_moment_of_the_start_is_a_clean_end(tmp_path: Path) -> None:
    with serve(tmp_path) as registry:
        pass
    command = [sys.executable, "-m", "portside", "serve", "--data", registry.data, "--port", str(registry.port)]
    for delay in range(12):
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(command, env=commands.isolated(tmp_path), stdout=subprocess.PIPE, stderr=log) as process,
        ):
            assert process.stdout is not None
            process.stdout.readline()  # the announcement: storage is prepared, workers begin
            time.sleep(delay * 0.01)
            process.terminate()
            assert process.wait(20) == 0, (tmp_path / "log").read_text()


def test_a_lost_worker_is_replaced(tmp_path: Path) -> None:
    with serve(tmp_path, "--workers", "2") as registry:
        before = workers_of(registry)
        os.kill(min(before), signal.SIGKILL)
        commands.until(lambda: len(workers_of(registry) - before) == 1, "a new worker")
        commands.until(lambda: len(workers_of(registry)) == 2, "two workers")
        assert registry.is_ready()


def test_workers_that_die_again_and_again_are_replaced_again_and_again(tmp_path: Path) -> None:
    with serve(tmp_path, "--workers", "2") as registry:
        for _ in range(3):
            before = workers_of(registry)
            os.kill(max(before), signal.SIGKILL)
            commands.until(lambda known=before: len(workers_of(registry) - known) == 1, "a new worker")
        commands.until(lambda: len(workers_of(registry)) == 2, "two workers")
        commands.until(registry.is_ready, "a server that answers")


@contextmanager
def secure(folder: Path) -> Generator[tuple[RunningRegistry, ssl.SSLContext]]:
    """A server with `--tls auto`, and a client's context that trusts it."""
    data, port = folder / "data", free_port()
    command = [sys.executable, "-m", "portside", "serve", "--data", data, "--port", str(port), "--tls", "auto"]
    daemon = commands.Daemon(command, commands.isolated(folder), folder / "portside.log")
    authority = data / "tls" / "ca.crt"
    try:
        daemon.ready(lambda: authority.exists() and served_number(port, authority) is not None)
        yield RunningRegistry(data, port, daemon), ssl.create_default_context(cafile=authority)
    finally:
        code = daemon.stop()
    assert code == 0, daemon.log.read_text()


def served_number(port: int, authority: Path) -> str | None:
    """The serial number of the certificate that is served now."""
    context = ssl.create_default_context(cafile=authority)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            return str((secured.getpeercert() or {})["serialNumber"])
    except OSError:
        return None


def test_a_reload_serves_the_certificate_that_lies_there_now(tmp_path: Path) -> None:
    with secure(tmp_path) as (registry, _):
        authority = registry.data / "tls" / "ca.crt"
        before = served_number(registry.port, authority)
        (registry.data / "tls" / "server.crt").unlink()
        os.kill(registry.process, signal.SIGHUP)
        commands.until(lambda: served_number(registry.port, authority) not in {before, None}, "another certificate")


def test_tls_is_at_least_1_2(tmp_path: Path) -> None:
    with secure(tmp_path) as (registry, trusting):
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("127.0.0.1", registry.port), timeout=5) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            assert secured.version() == "TLSv1.2"


def test_workers_can_be_spawned(tmp_path: Path) -> None:
    """As Python does by default from 3.14 on."""
    port = free_port()
    program = (
        "import multiprocessing\nif __name__ == '__main__':\n    multiprocessing.set_start_method('spawn')\n"
        f"    from portside.cli.main import main\n    main(['serve', '--data', {str(tmp_path / 'data')!r}, "
        f"'--port', '{port}', '--workers', '2'])\n"
    )
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, tmp_path / "program.py"]
    daemon = commands.Daemon(command, commands.isolated(tmp_path), tmp_path / "portside.log")
    try:
        daemon.ready(RunningRegistry(tmp_path / "data", port, daemon).is_ready)
    finally:
        assert daemon.stop() == 0


def test_a_stop_signal_is_heeded_while_a_line_of_the_log_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal's handler runs in the thread that writes, and must not wait for it."""

    class Writing:
        """A log that is in the middle of a line for ever."""

        def info(self, *_: object, **__: object) -> None:
            raise AssertionError("the handler waits for the log's lock, which its own thread holds")

    settings = Settings(data=tmp_path)
    server = process._Single(process._config(settings, None, 1024), settings)
    monkeypatch.setattr(process.structlog, "get_logger", Writing)
    server.handle_exit(signal.SIGTERM, None)
    assert (server.should_exit, server.force_exit) == (True, False)
    server.handle_exit(signal.SIGTERM, None)
    assert server.force_exit
