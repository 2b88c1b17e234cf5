"""`portside env`: the variables with which the AWS tools of a shell find the registry."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

from portside.cli.options import setting_options, settings_of


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _plain(name: str, value: str) -> str:
    return f"{name}={value}"


_LINES: Mapping[str, Callable[[str, str], str]] = {"export": _export, "fish": _fish, "dotenv": _plain}


@click.command(short_help="Print the variables that point AWS tools at the registry.")
@setting_options("data")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_LINES, "json"]),
    default="export",
    show_default=True,
    help="For sh, bash and zsh; for fish; for `docker run --env-file`; or as one JSON object.",
)
def env(form: str, **given: Any) -> None:
    """Print the variables that point AWS tools at the registry.

    In the shell: eval "$(portside env)". They hold the root access key, the region, the endpoint and, with `--tls
    auto`, the certificate authority to trust, as the last `portside serve` on the same data folder left them.
    """
    from portside.server import client_files

    data = settings_of(given).data
    key, endpoint = client_files.read_credentials(data), client_files.read_endpoint(data)
    variables = {
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_REGION": endpoint.region,
        # What the AWS CLI reads up to version 1, and boto3 in every version.
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_ENDPOINT_URL": endpoint.url,
    }
    if endpoint.ca_bundle is not None:
        variables["AWS_CA_BUNDLE"] = endpoint.ca_bundle
    if form == "json":
        click.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        click.echo(_LINES[form](name, value))
