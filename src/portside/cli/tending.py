"""What the commands that look after a registry have in common: it must be there, and its storage may refuse."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from portside.server.errors import Refused
from portside.server.settings import Settings

if TYPE_CHECKING:
    from portside.server.wiring import Tending

T = TypeVar("T")
STORAGE = ("data", "database", "sealing", "archive", "master_key_file")
"""The settings that say where a registry is kept."""
_UNIT = 1024

output_option = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people, or as JSON."
)


def tend(settings: Settings, work: Callable[[Tending], Awaitable[T]]) -> T:
    """Do some work on a registry that stands, a server running on it or none; raises Refused."""
    import asyncio

    from portside.core.errors import RegistryError
    from portside.server import checks, logs, wiring
    from portside.storage.errors import StorageError

    checks.check_standing(settings)
    logs.configure(settings.log_level, settings.log_format)
    os.umask(0o077)  # SQLite may make files beside its own

    async def tended() -> T:
        async with wiring.tending(settings) as tending:
            return await work(tending)

    try:
        return asyncio.run(tended())
    except (StorageError, RegistryError) as error:
        raise Refused(error.message) from None


def amount(size: int) -> str:
    """Bytes as people read them: `1.5 GiB`."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < _UNIT:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _UNIT
    return f"{value:.1f} TiB"
