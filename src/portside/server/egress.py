"""What the operator allows this server to ask of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Egress:
    """The rules for issuers of web identities."""

    private_hosts: frozenset[str]
    """Hosts that may have a private or loopback address."""
    authorities: Path | None
    """Certificate authorities to trust beside the system's."""
    files: Mapping[str, Path]
    """Key sets by issuer, for sites that cannot reach it."""
