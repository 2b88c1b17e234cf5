"""What the commands of the push tool share: the person's options, the display, Ctrl-C, and the way out."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from portside.client.connections import Connections
    from portside.client.display import Shown
    from portside.client.push import Pushed
    from portside.remote.errors import RemoteError
    from portside.remote.progress import Stop

_INTERRUPTED = 130
_PATIENCE = 0.7
"""Seconds after Ctrl-C in which what is under way may end by itself."""

Decorated = Callable[..., Any]


def common(command: Decorated) -> Decorated:
    """Add the options that every command of the push tool has, and give it the `Session` that they make."""

    @functools.wraps(command)
    def made(
        *arguments: Any, output: str, quiet: bool, jobs: int, region: str | None, profile: str | None, **options: Any
    ) -> Any:
        session = Session(profile=profile, region=region, jobs=jobs, quiet=quiet, output=output)
        return command(*arguments, session=session, **options)

    for option in (
        click.option("--output", type=click.Choice(["text", "json"]), default="text", help="What to print at the end."),
        click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
        click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Blobs at a time."),
        click.option("--region", metavar="REGION", help="The AWS region, where the host does not say it."),
        click.option("--profile", metavar="NAME", help="The AWS profile whose credentials are used."),
    ):
        made = option(made)
    return made


class Session:
    """One command's run, made of the common options."""

    def __init__(self, *, profile: str | None, region: str | None, jobs: int, quiet: bool, output: str) -> None:
        from portside.client.connections import Connections, Person
        from portside.client.display import display
        from portside.client.store import Store, default_path
        from portside.remote.progress import Stop

        self.stop: Stop = Stop()
        self.json = output == "json"
        self.quiet = quiet
        self.jobs = jobs
        self.shown: Shown = display(os.environ, quiet=quiet or self.json)
        person = Person(os.environ, profile, region, jobs, Store(default_path()))
        self.connections: Connections = Connections(person, self.shown.progress, self.stop)

    @contextmanager
    def working(self) -> Generator[None]:
        """Show progress, and stop on Ctrl-C; a failure becomes the command's exit code and its one line or object."""
        from portside.remote.errors import RemoteError, Unusable

        before = signal.signal(signal.SIGINT, self._interrupted) if _in_main_thread() else None
        try:
            with self.shown.context:
                yield
        except RemoteError as failure:
            raise Failed(failure, as_json=self.json) from None
        except OSError as error:
            # A disk that is full, a folder that may not be written: what is talked to has words of its own.
            failure = Unusable(
                f"{error.filename or 'A file'} cannot be used ({error.strerror})", "check rights and space"
            )
            raise Failed(failure, as_json=self.json) from None
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)

    def tell(self, done: Pushed, *, dry_run: bool = False) -> None:
        """Print what a push, pull or copy did: an object, or a sentence for the person and a line for each name."""
        from portside.client.results import document, names, sentence

        if self.json:
            emit(document(done, dry_run=dry_run))
            return
        if not self.quiet:
            click.echo(sentence(done.summary, done.seconds, dry_run=dry_run), err=True)
        for name in names(done):
            click.echo(name)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop.set()
        # A thread that waits for the network does not see the wish; what matters is remembered already.
        timer = threading.Timer(_PATIENCE, _leave)
        timer.daemon = True
        timer.start()


class Failed(click.ClickException):
    """A failure of the push tool: `code` to leave with, and the object to print where one was asked for."""

    def __init__(self, failure: RemoteError, *, as_json: bool) -> None:
        from portside.client.exits import document, exit_code

        super().__init__(str(failure))
        self.code = exit_code(failure)
        self.document = document(failure) if as_json else None


def emit(document: Any) -> None:
    """Print an object on standard output."""
    click.echo(json.dumps(document, indent=2))


def _leave() -> None:
    sys.stderr.write("\nportside: Stopped: the same command goes on where this one stopped\n")
    sys.stderr.flush()
    os._exit(_INTERRUPTED)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
