"""`portside verify`: read again what is stored, and report what is not as it was recorded."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, amount, output_option, tend

if TYPE_CHECKING:
    from portside.registry.verification import Finding, Progress

_DAMAGE = 1
_EVERYTHING = 100.0
_STEP = 64 * 1024 * 1024
"""Bytes between two lines of progress."""
_LISTED = 1000
"""Findings that the JSON report names one by one; all of them are counted."""


@click.command(short_help="Check that stored content is what was pushed.")
@setting_options(*STORAGE)
@click.option(
    "--sample",
    type=click.FloatRange(0, _EVERYTHING, min_open=True),
    default=_EVERYTHING,
    metavar="PERCENT",
    help="Check so many percent, chosen at random, instead of everything.",
)
@output_option
@click.pass_context
def verify(context: click.Context, /, sample: float, output: str, **given: Any) -> None:
    """Check that stored content is what was pushed.

    Every blob is read to its end, opened and hashed, and every manifest too, beside a running server or without one. A
    damaged blob is marked, so that it is never served and whoever pushes it again heals it; its file is moved to
    DATA/damaged. What lies under a KMS key that is disabled cannot be read, which is said, and is no damage. The exit
    code is 0 when everything is right, and 1 when something is damaged or missing.
    """
    from secrets import SystemRandom

    from portside.registry.verification import Watch

    settings = settings_of(given)
    report = _Report(as_text=output == "text")
    random = SystemRandom()
    watch = Watch(report.found, report.read)
    progress = tend(
        settings, lambda tending: tending.verification.run(watch, lambda: random.random() * _EVERYTHING < sample)
    )
    report.end(progress)
    context.exit(_DAMAGE if report.damaged or report.missing else 0)


class _Report:
    """What is said while it runs, and at the end."""

    def __init__(self, *, as_text: bool) -> None:
        self._as_text = as_text
        self._progress = sys.stderr.isatty()
        self._listed: list[dict[str, str]] = []
        self._said = 0
        self.damaged = 0
        self.missing = 0
        self._unreadable = 0

    def found(self, finding: Finding) -> None:
        """Say it at once, or keep it for the JSON report."""
        from dataclasses import asdict

        if finding.state == "damaged":
            self.damaged += 1
        elif finding.state == "missing":
            self.missing += 1
        else:
            self._unreadable += 1
        if self._as_text:
            self._clear()
            place = f" in {finding.repository}" if finding.repository else ""
            click.echo(f"{finding.state}: {finding.kind} {finding.digest}{place}: {finding.reason}")
        elif len(self._listed) < _LISTED:
            self._listed.append(asdict(finding))

    def read(self, progress: Progress) -> None:
        """Keep one line at a terminal up to date, now and then."""
        if self._progress and progress.bytes - self._said >= _STEP:
            self._said = progress.bytes
            click.echo(f"\r{_counted(progress)}\x1b[K", nl=False, err=True)

    def end(self, progress: Progress) -> None:
        """The last words."""
        self._clear()
        if self._as_text:
            state = f"{self.damaged} damaged, {self.missing} missing" if self.damaged or self.missing else "all right"
            beside = f"; {self._unreadable} under disabled KMS keys were not read" if self._unreadable else ""
            click.echo(f"{_counted(progress)}: {state}{beside}.")
            return
        document = {
            "blobs": progress.blobs,
            "manifests": progress.manifests,
            "bytes": progress.bytes,
            "damaged": self.damaged,
            "missing": self.missing,
            "unreadable": self._unreadable,
            "findings": self._listed,
        }
        click.echo(json.dumps(document, indent=2))

    def _clear(self) -> None:
        if self._progress and self._said:
            click.echo("\r\x1b[K", nl=False, err=True)


def _counted(progress: Progress) -> str:
    return f"Read {progress.blobs} blobs and {progress.manifests} manifests, {amount(progress.bytes)}"
