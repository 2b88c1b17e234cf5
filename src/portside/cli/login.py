"""`portside login`, `portside logout`, `portside ls`."""

from __future__ import annotations

import sys

import click

from portside.cli.transfer import Session, common, emit


@click.command()
@click.argument("host", required=False)
@click.option("--helper", is_flag=True, help="Let docker ask docker-credential-portside each time, so nothing expires.")
@click.option("--username", metavar="NAME", help="For a registry that is no ECR.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@common
def login(
    host: str | None,
    session: Session,
    helper: bool,
    username: str | None,
    password_stdin: bool,
) -> None:
    """Log docker and podman in to a registry, with your AWS credentials.

    Without HOST it is the registry that AWS_ENDPOINT_URL, or profile and region, mean. The login is kept where
    `docker login` keeps it and lasts 12 hours; with --helper it is made whenever docker needs it.
    """
    from portside.client.signing_in import sign_in
    from portside.remote.credentials import Login

    if bool(username) != password_stdin:
        raise click.UsageError("--username and --password-stdin belong together")
    given = Login(username, sys.stdin.read().rstrip("\r\n")) if username else None
    with session.working():
        done = sign_in(session.connections, host, helper=helper, login=given)
    if session.json:
        emit({"host": done.host, "keptIn": done.kept_in, "helper": done.helper})
    elif not session.quiet:
        how = "asks docker-credential-portside for" if done.helper else "holds the login to"
        click.echo(f"{done.kept_in} {how} {done.host}")


@click.command()
@click.argument("host", required=False)
@common
def logout(host: str | None, session: Session) -> None:
    """Forget the login to a registry, and the tokens that were kept for it."""
    from portside.client.signing_in import sign_out

    with session.working():
        name, found = sign_out(session.connections, host)
    if session.json:
        emit({"host": name, "loggedOut": found})
    elif not session.quiet:
        click.echo(f"Logged out of {name}" if found else f"There was no login to {name}")


@click.command()
@click.argument("name", required=False, metavar="[HOST|REPOSITORY]")
@common
def ls(name: str | None, session: Session) -> None:
    """List a registry's repositories, or a repository's tags with what they stand for."""
    from portside.client.display import printable
    from portside.client.listing import listing

    with session.working():
        found = listing(session.connections, name, jobs=session.jobs)
    if session.json:
        emit(found)
        return
    for repository in found.get("repositories", []):
        click.echo(printable(repository))
    for entry in found.get("tags", []):
        click.echo(f"{printable(entry['tag'])}\t{entry['digest'] or ''}")
