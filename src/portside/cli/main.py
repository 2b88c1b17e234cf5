"""The command `portside`: one tree, and one way to fail.

Rule: whatever a person can put right ends as one line on standard error, without a traceback, and exit code 2.
Importing this module imports click and the table of settings; a command imports what it needs when it runs.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise

import click

from portside import __version__
from portside.server.errors import Refused

_INTERRUPTED = 130
_USAGE = 2
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
_COMMANDS = {
    "push": "push",
    "pull": "pull",
    "copy": "pull",
    "login": "login",
    "logout": "login",
    "ls": "login",
    "doctor": "doctor",
    "serve": "serve",
    "env": "env",
    "migrate": "migrate",
    "collect": "collect",
    "verify": "verify",
    "events": "events",
    "lifecycle": "lifecycle",
    "account": "accounts",
    "key": "accounts",
    "kms": "kms",
    "policy": "policy",
    "sessions": "accounts",
    "completion": "completion",
    "reference": "reference",
}
"""Which module of this room has which command: it is imported when the command is used, or listed."""


class Tree(click.Group):
    """The commands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        del ctx
        return list(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that is almost one is told which (click knows only commands that are loaded)."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS)
            if near:
                ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        del ctx
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = getattr(importlib.import_module(f"portside.cli.{module}"), cmd_name)
        return found


@click.group(cls=Tree, invoke_without_command=True, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="portside", message="%(prog)s %(version)s")
@click.pass_context
def portside(context: click.Context) -> None:
    """Amazon ECR that anyone can run.

    A container registry that speaks the ECR API and the OCI Distribution protocol. `portside serve` starts it and
    prints the lines to copy; `eval "$(portside env)"` points the AWS tools of a shell at it; `portside push` pushes an
    image without a daemon.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


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
        return _misused(error.format_message(), path, arguments if arguments is not None else sys.argv[1:])
    except click.ClickException as error:
        return _failed(error)
    except Refused as refused:
        return _fail(refused.message)
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    return code if isinstance(code, int) else 0


def _misused(message: str, path: str, arguments: Sequence[str]) -> int:
    advice = f"'{path} --help' shows the options"
    if not any(
        option in {"--output=json", "--output json"} for option in (*arguments, *map(" ".join, pairwise(arguments)))
    ):
        return _fail(f"{message} ({advice})")
    error = {"code": _USAGE, "kind": "usage", "message": message, "advice": advice}
    click.echo(json.dumps({"error": error}, indent=2))
    return _USAGE


def _failed(error: click.ClickException) -> int:
    code: int = getattr(error, "code", _USAGE)
    document = getattr(error, "document", None)
    if document is None:
        return _fail(error.format_message(), code)
    click.echo(json.dumps(document, indent=2))
    return code


def _fail(message: str, code: int = _USAGE) -> int:
    # What a registry says is in it, and may hold what moves a terminal's cursor.
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(message.split()))
    click.echo(f"portside: {line}", err=True)
    return code
