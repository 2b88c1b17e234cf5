"""zot's own benchmark, unchanged, against every contestant: its figures as it prints them, and the servers' CPU.

It makes a repository of a random name for every push, so a registry that wants repositories made beforehand must be
told to make them as they are pushed to. It takes a user's name and password, so ours asks for them as it always does.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Connection, UnexpectedAnswerError
from bench.kinds import OURS, PEERS, REFERENCE
from bench.processes import settled_cpu_seconds
from bench.servers import Server

_PATIENCE = 1800
_CONNECTIONS = 2
_ABSENT = f"{'-':>10}"
_PLACE = "bench/zb"
# Its report, a block a test: "Test name:", then "Failed requests:", then "Requests per second:".
_RESULT = re.compile(
    r"^Test name:\s*(?P<name>.+?)\s*$.*?^Failed requests:\s*(?P<failed>\d+)\s*$"
    r".*?^Requests per second:\s*(?P<rate>[\d.e+-]+)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Result:
    """One of its tests against one server."""

    rate: float
    failed: int


@dataclass(slots=True)
class Outcome:
    """A run against one server: by test, and the server's CPU seconds for all of them; or why there is none."""

    results: Mapping[str, Result] = field(default_factory=dict[str, Result])
    cpu: float = 0.0
    failure: str = ""


def run(program: Path, server: Server, requests: int) -> Outcome:
    """Run all its tests against a server."""
    try:
        _check_creation(server)
    except UnexpectedAnswerError as error:
        return Outcome(failure=f"a push to a new repository does not make it: {str(error)[:60]}")
    command: list[str | Path] = [program, "-c", str(_CONNECTIONS), "-n", str(requests), "-r", _PLACE]
    if server.authorization:
        command += ["-A", b64decode(server.authorization.removeprefix("Basic ")).decode()]
    before = settled_cpu_seconds(server.pid)
    with tempfile.TemporaryDirectory(dir=server.folder) as folder:
        try:
            done = subprocess.run(
                [*command, "-d", Path(folder, "data"), server.endpoint],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(failure=f"it did not finish in {_PATIENCE} s")
    results = parse(done.stdout)
    if not results:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        return Outcome(failure=f"it ended with {done.returncode}: {words[0]}")
    return Outcome(results, settled_cpu_seconds(server.pid) - before)


def parse(text: str) -> dict[str, Result]:
    """What it printed, by test."""
    return {found["name"]: Result(float(found["rate"]), int(found["failed"])) for found in _RESULT.finditer(text)}


def table(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Requests a second of everyone, ours / the reference's, and the CPU of the whole run."""
    names = (OURS, *PEERS)
    last = f"{OURS}/{REFERENCE}"
    yield f"{'zb: requests a second':54}{''.join(f'{name:>10}' for name in names)}{last:>11}"
    empty = Outcome()
    tests = dict.fromkeys(test for outcome in outcomes.values() for test in outcome.results)
    for test in tests:
        found = [outcomes.get(name, empty).results.get(test) for name in names]
        yield f"{test[:53]:54}{''.join(map(_figure, found))}{_ratio(outcomes, test):>11}"
    cpu = (outcomes.get(name, empty).cpu for name in names)
    yield f"{'server CPU of all, s':54}{''.join(f'{used:>10.2f}' if used else _ABSENT for used in cpu)}"
    for name, outcome in outcomes.items():
        if outcome.failure:
            yield f"zb, {name}: not measured: {outcome.failure}"
    if any(result.failed for outcome in outcomes.values() for result in outcome.results.values()):
        yield "A figure with ! has failed requests."


def _figure(result: Result | None) -> str:
    if result is None:
        return _ABSENT
    return f"{f'{result.rate:.1f}' + ('!' if result.failed else ''):>10}"


def _ratio(outcomes: Mapping[str, Outcome], test: str) -> str:
    ours, theirs = (outcomes.get(name, Outcome()).results.get(test) for name in (OURS, REFERENCE))
    return f"{ours.rate / theirs.rate:.2f}" if ours and theirs and theirs.rate else "-"


def _check_creation(server: Server) -> None:
    with Connection(server.host, server.port, server.authorization) as connection:
        target = f"/v2/{_PLACE}/made-by-a-push/blobs/uploads/"
        connection.request("POST", target, {"Content-Length": "0"}).expect(202)
