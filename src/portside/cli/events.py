"""`portside events`: what happens in a registry, as it happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, tend

if TYPE_CHECKING:
    from portside.registry.events import Follower

_POLL = 0.5
"""Seconds between two looks."""


@click.group(short_help="Follow what happens in the registries.")
def events() -> None:
    """Follow what happens in the registries."""


@events.command(short_help="Show the latest events, and then each as it comes.")
@setting_options(*STORAGE)
@click.option("--last", type=click.IntRange(0, 1000), default=10, show_default=True, help="How many to begin with.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Whether to wait for more.")
@click.option("--json", "as_json", is_flag=True, help="Show each as a line of JSON, as EventBridge would deliver it.")
def tail(last: int, follow: bool, as_json: bool, **given: Any) -> None:
    """Show the latest events, and then each as it comes, until Ctrl-C.

    Pushes, deletions, moves to and from the archive, and changes of scan frequency, of every account and region here,
    whoever made them: docker, the API, or a lifecycle policy. It may run beside a server, on any of its nodes.
    """
    tend(settings_of(given), lambda tending: _tail(tending.follower, last, follow=follow, as_json=as_json))


async def _tail(follower: Follower, last: int, *, follow: bool, as_json: bool) -> None:
    import asyncio

    await follower.begin(last)
    while True:
        found = await follower.more()
        for document in found:
            click.echo(document if as_json else _as_text(document))
        if not found and not follow:
            return
        if not found:
            await asyncio.sleep(_POLL)


def _as_text(document: str) -> str:
    event = json.loads(document)
    detail = event["detail"]
    begin = f"{event['time']}  {event['account']} {event['region']}"
    if "repositories" in detail:
        return "\n".join(f"{begin}  {_rescanned(one)}" for one in detail["repositories"])
    tag = f":{detail['image-tag']}" if "image-tag" in detail else ""
    image = f"{detail['repository-name']}{tag}@{detail['image-digest']}"
    action = detail.get("target-storage-class", detail["action-type"])
    return f"{begin}  {action:<8}  {image}"


def _rescanned(change: dict[str, str]) -> str:
    frequencies = f"{change['scan-frequency']}, before {change['previous-scan-frequency']}"
    return f"{'SCAN':<8}  {change['repository-name']}: {frequencies}"
