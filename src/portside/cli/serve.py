"""`portside serve`: start the registry and say how to use it."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from portside.cli.options import setting_options, settings_of


@click.command(short_help="Start the registry and print the lines to copy.")
@setting_options()
@click.pass_context
def serve(context: click.Context, /, **given: Any) -> None:
    """Start the registry and print the lines to copy for login, tag and push.

    The first start makes the account, its root access key (in DATA/credentials) and a master key. Every option can
    also be given as PORTSIDE_… or in a TOML file; secrets only as PORTSIDE_MASTER_KEY, PORTSIDE_ROOT_ACCESS_KEY_ID and
    PORTSIDE_ROOT_SECRET_ACCESS_KEY. SIGTERM lets running transfers finish; SIGHUP reads the TLS certificate again.
    """
    from dataclasses import replace

    from portside.cli.announcement import announcement
    from portside.server import listening

    # Until the server has its own handlers, whoever stops it finds a clean end too: what was begun is taken back.
    signal.signal(signal.SIGTERM, _leave)
    settings = settings_of(given)
    # The port first: it is quick to refuse, and the rest takes the better part of a start to import.
    reservation = listening.reserve(settings.host, settings.port)
    settings = replace(settings, port=reservation.port)

    from portside.server import checks

    checks.check(settings)

    from portside.server import logs, process, start, wiring

    logs.configure(settings.log_level, settings.log_format)
    started = start.start(settings, wiring.prepare)
    click.echo(announcement(started))
    context.exit(process.run(settings, reservation, started.certificate))


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
