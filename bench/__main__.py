"""`python -m bench`: run the rounds and print the table. It reports, and never fails because of a figure."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench.client import Connection, UnexpectedAnswerError
from bench.kinds import DockerRegistry, Portside
from bench.load import LoadFailedError, measure
from bench.processes import memory
from bench.report import Row, Start, document, heading, line, notes, started
from bench.scenarios import REPOSITORY, SCENARIOS, Material, Scenario
from bench.servers import Kind, Server, ServerFailedError
from tests.clients.packages import PackageUnavailableError

_CONNECTIONS = (1, 4)
_STARTS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    chosen = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    try:
        with tempfile.TemporaryDirectory(prefix="portside-bench-", dir=options.folder) as folder:
            _run(Path(folder), chosen, options)
    except (ServerFailedError, PackageUnavailableError, UnexpectedAnswerError) as error:
        print(f"Nothing could be measured: {error}")
    except KeyboardInterrupt:
        return 130
    return 0


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """End as an exception does, so that everything is cleaned up."""
    del frame
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(scenario.name for scenario in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Portside beside Debian's docker-registry: CPU and throughput as ratios."
    )
    parser.add_argument("--rounds", type=_positive, help="how often each is measured (5; with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="fewer requests: a first impression, in about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there too")
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=[one.name for one in SCENARIOS], help=f"one of: {names}"
    )
    parser.add_argument("--folder", type=Path, help="keep both registries' data below this folder (the temporary one)")
    parser.add_argument("--peer", type=Path, metavar="BINARY", help="another build of distribution's registry")
    parser.add_argument(
        "--serve", action="append", default=[], metavar="OPTION", help="hand `portside serve` an option"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _run(folder: Path, chosen: Sequence[Scenario], options: argparse.Namespace) -> None:
    material = Material()
    rows = [Row(scenario, connections) for scenario in chosen for connections in _CONNECTIONS]
    kinds: list[Kind] = [Portside(options.serve), DockerRegistry(options.peer)]
    with contextlib.ExitStack() as stack:
        ours, theirs = (stack.enter_context(Server(kind, folder / kind.name)) for kind in kinds)
        for server in (ours, theirs):
            _fill(server, material)
        starts = [_restart(server) for server in (ours, theirs)]
        rounds = options.rounds or (2 if options.quick else 5)
        for number in range(rounds):
            for row in rows:
                _progress(f"round {number + 1} of {rounds}: {row.scenario.title}, {row.connections} connections")
                _measure(row, ours, theirs, material, ours_first=number % 2 == 0, quick=options.quick)
    _progress("")
    print("\n".join([heading(), *map(line, rows), "", *map(started, starts), "", notes(rows)]))
    if options.json:
        options.json.write_text(json.dumps(document(rows, starts), indent=1) + "\n")


def _fill(server: Server, material: Material) -> None:
    server.prepare(REPOSITORY)
    with Connection(server.host, server.port, server.authorization) as connection:
        material.fill(connection)


def _restart(server: Server) -> Start:
    """Start a server again on its data, a few times; what it holds when it has done nothing but become ready."""
    seconds: list[float] = []
    for _ in range(_STARTS):
        server.stop()
        seconds.append(server.start())
    return Start(server.name, seconds, memory(server.pid))


def _measure(row: Row, ours: Server, theirs: Server, material: Material, *, ours_first: bool, quick: bool) -> None:
    if row.failure:
        return
    each = row.scenario.each(row.connections, quick=quick)
    try:
        samples = {
            server.name: measure(server, row.scenario, material, row.connections, each)
            for server in ((ours, theirs) if ours_first else (theirs, ours))
        }
    except LoadFailedError as error:
        row.failure = str(error)
    else:
        row.ours.append(samples[ours.name])
        row.theirs.append(samples[theirs.name])


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
