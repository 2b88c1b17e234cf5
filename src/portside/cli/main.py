"""The command `portside`: one tree, and one way to fail.

Rule: whatever a person can put right ends as one line on standard error, without a traceback, and exit code 2.
Importing this module imports click and the table of settings; a command imports what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from portside import __version__
from portside.cli.accounts import account, key, sessions
from portside.cli.collect import collect
from portside.cli.completion import completion
from portside.cli.env import env
from portside.cli.migrate import migrate
from portside.cli.policy import policy
from portside.cli.reference import reference
from portside.cli.serve import serve
from portside.cli.verify import verify
from portside.server.errors import Refused

_INTERRUPTED = 130
_USAGE = 2
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


@click.group(invoke_without_command=True, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="portside", message="%(prog)s %(version)s")
@click.pass_context
def portside(context: click.Context) -> None:
    """Amazon ECR that anyone can run.

    A container registry that speaks the ECR API and the OCI Distribution protocol. `portside serve` starts it and
    prints the lines to copy; `eval "$(portside env)"` points the AWS tools of a shell at it.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (serve, env, migrate, collect, verify, account, key, policy, sessions, completion, reference):
    portside.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    # click leaves colours out when the output is no terminal; None keeps that.
    colour = False if os.environ.get("NO_COLOR") else None
    try:
        code = portside.main(arguments, prog_name="portside", standalone_mode=False, color=colour)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "portside"
        return _fail(f"{error.format_message()} ('{path} --help' shows the options)")
    except click.ClickException as error:
        return _fail(error.format_message())
    except Refused as refused:
        return _fail(refused.message)
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    line = " ".join(message.split())
    click.echo(f"portside: {line}", err=True)
    return _USAGE
