"""`portside collect`: remove what nothing refers to any more, now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, amount, output_option, tend

if TYPE_CHECKING:
    from portside.registry.collection import Swept


@click.command(short_help="Remove what nothing refers to any more.")
@setting_options(*STORAGE, "collect_grace")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@output_option
def collect(dry_run: bool, output: str, **given: Any) -> None:
    """Remove what nothing refers to any more.

    Uploads that nobody went on with for a day; layers that no image has referred to for the grace time; after as long
    again, their bytes; and files that a crash left. A running server does the same every `collect.interval` seconds and
    may go on meanwhile.
    """
    settings = settings_of(given)
    swept = tend(settings, lambda tending: tending.collection.survey() if dry_run else tending.collection.sweep())
    click.echo(_as_json(swept, dry_run=dry_run) if output == "json" else _as_text(swept, dry_run=dry_run))


def _as_json(swept: Swept, *, dry_run: bool) -> str:
    from dataclasses import asdict

    return json.dumps({"dry_run": dry_run, **asdict(swept)}, indent=2)


def _as_text(swept: Swept, *, dry_run: bool) -> str:
    begin = "Would remove" if dry_run else "Removed"
    text = (
        f"{begin} {swept.uploads} uploads, {swept.layers} layers, {swept.blobs} blobs and {swept.files} files "
        f"that nothing names: {amount(swept.bytes)}."
    )
    return text + (f" {swept.left} files could not be removed." if swept.left else "")
