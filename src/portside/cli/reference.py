"""`portside reference`: docs/reference/settings.md, out of the table of settings.

portside reference > docs/reference/settings.md
"""

from __future__ import annotations

import click

from portside.server.setting import Setting
from portside.server.settings import table

_TOP = """\
# Settings

Everything that `portside serve` takes. An option goes before the environment, the environment before the TOML file
(`--config FILE` or `PORTSIDE_CONFIG`), and the file before the default. A key that the file has and this table does not
is an error. A key with a dot stands in a table: `storage.sealing` is `sealing` below `[storage]`. In the environment,
several regions are separated by commas. Paths are relative to the folder that the command is started in.

This page is written by `portside reference`; the table itself is `src/portside/server/settings.py`.

| option | environment | TOML key | default | what it is |
|---|---|---|---|---|
"""


def settings_page() -> str:
    """The page as it is committed."""
    return _TOP + "".join(_line(row) for row in table())


def _line(row: Setting) -> str:
    option, key = ("environment only", "") if row.secret else (f"`{row.option}`", f"`{row.key}`")
    cells = [option, f"`{row.environment}`", key, row.shown or "none", row.help]
    return "| " + " | ".join(cells) + " |\n"


@click.command(hidden=True, short_help="Print docs/reference/settings.md.")
def reference() -> None:
    """Print docs/reference/settings.md, for those who change a setting."""
    click.echo(settings_page(), nl=False)
