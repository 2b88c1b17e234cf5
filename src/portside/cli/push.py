"""`portside push`: an image in a registry with one command and no daemon."""

from __future__ import annotations

import os

import click

from portside.cli.transfer import Session, common

_EPILOG = """\b
Examples:
  portside push app:1 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1
  portside push build/ team/app:1.4 --tag latest --create
  docker save app:1 | portside push - localhost:4510/team/app:1
  portside push docker.io/library/alpine:3 team/alpine:3 --platform linux/arm64
"""


@click.command(epilog=_EPILOG)
@click.argument("source")
@click.argument("destination", required=False)
@click.option("-t", "--tag", "tags", multiple=True, metavar="TAG", help="One more tag for the image (again for more).")
@click.option("--platform", metavar="OS/ARCH", help="Of an image for several platforms, push only this one.")
@click.option("--with-referrers", is_flag=True, help="Push signatures and whatever else refers to the image too.")
@click.option("--create", is_flag=True, help="Create the repository when it is not there.")
@click.option("--immutable", is_flag=True, help="With --create: tags cannot be moved.")
@click.option("--scan-on-push", is_flag=True, help="With --create: scan images when they are pushed.")
@click.option("--kms-key", metavar="ARN", help="With --create: encrypt with this key.")
@click.option("--dry-run", is_flag=True, help="Say what would be pushed, and push nothing.")
@click.option("--format", "form", type=click.Choice(["oci", "docker"]), help="Media types of the image's manifests.")
@click.option("--compress", type=click.Choice(["gzip", "zstd", "none"]), help="How every layer is compressed.")
@click.option("--level", type=int, metavar="N", help="With --compress: 0 to 3 for gzip, 1 to 19 for zstd.")
@common
def push(
    source: str,
    destination: str | None,
    session: Session,
    tags: tuple[str, ...],
    platform: str | None,
    with_referrers: bool,
    create: bool,
    immutable: bool,
    scan_on_push: bool,
    kms_key: str | None,
    dry_run: bool,
    form: str | None,
    compress: str | None,
    level: int | None,
) -> None:
    """Push an image to a registry: Portside, Amazon ECR, or any other.

    SOURCE is an image of a Docker or podman engine (app:1), an archive of `docker save` or OCI (app.tar, or - for
    standard input), an OCI image layout (a folder, with :TAG or @DIGEST), or a registry's reference. DESTINATION is
    HOST/REPOSITORY:TAG, or only REPOSITORY:TAG for the registry that profile and region mean; without it, an engine's
    image goes where its name says.
    """
    from portside.client.push import Creation, Push, PushWishes
    from portside.remote.compression import Compression

    if not create and (immutable or scan_on_push or kms_key):
        raise click.UsageError("--immutable, --scan-on-push and --kms-key describe the repository of --create")
    if level is not None and compress is None:
        raise click.UsageError("--level belongs to --compress")
    with session.working():
        wishes = PushWishes(
            tags,
            platform,
            with_referrers,
            Creation(immutable, scan_on_push, kms_key) if create else None,
            dry_run,
            form,
            Compression.of(compress, level) if compress else None,
            session.jobs,
        )
        pushed = Push(session.connections, os.environ, wishes, session.shown.progress, session.stop).run(
            source, destination
        )
    session.tell(pushed, dry_run=dry_run)
