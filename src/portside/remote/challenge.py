"""`WWW-Authenticate` as registries send it (RFC 9110 11.6.1; distribution, token authentication). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9._-]*)\s+")
_PARAMETER = re.compile(r'\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*(?:,|$)')
ECR_SERVICE = "ecr.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a registry wants to be convinced."""

    scheme: str
    """`basic` or `bearer`, in lower case."""
    realm: str = ""
    service: str = ""
    scope: str = ""

    @classmethod
    def parse(cls, header: str | None) -> Challenge | None:
        """Read the header's first challenge that is Bearer or Basic; None when there is none."""
        found = [one for one in _challenges(header or "") if one.scheme in {"bearer", "basic"}]
        return next((one for one in found if one.scheme == "bearer"), found[0] if found else None)

    @property
    def speaks_ecr(self) -> bool:
        """Whether the registry is ECR or behaves as it does (ecr-behaviour 1.2)."""
        return self.scheme == "basic" and self.service == ECR_SERVICE

    def question(self, scope: str) -> str:
        """The query that a token service is asked with, for the challenge's own scope or else this one."""
        wanted = {"service": self.service, "scope": self.scope or scope}
        return urlencode({name: value for name, value in wanted.items() if value})


def _challenges(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while (scheme := _SCHEME.match(header, position)) is not None:
        position = scheme.end()
        parameters: dict[str, str] = {}
        while (one := _PARAMETER.match(header, position)) is not None:
            parameters[one[1].lower()] = re.sub(r"\\(.)", r"\1", one[2]) if one[2] is not None else one[3]
            position = one.end()
        found.append(
            Challenge(
                scheme[1].lower(),
                parameters.get("realm", ""),
                parameters.get("service", ""),
                parameters.get("scope", ""),
            )
        )
    return found
