"""`portside migrate`: bring a database to this version's schema without starting the registry."""

from __future__ import annotations

import os
from typing import Any

import click

from portside.cli.options import setting_options, settings_of
from portside.server.errors import Refused


@click.command(short_help="Bring the database to this version's schema.")
@setting_options("data", "database")
def migrate(**given: Any) -> None:
    """Bring the database to this version's schema.

    `portside serve` does the same at its start; this is for doing it beforehand, for example once before several
    nodes start on one PostgreSQL database.
    """
    from portside.server.checks import check_folder
    from portside.storage.errors import StorageError
    from portside.storage.metadata import migrate as migration

    settings = settings_of(given)
    if settings.database is None:
        check_folder(settings.data)
        if not settings.data.exists():
            raise Refused(f"data: there is no folder {settings.data}; `portside serve` makes it.")
    os.umask(0o077)  # the file is for nobody else, whoever makes it first
    try:
        migration.upgrade(settings.database_url)
    except StorageError as error:
        raise Refused(error.message) from None
    click.echo(f"The database is at schema {migration.NEWEST}.")
