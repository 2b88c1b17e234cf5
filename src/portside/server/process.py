"""The running server: Granian, its workers and their signals (docs/decisions/0002-libraries.md has the measurements).

SIGTERM and SIGINT drain: listeners close, so new connections are refused; running transfers finish, or are cut after
`drain_seconds`; the exit code is 0. A second signal cuts them at once. SIGHUP replaces the workers one by one, and
with them the TLS certificate. Only Granian's ASGI interface is used: over RSGI a cut upload looks complete.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols, TaskImpl
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from portside.server import application, descriptors, kernel_timeout, logs, signals
from portside.server.listening import Reservation
from portside.server.parent import die_with_parent
from portside.server.recovery import Recovery
from portside.server.settings import Settings
from portside.server.start import certificate_of
from portside.server.tls import Certificate

_BUFFER = 1024 * 1024
"""Bytes of a request read at once; Granian's default of 400 KiB costs uploads a third of their speed."""
_BACKLOG = 4096


class _Server(MPServer):
    """Granian's server with our signals, and patience with workers that die: Granian itself ends at a second death."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType] - untyped there
        self._recovery = Recovery(self.workers)
        self._stopping = threading.Event()

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Drain at the first signal, stop at the second."""
        again = self.interrupt_signal
        self._stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType] - untyped there
        if not again:
            structlog.get_logger().info("draining", limit_seconds=self.workers_kill_timeout)
        for worker in list(self.wrks):
            # Here and not only in the main loop, which may be waiting for a worker that a reload replaced.
            if again:
                worker.kill()
            else:
                worker.terminate()

    def _respawn_workers(self, workers: Sequence[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        """Replace workers: living ones at a reload, at once, and dead ones when it is their time."""
        dead = [index for index in workers if not self.wrks[index].is_alive()]
        if dead:
            now = time.monotonic()
            pause = max(self._recovery.delay(index, now - self.wrks[index].birth) for index in dead)
            if self._recovery.is_hopeless:
                structlog.get_logger().error("workers die again and again")
                self.shutdown(1)
            structlog.get_logger().error("worker died", workers=[index + 1 for index in dead], restart_seconds=pause)
            if self._stopping.wait(pause):
                return
        super()._respawn_workers(workers, spawn_target, target_loader, delay)  # pyright: ignore[reportUnknownMemberType] - untyped there
        # What Granian remembers here makes it give up.
        self.respawned_wrks.clear()  # pyright: ignore[reportUnknownMemberType] - untyped there


def run(settings: Settings, reservation: Reservation, certificate: Certificate | None) -> int:
    """Serve until a signal; returns the exit code."""
    server = _server(settings, reservation, certificate, descriptors.raise_limit())
    server.on_reload(partial(_renew, settings))
    signals.hold_in_forks()
    try:
        server.serve(target_loader=partial(load, settings, os.getpid()), wrap_loader=False)
    except SystemExit as left:
        # Granian calls a worker that left before it was told to a failure; after a signal to the whole process group
        # that is what every worker does.
        return 0 if server.interrupt_signal or not left.code else 1
    return 0


def load(settings: Settings, parent: int) -> application.Application:
    """What a worker runs; a function of this module and plain values, so that workers can be forked or spawned."""
    die_with_parent(parent)
    signals.hold()
    logs.configure(settings.log_level, settings.log_format)
    return application.create(settings, started=partial(_started, settings))


def _started(settings: Settings) -> None:
    """In a worker's event loop, when its plant is open and it is about to listen."""
    signals.release_when_serving()
    kernel_timeout.apply_when_listening(settings.stall_seconds)


def _server(settings: Settings, reservation: Reservation, certificate: Certificate | None, open_files: int) -> _Server:
    return _Server(
        "portside",
        address=reservation.address,
        port=reservation.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop if find_spec("uvloop") else Loops.asyncio,
        task_impl=TaskImpl.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_seconds * 1000, max_buffer_size=_BUFFER),
        websockets=False,
        backlog=_BACKLOG,
        # Connections, whatever its name says, and idle ones too; requests are counted by server/admission.py.
        backpressure=descriptors.connections(open_files, settings.connections),
        log_level=LogLevels.debug if settings.log_level == "debug" else LogLevels.warning,
        log_dictconfig=logs.library_config(settings.log_level, settings.log_format),
        ssl_cert=certificate.chain if certificate else None,
        ssl_key=certificate.key if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=settings.workers > 1,
        workers_kill_timeout=settings.drain_seconds,
    )


def _renew(settings: Settings) -> None:
    """At SIGHUP, before workers read the certificate again; a failure leaves the old one in use."""
    try:
        certificate_of(settings)
    except Exception:  # noqa: BLE001 - a reload must not end a server that runs
        structlog.get_logger().exception("certificate not renewed")
