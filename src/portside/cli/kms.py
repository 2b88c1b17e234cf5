"""`portside kms`: the keys that repositories can be encrypted with, beside those that nobody has to know of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portside.cli.accounts import check_account
from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, output_option, tend
from portside.server.errors import Refused

if TYPE_CHECKING:
    from portside.registry.kms import KnownKey

_of = click.option("--of", "number", metavar="ACCOUNT", help="The key's account; needed where there are several.")
_in = click.option("--in", "place", metavar="REGION", help="The key's region, unless it is the first of --region.")
_key = click.argument("key", metavar="KEY")


@click.group(short_help="Make, list, disable and enable KMS keys.")
def kms() -> None:
    """Make, list, disable and enable KMS keys.

    A repository that is created with encryptionType KMS or KMS_DSSE lies under such a key. While the key is disabled,
    nobody reads or writes what is in the repository.
    """


@kms.command("create-key", short_help="Make a KMS key.")
@click.option("--alias", metavar="NAME", help="A name for it, with or without alias/.")
@_of
@_in
@setting_options(*STORAGE, "regions")
@output_option
def create_key(alias: str | None, number: str | None, place: str | None, output: str, **given: Any) -> None:
    """Make a KMS key and show its ARN, which is what CreateRepository takes as kmsKey; the id and the alias do, too.

    Only repositories of its own region can lie under it, so that the region must be one that is served.
    """
    check_account(number)
    settings = settings_of(given)
    region = _region(place, settings.regions)
    if region not in settings.regions:
        served = ", ".join(settings.regions)
        raise Refused(
            f"'{region}' is not among the regions that are served: {served}. Give --region as `serve` has it."
        )
    _show(tend(settings, lambda tending: tending.kms.create(number, region, alias)), output)


@kms.command("list", short_help="List the KMS keys.")
@setting_options(*STORAGE)
@output_option
def list_keys(output: str, **given: Any) -> None:
    """List the KMS keys of every account and region."""
    from dataclasses import asdict

    found = tend(settings_of(given), lambda tending: tending.kms.keys())
    if output == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(_line(one))


@kms.command(short_help="Let nobody use a KMS key.")
@_key
@_of
@_in
@setting_options(*STORAGE, "regions")
@output_option
def disable(key: str, number: str | None, place: str | None, output: str, **given: Any) -> None:
    """Let nobody use a KMS key, given by its id, its ARN or its alias, with or without alias/.

    From the next request on nothing is read from its repositories nor written to them, by way of any node; images and
    repositories can still be listed and deleted. What is stored stays as it is, and is there again when the key is
    enabled.
    """
    _switch(key, number, place, output, given, on=False)


@kms.command(short_help="Let a KMS key be used again.")
@_key
@_of
@_in
@setting_options(*STORAGE, "regions")
@output_option
def enable(key: str, number: str | None, place: str | None, output: str, **given: Any) -> None:
    """Let a KMS key be used again, given as to `disable`; everything under it can be read again."""
    _switch(key, number, place, output, given, on=True)


def _switch(key: str, number: str | None, place: str | None, output: str, given: dict[str, Any], *, on: bool) -> None:
    check_account(number)
    settings = settings_of(given)
    region = _region(place, settings.regions)
    _show(tend(settings, lambda tending: tending.kms.switch(number, region, key, on=on)), output)


def _region(place: str | None, regions: tuple[str, ...]) -> str:
    from portside.core.errors import InvalidParameter
    from portside.core.names import parse_region

    if place is None:
        return regions[0]
    try:
        return parse_region(place)
    except InvalidParameter:
        raise Refused(f"'{place}' is not a region.") from None


def _show(key: KnownKey, output: str) -> None:
    from dataclasses import asdict

    click.echo(json.dumps(asdict(key), indent=2) if output == "json" else _line(key))


def _line(key: KnownKey) -> str:
    words = [key.arn, "enabled" if key.enabled else "disabled", key.alias or ""]
    return "  ".join(word for word in words if word)
