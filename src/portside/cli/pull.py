"""`portside pull` and `portside copy`."""

from __future__ import annotations

import os

import click

from portside.cli.transfer import Session, common


@click.command()
@click.argument("reference")
@click.option(
    "--to", "place", required=True, metavar="DIR|FILE|docker", help="A folder, a file ending in .tar, or docker."
)
@click.option("--platform", metavar="OS/ARCH", help="Of an image for several platforms, pull only this one.")
@click.option("--with-referrers", is_flag=True, help="Into a folder: pull what refers to the image too.")
@common
def pull(
    reference: str,
    session: Session,
    place: str,
    platform: str | None,
    with_referrers: bool,
) -> None:
    """Pull an image into a folder (an OCI layout), a file (an OCI archive), or the engine that docker speaks to."""
    from portside.client.pull import CopyWishes, Pull

    with session.working():
        wishes = CopyWishes(platform, with_referrers, session.jobs)
        one = Pull(session.connections, os.environ, wishes, session.shown.progress, session.stop)
        pulled = one.to(reference, place)
    session.tell(pulled)


@click.command()
@click.argument("reference")
@click.argument("destination")
@click.option("-t", "--tag", "tags", multiple=True, metavar="TAG", help="One more tag for the copy (again for more).")
@click.option("--platform", metavar="OS/ARCH", help="Of an image for several platforms, copy only this one.")
@click.option("--with-referrers", is_flag=True, help="Copy signatures and whatever else refers to the image too.")
@common
def copy(
    reference: str,
    destination: str,
    session: Session,
    tags: tuple[str, ...],
    platform: str | None,
    with_referrers: bool,
) -> None:
    """Copy an image from one registry to another: mounted where they are one, streamed where they are not."""
    from portside.client.pull import CopyWishes, Pull

    with session.working():
        wishes = CopyWishes(platform, with_referrers, session.jobs, tags)
        one = Pull(session.connections, os.environ, wishes, session.shown.progress, session.stop)
        copied = one.copy(reference, destination)
    session.tell(copied)
