"""`portside doctor`."""

from __future__ import annotations

import os

import click

from portside.cli.transfer import Session, common, emit

_MARKS = {"ok": "ok  ", "note": "note", "failed": "FAIL", "skipped": "--  "}


@click.command()
@click.argument("destination", required=False)
@click.option("--source", metavar="SOURCE", help="The image to push, as `portside push` takes it.")
@common
@click.pass_context
def doctor(
    context: click.Context,
    destination: str | None,
    source: str | None,
    session: Session,
) -> None:
    """Check what a push needs, and say what to do about what is missing.

    In order: AWS credentials, the repository, the image, the client, the network, and then your permissions, which are
    tried without changing an image. The exit code is that of the first check that failed.
    """
    from portside.client.display import printable
    from portside.client.doctor.examination import Examination
    from portside.client.doctor.findings import first_code

    with session.working():
        findings = Examination(session.connections, os.environ).run(destination, source)
    code = first_code(findings)
    if session.json:
        emit({"ok": code == 0, "checks": [one.as_json() for one in findings]})
    else:
        for one in findings:
            if session.quiet and one.state.value != "failed":
                continue
            click.echo(printable(f"{_MARKS[one.state.value]}  {one.topic}: {one.found}"))
            if one.advice:
                click.echo(printable(f"      -> {one.advice}"))
    context.exit(code)
