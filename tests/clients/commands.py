"""Running a client's command, keeping a daemon alive, waiting for a condition.

Rule: a program sees the environment that its driver gives it and nothing else,
so that no login, proxy or configuration of the machine reaches a test.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
PATIENCE = 180.0


class CommandFailedError(Exception):
    """A client ended with an error; the message is everything that it said."""


class DeadlinePassedError(Exception):
    """Something that was waited for did not happen in time."""


def isolated(state: Path, **more: str | Path) -> dict[str, str]:
    """Return an environment whose home and temporary files lie in `state`."""
    folders = {"HOME": state / "home", "TMPDIR": state / "tmp", "XDG_RUNTIME_DIR": state / "run"}
    for folder in folders.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = {"PATH": PATH, "LANG": "C.UTF-8", **folders, **more}
    return {name: str(value) for name, value in named.items()}


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], *, given: str = "", timeout: float = PATIENCE
) -> str:
    """Run a command to its end, hand it `given` as its input, return what it printed."""
    done = subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, timeout=timeout, check=False
    )
    _judge(command, done.returncode, done.stdout + done.stderr)
    return done.stdout.strip()


def feed(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    write: Callable[[IO[bytes]], None],
    log: Path,
) -> str:
    """Run a command whose input is streamed by `write`; return what it printed."""
    with (
        log.open("w+b") as output,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        assert process.stdin is not None
        try:
            write(process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            process.stdin = None  # the exit code says why it stopped listening
        code = process.wait(PATIENCE)
    said = log.read_text()
    _judge(command, code, said)
    return said.strip()


def _judge(command: Sequence[str | Path], code: int, said: str) -> None:
    if code:
        raise CommandFailedError(f"{' '.join(map(str, command))}\nended with {code}\n{said}")


def until(condition: Callable[[], bool], what: str, *, seconds: float = 30.0) -> None:
    """Return as soon as `condition` holds; say `what` was awaited when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DeadlinePassedError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.02)


class Daemon:
    """A background program of ours, with its output in a file."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)

    def ready(self, condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
        """Wait until `condition` holds; fail at once, with the log, when the program has ended."""

        def answered() -> bool:
            if self.process.poll() is not None:
                raise CommandFailedError(f"{self.process.args} ended early\n{self.log.read_text()[-4000:]}")
            return condition()

        until(answered, f"the start of {self.log.stem}", seconds=seconds)

    def stop(self, *, seconds: float = 30.0) -> int:
        """Ask the program to end, insist at the deadline, return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def unmount_below(folder: Path) -> None:
    """Unmount whatever a client left mounted inside `folder`, deepest first."""
    prefix = f"{folder.resolve()}{os.sep}"
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(prefix)), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
