"""What `portside serve` says at the start: where things are, what was made, and the lines to copy."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from portside import __version__
from portside.core.names import RegistryId
from portside.server.client_files import CREDENTIALS
from portside.server.settings import Settings
from portside.server.start import Started


def announcement(started: Started) -> str:
    """The whole text."""
    settings = started.settings
    paragraphs = [_places(settings), *_news(started), _lines(settings), *_trust(started), *_plain_http(settings)]
    return "\n\n".join(paragraphs) + "\n"


def command() -> str:
    """How this program was started, as another terminal in another folder can type it."""
    program = Path(sys.argv[0])
    if program.name != "portside":
        return f"{shlex.quote(sys.executable)} -m portside"
    found = shutil.which("portside")
    if found is not None and Path(found).absolute() == program.absolute():
        return "portside"
    return shlex.quote(str(program.absolute()))


def _places(settings: Settings) -> str:
    title = click.style(f"Portside {__version__}", bold=True)
    rows = {
        "endpoint": settings.endpoint,
        "data": str(settings.data),
        "metadata": "PostgreSQL" if settings.database else str(settings.data / "portside.db"),
        "account": f"{settings.account} in {', '.join(settings.regions)}",
    }
    return "\n".join([title, *(f"  {name:<9} {value}" for name, value in rows.items())])


def _news(started: Started) -> Iterator[str]:
    data, prepared = started.settings.data, started.prepared
    if prepared.created_account:
        yield f"Made account {started.settings.account} and its root access key: {data / CREDENTIALS} (mode 0600)."
    elif started.credentials_written:
        yield f"Wrote the root access key to {data / CREDENTIALS} (mode 0600)."
    if prepared.master_key_created is not None:
        yield (
            f"Made a master key: {prepared.master_key_created} (mode 0600).\n"
            "Everything stored is sealed under it. Keep a copy elsewhere: without it nobody can read the data."
        )


def _lines(settings: Settings) -> str:
    host = settings.host_names.host(RegistryId(settings.account, settings.regions[0]))
    lines = [
        f'eval "$({command()} env --data {shlex.quote(str(settings.data))})"',
        "aws ecr create-repository --repository-name team/app",
        f"aws ecr get-login-password | docker login --username AWS --password-stdin {host}",
        f"docker tag my-image:1 {host}/team/app:1",
        f"docker push {host}/team/app:1",
    ]
    # Such a version asks Amazon instead, which is worse than failing.
    old = f"An AWS CLI before 2.13 does not read AWS_ENDPOINT_URL: add --endpoint-url {settings.endpoint} to commands."
    return "\n".join(["To push, in another terminal:", "", *(f"  {line}" for line in lines), "", old])


def _trust(started: Started) -> Iterator[str]:
    if started.certificate is None or started.certificate.authority is None:
        return
    settings, authority = started.settings, shlex.quote(str(started.certificate.authority))
    host = settings.host_names.host(RegistryId(settings.account, settings.regions[0]))
    lines = ["To trust this server's private certificate authority:", ""]
    for client, folder in (("docker", "/etc/docker/certs.d"), ("podman", "/etc/containers/certs.d")):
        lines.append(f"  {client:<7} sudo install -D -m 644 {authority} {folder}/{host}/ca.crt")
    lines.append(f"  aws     export AWS_CA_BUNDLE={authority}   (`portside env` does it)")
    yield "\n".join(lines)


def _plain_http(settings: Settings) -> Iterator[str]:
    if settings.scheme == "http" and not settings.listener.startswith(("localhost:", "127.", "[::1]:")):
        yield (
            f"Without TLS, docker takes {settings.listener} only as one of its insecure-registries; "
            "`--tls auto` serves TLS."
        )
