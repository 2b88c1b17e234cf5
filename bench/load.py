"""One measurement: client processes make their requests at once, and the server's CPU is read before and after."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier

from bench.client import Connection
from bench.processes import settled_cpu_seconds
from bench.scenarios import Material, Scenario
from bench.servers import Server

_PATIENCE = 300.0
_forking = multiprocessing.get_context("fork")  # the clients share the payload's pages


class LoadFailedError(Exception):
    """A client met an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one server."""

    requests: int
    size: int
    cpu: float
    """Server CPU seconds, of all requests."""
    wall: float
    client_cpu: float

    @property
    def cpu_each(self) -> float:
        """Server CPU seconds of one request."""
        return self.cpu / self.requests

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return self.requests / self.wall


@dataclass(frozen=True, slots=True)
class _Report:
    began: float
    ended: float
    cpu: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    scenario: Scenario
    material: Material
    each: int


class _Client:
    """One client process with one connection."""

    def __init__(self, server: Server, work: _Work, gates: Sequence[Barrier]) -> None:
        self._pipe, theirs = _forking.Pipe(duplex=False)
        self.process: BaseProcess = _forking.Process(target=_work, args=(server, work, gates, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def report(self) -> _Report:
        """What it did; waits for its end."""
        try:
            return self._pipe.recv() if self._pipe.poll(_PATIENCE) else _Report(0, 0, 0, "a client did not finish")
        except EOFError:
            return _Report(0, 0, 0, "a client died")

    def end(self) -> None:
        """See that it is gone."""
        self.process.join(1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._pipe.close()


def measure(server: Server, scenario: Scenario, material: Material, connections: int, each: int) -> Sample:
    """Run a scenario once; raises LoadFailedError."""
    # Nothing of an earlier measurement waits to be written, for either server.
    os.sync()
    gates = [_forking.Barrier(connections + 1) for _ in range(2)]
    work = _Work(scenario, material, each)
    clients = [_Client(server, work, gates) for _ in range(connections)]
    try:
        before = 0.0
        try:
            gates[0].wait(_PATIENCE)
            before = settled_cpu_seconds(server.pid)
            gates[1].wait(_PATIENCE)
        except threading.BrokenBarrierError:
            pass  # the reports say why
        reports = [client.report() for client in clients]
        after = settled_cpu_seconds(server.pid)
    finally:
        for client in clients:
            client.end()
    errors = [report.error for report in reports if report.error]
    if errors:
        raise LoadFailedError(errors[0])
    wall = max(report.ended for report in reports) - min(report.began for report in reports)
    requests = connections * each
    return Sample(requests, requests * scenario.size, after - before, wall, sum(report.cpu for report in reports))


def _work(server: Server, work: _Work, gates: Sequence[Barrier], pipe: Pipe) -> None:
    """A client's life: one request to warm up, then all of them when everyone is ready."""
    try:
        with Connection(server.host, server.port, server.authorization) as connection:
            (work.scenario.warm or work.scenario.act)(connection, work.material)
            for gate in gates:
                gate.wait(_PATIENCE)
            cpu, began = time.process_time(), time.perf_counter()
            for _ in range(work.each):
                work.scenario.act(connection, work.material)
            pipe.send(_Report(began, time.perf_counter(), time.process_time() - cpu))
    except threading.BrokenBarrierError:
        pipe.send(_Report(0, 0, 0, None))  # another one says why
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
        pipe.send(_Report(0, 0, 0, _said(error)))
        for gate in gates:
            gate.abort()


def _said(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].strip()
