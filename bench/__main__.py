"""`python -m bench`: run the rounds and print the tables. It reports, and never fails because of a figure."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from bench import growth, zb
from bench.builds import BuildFailedError, built
from bench.client import Connection, UnexpectedAnswerError
from bench.kinds import OURS, PEERS, Portside, peer
from bench.processes import memory
from bench.report import Start, absences, document, notes, started, tables
from bench.rounds import Contestant, Row, rows, run
from bench.scenarios import REPOSITORIES, Material, Scenario, scenarios
from bench.servers import Kind, Server, ServerFailedError
from tests.clients.packages import PackageUnavailableError

_STARTS = 3
_GIANT = 4 << 30
_GIANT_QUICK = 1 << 30
_NAMES = [scenario.name for scenario in scenarios(_GIANT)]
_UNUSABLE = (ServerFailedError, PackageUnavailableError, BuildFailedError, UnexpectedAnswerError, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    if options.workers > 1:
        options.serve += ["--workers", str(options.workers)]
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with tempfile.TemporaryDirectory(prefix="portside-bench-", dir=options.folder) as folder:
            (_grow if options.large else _compare)(Path(folder), options)
    except _UNUSABLE as error:
        print(f"Nothing could be measured: {error}")
    except KeyboardInterrupt:
        return 130
    return 0


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """End as an exception does, so that everything is cleaned up."""
    del frame
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Portside beside distribution and zot: CPU and throughput as ratios."
    )
    add = parser.add_argument
    add("--rounds", type=_positive, help="how often each is measured (5; with --quick 2)")
    add("--quick", action="store_true", help="fewer requests, and a giant blob of 1 GiB: a first impression")
    add("--json", type=Path, metavar="FILE", help="write every sample there too")
    add("--only", action="append", metavar="NAME", choices=[*_NAMES, "zb"], help=f"one of: {', '.join(_NAMES)}, zb")
    add("--peer", action="append", metavar="NAME", choices=PEERS, help=f"beside ours: {', '.join(PEERS)} (all)")
    add("--binary", action="append", default=[], metavar="NAME=PATH", type=_binary, help="another build of v3, v2, …")
    add("--workers", type=_positive, default=1, help="how many processes of ours answer (1)")
    add("--serve", action="append", default=[], metavar="OPTION", help="hand `portside serve` an option")
    add("--folder", type=Path, help="keep all data below this folder (the temporary one)")
    add("--large", action="store_true", help="instead: ours with 100,000 images and repositories, beside a small one")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _binary(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if name not in {*PEERS, "zb"} - {"plain"} or not Path(path).is_file():
        raise argparse.ArgumentTypeError("v3, v2, zot or zb, =, and a file")
    return name, Path(path).resolve()


def _compare(folder: Path, options: argparse.Namespace) -> None:
    """Everyone, side by side."""
    material = Material(_GIANT_QUICK if options.quick else _GIANT)
    everything = scenarios(material.giant_size)
    chosen = [one for one in everything if not options.only or one.name in options.only]
    table, missing = rows(chosen), dict[str, str]()
    with contextlib.ExitStack() as stack:
        ours = Portside(OURS, options.serve)
        contestants = {OURS: Contestant(_enter(stack, ours, folder, material, chosen), material)}
        for name in options.peer or PEERS:
            _progress(f"{name}: build, start and fill")
            try:
                kind = peer(name, options.serve, dict(options.binary).get(name))
                contestants[name] = Contestant(_enter(stack, kind, folder, material, chosen), material)
            except _UNUSABLE as error:
                missing[name] = str(error)
        starts = [_restart(one.server) for one in contestants.values()]
        _measure(table, contestants, options)
        outcomes = _zb(contestants, missing, options) if not options.only or "zb" in options.only else {}
    parts = [tables(table) if table else "", "\n".join(zb.table(outcomes)) if outcomes else ""]
    parts += [absences(missing), "\n".join(map(started, starts)), notes(table) if table else ""]
    print("\n\n".join(filter(None, parts)))
    printed = {name: asdict(outcome) for name, outcome in outcomes.items()}
    _write(options.json, document(table, starts, missing=missing, zb=printed))


def _write(path: Path | None, content: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(content, indent=1) + "\n")


def _enter(
    stack: contextlib.ExitStack, kind: Kind, folder: Path, material: Material, chosen: Iterable[Scenario]
) -> Server:
    """Start a server and fill it; one that cannot be filled is stopped at once."""
    with contextlib.ExitStack() as attempt:
        server = attempt.enter_context(Server(kind, folder / kind.name))
        server.prepare(REPOSITORIES)
        with Connection(server.host, server.port, server.authorization) as connection:
            material.fill(connection)
            for fill in dict.fromkeys(one.fill for one in chosen if one.fill):
                fill(connection, material)
        stack.push(attempt.pop_all())
    return server


def _restart(server: Server) -> Start:
    """Start a server again on its data, a few times; what it holds when it has done nothing but become ready."""
    seconds: list[float] = []
    for _ in range(_STARTS):
        server.stop()
        seconds.append(server.start())
    return Start(server.name, seconds, memory(server.pid))


def _measure(table: Sequence[Row], contestants: Mapping[str, Contestant], options: argparse.Namespace) -> None:
    rounds = options.rounds or (2 if options.quick else 5)
    for step in run(table, contestants, rounds, quick=options.quick):
        _progress(step)
    _progress("")


def _zb(
    contestants: Mapping[str, Contestant], missing: dict[str, str], options: argparse.Namespace
) -> dict[str, zb.Outcome]:
    try:
        program = dict(options.binary).get("zb") or built("zb")
    except BuildFailedError as error:
        missing["zb"] = str(error)
        return {}
    outcomes: dict[str, zb.Outcome] = {}
    for name, one in contestants.items():
        _progress(f"zb: {name}")
        outcomes[name] = zb.run(program, one.server, 4 if options.quick else 20)
    _progress("")
    return outcomes


def _grow(folder: Path, options: argparse.Namespace) -> None:
    """Ours alone, small and grown."""
    table = rows(growth.SCENARIOS)
    with contextlib.ExitStack() as stack:
        contestants: dict[str, Contestant] = {}
        for name, size in growth.SIZES.items():
            _progress(f"{name}: fill and seed")
            material = growth.Grown(size)
            # Room for what is seeded and what is pushed then.
            given = [*options.serve, "--quota-images", "1000000", "--quota-repositories", "1000000"]
            server = _enter(stack, Portside(name, given), folder, material, ())
            server.stop()
            growth.seed(server.folder / "data", material)
            server.start()
            contestants[name] = Contestant(server, material)
        _measure(table, contestants, options)
    print("\n".join(growth.table(table)))
    _write(options.json, document(table))


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
