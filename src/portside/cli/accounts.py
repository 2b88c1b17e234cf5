"""`portside account`, `portside key`, `portside sessions`: what operators do with accounts, beside the API."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, output_option, tend
from portside.server.errors import Refused

if TYPE_CHECKING:
    from portside.registry.iam.operators import RootKey


@click.group(short_help="Make and list accounts.")
def account() -> None:
    """Make and list accounts."""


@account.command(short_help="Make an account, and show its root key.")
@click.argument("number", required=False, metavar="[ACCOUNT]")
@setting_options(*STORAGE)
@output_option
def create(number: str | None, output: str, **given: Any) -> None:
    """Make an account of twelve digits, at random unless they are given, and show its root key.

    The secret is shown this once. A running server knows the account at its next request.
    """
    check_account(number)
    made = tend(settings_of(given), lambda tending: tending.operators.create_account(number))
    _show_key(made, output, f"Made the account {made.account}.")


@account.command("list", short_help="List the accounts.")
@setting_options(*STORAGE)
@output_option
def list_accounts(output: str, **given: Any) -> None:
    """List the accounts that are here."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    found = tend(settings_of(given), lambda tending: tending.operators.accounts())
    if output == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        made = datetime.fromtimestamp(one.created_at // 1_000_000, UTC).date()
        click.echo(
            f"{one.id}  made {made}  {one.users} users, {one.roles} roles{f'  {one.alias}' if one.alias else ''}"
        )


@click.group(short_help="Replace root keys.")
def key() -> None:
    """Replace root keys."""


@key.command(short_help="Give an account a new root key.")
@click.option("--of", "number", metavar="ACCOUNT", help="Whose; needed where there are several accounts.")
@click.option("--keep-old", is_flag=True, help="Let the old root keys go on working.")
@setting_options(*STORAGE)
@output_option
def rotate(number: str | None, keep_old: bool, output: str, **given: Any) -> None:
    """Give an account a new root key, and show it this once.

    The old ones stop at the next request, with every session and registry token that goes back to them. Credentials
    for clients that lie in the data folder are written anew.
    """
    from portside.server import client_files
    from portside.server.prepared import AccessKeyPair

    settings = settings_of(given)
    check_account(number)
    made = tend(settings, lambda tending: tending.operators.rotate_key(number, keep_old=keep_old))
    with contextlib.suppress(Refused):  # no credentials are kept there
        if client_files.read_credentials(settings.data).id in made.before:
            client_files.write_credentials(settings.data, AccessKeyPair(made.access_key, made.secret))
    _show_key(made, output, f"Made a new root key for the account {made.account}.")


@click.group(short_help="End sessions.")
def sessions() -> None:
    """End sessions."""


@sessions.command(short_help="End every session that a role has now.")
@click.option("--role", required=True, metavar="NAME", help="The role's name.")
@click.option("--of", "number", metavar="ACCOUNT", help="Its account; needed where there are several.")
@setting_options(*STORAGE)
@output_option
def revoke(role: str, number: str | None, output: str, **given: Any) -> None:
    """End every session that a role has now, at the next request; new ones can be had at once."""
    check_account(number)
    arn = tend(settings_of(given), lambda tending: tending.operators.revoke_sessions(number, role))
    click.echo(json.dumps({"role": arn}) if output == "json" else f"Ended the sessions of {arn}.")


def check_account(number: str | None) -> None:
    """Raise Refused for what is given and no account."""
    from portside.core.errors import InvalidParameter
    from portside.core.names import parse_account

    if number is None:
        return
    try:
        parse_account(number)
    except InvalidParameter:
        raise Refused(f"'{number}' is not an account; accounts are twelve digits.") from None


def _show_key(made: RootKey, output: str, told: str) -> None:
    if output == "json":
        document = {"account": made.account, "access_key_id": made.access_key, "secret_access_key": made.secret}
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(told)
    click.echo(f"AWS_ACCESS_KEY_ID={made.access_key}\nAWS_SECRET_ACCESS_KEY={made.secret}")
