"""What happens before the first worker: look, make the data folder, prepare storage, leave the files for clients.

Rule: nothing half made. What can be refused is refused before anything is written; folders that this start made go
again when storage refuses. The files for clients come last, so that they only ever speak of a registry that exists.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from portside.server import checks, client_files, tls
from portside.server.errors import Refused
from portside.server.prepared import Prepared
from portside.server.settings import Settings
from portside.storage.errors import StorageError

Prepare = Callable[[Settings], Awaitable[Prepared]]


@dataclass(frozen=True, slots=True)
class Started:
    """A server that is ready to run, and what its start made."""

    settings: Settings
    prepared: Prepared
    certificate: tls.Certificate | None
    credentials_written: bool


def start(settings: Settings, prepare: Prepare) -> Started:
    """Make the data folder ready; raises Refused."""
    checks.check(settings)
    os.umask(0o077)  # what lies in the data folder is for nobody else, whoever made the folder
    try:
        with _folder(settings.data):
            prepared = asyncio.run(_awaited(prepare, settings))
            certificate = certificate_of(settings)
            written = _tell_clients(settings, prepared, certificate)
    except StorageError as error:
        raise Refused(error.message) from None
    except OSError as error:
        raise Refused(f"data: {error.filename or settings.data} cannot be written: {error.strerror}.") from None
    return Started(settings, prepared, certificate, written)


def certificate_of(settings: Settings) -> tls.Certificate | None:
    """The files to serve TLS from, made or renewed where that is ours to do; None without TLS."""
    if settings.tls == "auto":
        return tls.ensure(settings.data / "tls", tls.names(settings), datetime.now(UTC))
    if settings.tls_cert is not None and settings.tls_key is not None:
        return tls.Certificate(settings.tls_cert, settings.tls_key, None)
    return None


async def _awaited(prepare: Prepare, settings: Settings) -> Prepared:
    return await prepare(settings)


@contextlib.contextmanager
def _folder(data: Path) -> Generator[None]:
    """The data folder, made with mode 0700; when the block fails, folders that were made and are empty go again."""
    missing = [folder for folder in (data, *data.parents) if not folder.exists()]
    data.parent.mkdir(parents=True, exist_ok=True)
    data.mkdir(mode=0o700, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for folder in missing:
                folder.rmdir()
        raise


def _tell_clients(settings: Settings, prepared: Prepared, certificate: tls.Certificate | None) -> bool:
    authority = certificate.authority if certificate else None
    endpoint = client_files.Endpoint(settings.endpoint, settings.regions[0], str(authority) if authority else None)
    client_files.write_endpoint(settings.data, endpoint)
    if prepared.access_key is None:
        return False
    return client_files.write_credentials(settings.data, prepared.access_key)
