"""The running server: uvicorn, its workers and their signals (docs/decisions/0007-uvicorn.md has the measurements).

SIGTERM and SIGINT drain: listeners close, so new connections are refused; running transfers finish, or are cut after
`drain_seconds`; the exit code is 0. A second signal cuts them at once. SIGHUP reads the TLS certificate again. One
worker is this process itself; several are processes of their own, which a supervisor replaces when they are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import Callable, Generator
from functools import partial
from importlib.util import find_spec
from types import FrameType
from typing import Any

import structlog
from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from portside.server import application, descriptors, logs
from portside.server.connections import Connection, ConnectionConfig
from portside.server.kernel_timeout import cut_stalled_readers
from portside.server.listening import BACKLOG, Reservation
from portside.server.parent import die_with_parent
from portside.server.settings import Settings
from portside.server.start import certificate_of
from portside.server.tls import Certificate

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def run(settings: Settings, reservation: Reservation, certificate: Certificate | None) -> int:
    """Serve until a signal; returns the exit code."""
    # Until there are handlers that drain: a signal in between is kept, and heeded then.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    cut_stalled_readers(reservation.holder, settings.stall_seconds)
    config = _config(settings, certificate, descriptors.raise_limit())
    if settings.workers > 1:
        supervisor = _Supervisor(config, settings, reservation)
        supervisor.run()
        return 0 if supervisor.signals_heard else 1
    server = _Single(config, settings)
    try:
        server.run([reservation.holder])
    except SystemExit:
        return 1  # the reason is in the log
    return 0


def load(settings: Settings, parent: int | None) -> application.Application:
    """What a worker runs; a function of this module and plain values, so that workers can be spawned."""
    if parent is not None:
        die_with_parent(parent)
        os.umask(0o077)
        logs.configure(settings.log_level, settings.log_format)
    return application.create(settings)


class _Single(Server):
    """The only worker."""

    def __init__(self, config: Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen, and to heed SIGHUP."""
        await super().startup(sockets)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Heed the stop signals for as long as the server runs; it ends with code 0, not by the signal."""
        for number in _STOPPING:
            signal.signal(number, self.handle_exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, stop at the second."""
        # Nothing is logged here: the signal may have come while this very thread was writing a line, with the log's
        # lock in its hand.
        del sig, frame
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        """Drain."""
        if not self.force_exit:
            structlog.get_logger().info("draining", limit_seconds=self.config.timeout_graceful_shutdown)
        await super().shutdown(sockets)

    def _reload(self) -> None:
        if self.config.ssl is not None and _renewed(self._settings):
            _load_chain(self.config, self.config.ssl)


class _Supervisor(Multiprocess):
    """Keeps several workers."""

    def __init__(self, config: Config, settings: Settings, reservation: Reservation) -> None:
        super().__init__(config, [reservation.holder])
        self._settings = settings
        self.signals_heard = 0
        for number in _STOPPING:
            signal.signal(number, self._heard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def handle_hup(self) -> None:
        """Replace the workers one by one; they read the certificate as they start."""
        _renewed(self._settings)
        super().handle_hup()

    def handle_term(self) -> None:
        """Drain."""
        structlog.get_logger().info("draining", limit_seconds=self.config.timeout_graceful_shutdown)
        for listener in self.sockets:
            listener.close()
        super().handle_term()

    handle_int = handle_term

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self.signals_heard += 1
        if self.signals_heard == 1:
            self.signal_queue.append(number)
            return
        for process in self.processes:
            process.process.kill()


def _config(settings: Settings, certificate: Certificate | None, open_files: int) -> Config:
    parent = os.getpid() if settings.workers > 1 else None
    secure: Callable[[Config, Callable[[], ssl.SSLContext]], ssl.SSLContext] | None = _secure if certificate else None
    return ConnectionConfig(
        partial(load, settings, parent),
        factory=True,
        workers=settings.workers,
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        http=Connection,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        backlog=BACKLOG,
        header_seconds=settings.header_seconds,
        connections=descriptors.connections(open_files, settings.connections),
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.drain_seconds,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        ssl_context_factory=secure,
    )


def _secure(config: Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load_chain(config, context)
    return context


def _load_chain(config: Config, context: ssl.SSLContext) -> None:
    assert config.ssl_certfile is not None
    context.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)


def _renewed(settings: Settings) -> bool:
    """Whether the certificate's files can be read anew; a failure leaves the old one in use."""
    try:
        certificate_of(settings)
    except Exception:  # noqa: BLE001 - a reload must not end a server that runs
        structlog.get_logger().exception("certificate not renewed")
        return False
    return True
