"""Which servers a person's machine trusts for images: what Docker and podman are told, and loopback.

Sources: docker, Verify repository client with certificates (`certs.d`); containers-certs.d(5); daemon.json
`insecure-registries`; containers-registries.conf(5) `insecure`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from portside.remote.http import Trust
from portside.remote.text import parse


class PersonsTrust:
    """Trust by host."""

    def __init__(self, environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> None:
        """`root`: where `/etc` is."""
        self._environment = environment
        self._root = root

    def of(self, host: str) -> Trust:
        """What is believed of this host."""
        files = list(self._certificates(host))
        authorities = tuple(file for file in files if file.suffix == ".crt")
        pairs = [(file, file.with_suffix(".key")) for file in files if file.suffix == ".cert"]
        own = next((pair for pair in pairs if pair[1].is_file()), None)
        return Trust(authorities, insecure=self.is_insecure(host), client_certificate=own)

    def is_insecure(self, host: str) -> bool:
        """Whether a file says that this host needs no certificate, or no TLS at all."""
        return host in set(self._insecure())

    def _certificates(self, host: str) -> Iterator[Path]:
        home = Path(self._environment.get("HOME") or "/nonexistent")
        for folder in (
            home / ".config" / "containers" / "certs.d",
            self._root / "etc" / "containers" / "certs.d",
            self._root / "etc" / "docker" / "certs.d",
        ):
            try:
                yield from sorted((folder / host).iterdir())
            except OSError:
                continue

    def _insecure(self) -> Iterator[str]:
        daemon = _json(self._root / "etc" / "docker" / "daemon.json")
        yield from cast("list[str]", daemon.get("insecure-registries") or [])
        home = Path(self._environment.get("HOME") or "/nonexistent")
        for file in (
            home / ".config" / "containers" / "registries.conf",
            self._root / "etc" / "containers" / "registries.conf",
        ):
            for entry in cast("list[dict[str, Any]]", _toml(file).get("registry") or []):
                if entry.get("insecure") is True:
                    yield str(entry.get("location") or entry.get("prefix"))


def _json(file: Path) -> dict[str, Any]:
    try:
        found: object = parse(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
