"""`portside lifecycle`: apply lifecycle policies now, or see what they would do on a given day."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, output_option, tend
from portside.server.errors import Refused

if TYPE_CHECKING:
    from portside.core.lifecycle.evaluation import Action, Candidate
    from portside.core.lifecycle.policy import Policy
    from portside.core.names import RepositoryId
    from portside.registry.lifecycle.runs import Failure, Run
    from portside.server.settings import Settings
    from portside.server.wiring import Tending

_HEADINGS = ("REPOSITORY", "ACTION", "RULE", "PUSHED", "DIGEST", "TAGS")
_SHOWN_DIGITS = 12
_SHOWN_TAGS = 5
_repository_option = click.option(
    "--repository", metavar="NAME", help="This repository alone, by name or ARN; all that have a policy otherwise."
)


@click.group(short_help="Apply lifecycle policies, or rehearse them.")
def lifecycle() -> None:
    """Apply lifecycle policies, or rehearse them."""


@lifecycle.command(short_help="Apply lifecycle policies now.")
@setting_options(*STORAGE, "lifecycle_interval")
@_repository_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_option
def run(repository: str | None, dry_run: bool, output: str, **given: Any) -> None:
    """Apply lifecycle policies now.

    A running server does the same every `lifecycle.interval` seconds, and may go on meanwhile. What is done is an event
    for each image (`portside events tail`) and a line in the log. A repository whose policy fails is named at the end;
    the others are done.
    """
    settings = settings_of(given)

    async def work(tending: Tending) -> tuple[list[Run], list[Failure]]:
        from portside.registry.lifecycle.runs import one_by_one

        apply = _dry if dry_run else _wet
        return await one_by_one(await _chosen(tending, repository), lambda one: apply(tending, one))

    runs, failures = tend(settings, work)
    _show(runs, failures, output, "Would expire" if dry_run else "Expired", done=not dry_run)


@lifecycle.command(short_help="Show what a policy would do on a given day.")
@setting_options(*STORAGE)
@_repository_option
@click.option("--at", "day", metavar="DATE", help="A day such as 2027-03-01, or a time; now unless it is given.")
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A policy in a file, or - for standard input, in place of the repository's own.",
)
@click.option("--from-aws", is_flag=True, help="Look at a repository of real ECR, by DescribeImages alone.")
@click.option("--profile", metavar="NAME", help="With --from-aws: the AWS profile whose credentials are used.")
@click.option("--region", "aws_region", metavar="REGION", help="With --from-aws: the region to ask.")
@click.option("--registry-id", metavar="ACCOUNT", help="With --from-aws: the account, where it is another one's.")
@output_option
def preview(
    repository: str | None,
    day: str | None,
    file: Path | None,
    from_aws: bool,
    profile: str | None,
    aws_region: str | None,
    registry_id: str | None,
    output: str,
    **given: Any,
) -> None:
    """Show what a policy would do on a given day, if nothing were pushed or pulled until then.

    Nothing is changed. With --from-aws it is rehearsed on a repository of real ECR before it is put there: what an
    index lists cannot be told by DescribeImages, so images that ECR would keep for their index's sake are shown too.
    """
    at = _moment(day)
    rules = None if file is None else _read(file)
    if from_aws:
        if repository is None or rules is None:
            raise click.UsageError("--from-aws needs --repository and --policy.")
        runs, failures = _from_aws(repository, rules, at, profile, aws_region, registry_id), []
    else:
        if profile is not None or aws_region is not None or registry_id is not None:
            raise click.UsageError("--profile, --region and --registry-id need --from-aws.")
        runs, failures = _from_here(settings_of(given), repository, rules, at)
    _show(runs, failures, output, "Would expire", done=False)


async def _wet(tending: Tending, repository: RepositoryId) -> Run:
    return await tending.lifecycle.run(repository)


async def _dry(tending: Tending, repository: RepositoryId) -> Run:
    import time

    return await tending.lifecycle.preview(repository, None, time.time_ns() // 1000)


def _from_here(
    settings: Settings, repository: str | None, rules: Policy | None, at: int
) -> tuple[list[Run], list[Failure]]:
    if repository is None and rules is not None:
        raise click.UsageError("--policy needs --repository: a policy is one repository's.")

    async def work(tending: Tending) -> tuple[list[Run], list[Failure]]:
        from portside.registry.lifecycle.runs import one_by_one

        preview_one = tending.lifecycle.preview
        return await one_by_one(await _chosen(tending, repository), lambda one: preview_one(one, rules, at))

    return tend(settings, work)


def _from_aws(
    repository: str, rules: Policy, at: int, profile: str | None, region: str | None, registry: str | None
) -> list[Run]:
    from portside.client.described_images import images_of
    from portside.core.lifecycle.evaluation import evaluate
    from portside.core.names import RepositoryId
    from portside.registry.lifecycle.runs import Run
    from portside.remote.errors import RemoteError

    try:
        images: list[Candidate] = images_of(repository, profile=profile, region=region, registry=registry)
    except RemoteError as error:
        raise Refused(f"{error.message}; {error.advice}.") from None
    return [Run(RepositoryId(registry or "", region or "", repository), evaluate(rules, images, at))]


async def _chosen(tending: Tending, repository: str | None) -> Sequence[RepositoryId]:
    if repository is None:
        return await tending.lifecycle.with_policies()
    found = await tending.lifecycle.named(repository)
    if not found:
        raise Refused(f"There is no repository '{repository}' here.")
    if len(found) > 1:
        arns = ", ".join(one.arn for one in found)
        raise Refused(f"Several repositories are called '{repository}'; name one by its ARN: {arns}.")
    return found


def _moment(day: str | None) -> int:
    from datetime import UTC, datetime

    if day is None:
        return int(datetime.now(UTC).timestamp() * 1_000_000)
    try:
        found = datetime.fromisoformat(day)
    except ValueError:
        raise click.UsageError(f"--at: '{day}' is not a date such as 2027-03-01.") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def _read(file: Path) -> Policy:
    from portside.core.errors import InvalidParameter
    from portside.core.lifecycle.grammar import check_length, read

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        check_length(text)
        return read(text)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text.") from None
    except InvalidParameter as error:
        raise Refused(f"{file}: {error.reason}.") from None


# --- what is shown --------------------------------------------------------------------------------------------------


def _show(runs: Sequence[Run], failures: Sequence[Failure], output: str, begin: str, *, done: bool) -> None:
    """Say what came of it; raises Refused in the end for what failed."""
    if output == "json":
        failed = [{"repository": one.repository.name, "error": one.reason} for one in failures]
        click.echo(json.dumps([*(_document(one, done=done) for one in runs), *failed], indent=2))
    elif runs or not failures:
        _show_text(runs, begin, done=done)
    if failures:
        raise Refused("; ".join(f"{one.repository.arn}: {one.reason.removesuffix('.')}" for one in failures) + ".")


def _show_text(runs: Sequence[Run], begin: str, *, done: bool) -> None:
    rows = [_row(one.repository, action) for one in runs for action in one.outcome.actions]
    if rows:
        _table([_HEADINGS, *rows])
    for one in runs:
        click.echo(f"{one.repository.name}: {_summary(one, begin, done=done)}")
    if not runs:
        click.echo("No repository has a lifecycle policy.")


def _summary(run: Run, begin: str, *, done: bool) -> str:
    expiring = run.expired if done else run.outcome.expiring
    archiving = run.archived if done else run.outcome.transitioning
    verb = "archived" if done else "archive"
    text = f"{begin} {expiring} and {verb} {archiving} of {run.outcome.images} images."
    if run.outcome.kept:
        text += f" {len(run.outcome.kept)} stay because an index lists them."
    if run.spared:
        text += f" {run.spared} changed meanwhile and were left alone."
    return text if run.finished else text + " The policy changed meanwhile; the new one is applied next."


def _row(repository: RepositoryId, action: Action) -> tuple[str, ...]:
    from portside.core.times import instant

    algorithm, _, digits = action.image.digest.partition(":")
    tags = [*action.image.tags]
    more = f" and {len(tags) - _SHOWN_TAGS} more" if len(tags) > _SHOWN_TAGS else ""
    return (
        repository.name,
        {"EXPIRE": "expire", "TRANSITION": "archive"}[action.kind],
        str(action.rule.priority) if action.rule else "-",
        instant(action.image.pushed_at)[:10],
        f"{algorithm}:{digits[:_SHOWN_DIGITS]}",
        ", ".join(tags[:_SHOWN_TAGS]) + more or "-",
    )


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _document(run: Run, *, done: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "repository": run.repository.name,
        "images": run.outcome.images,
        "actions": [_action(action) for action in run.outcome.actions],
        "keptByIndex": [_action(action) for action in run.outcome.kept],
    }
    if done:
        counts = {"expired": run.expired, "archived": run.archived, "spared": run.spared, "finished": run.finished}
        document["done"] = counts
    return document


def _action(action: Action) -> dict[str, Any]:
    from portside.core.times import instant

    return {
        "action": action.kind,
        "rule": action.rule.priority if action.rule else None,
        "description": action.rule.description if action.rule else "",
        "imageDigest": action.image.digest,
        "imageTags": list(action.image.tags),
        "imagePushedAt": instant(action.image.pushed_at),
    }
