"""`portside completion`: the script that makes a shell complete the command."""

from __future__ import annotations

import click


@click.command(short_help="Print a shell completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""Print the completion script for a shell.

    \b
    bash:  eval "$(portside completion bash)"        in ~/.bashrc
    zsh:   eval "$(portside completion zsh)"         in ~/.zshrc
    fish:  portside completion fish | source         in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None  # the choices above are the shells that click knows
    click.echo(made(context.find_root().command, {}, "portside", "_PORTSIDE_COMPLETE").source())
