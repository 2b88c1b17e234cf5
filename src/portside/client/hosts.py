"""Hosts of Amazon ECR, and what a name says of account, region and endpoint (ecr-behaviour 13). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REGISTRY = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9][a-z0-9-]*)\."
    r"(?P<suffix>amazonaws\.(?:com\.cn|com|eu)|on\.aws|on\.amazonwebservices\.com\.cn|sc2s\.sgov\.gov|c2s\.ic\.gov"
    r"|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
_VIRTUAL = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9][a-z0-9-]*)\.(?P<suffix>[^/]+)"
)
_DUAL = {"on.aws": "api.aws", "on.amazonwebservices.com.cn": "api.amazonwebservices.com.cn"}


@dataclass(frozen=True, slots=True)
class EcrHost:
    """What the name of an ECR registry says."""

    account: str
    region: str
    endpoint: str
    """The API that belongs to it, with its scheme."""


def ecr_host(host: str) -> EcrHost | None:
    """Read the name of one of Amazon's registries, of any kind and partition; None for another host."""
    found = _REGISTRY.fullmatch(host.lower())
    if found is None:
        return None
    fips = "-fips" if found["fips"] else ""
    suffix = _DUAL.get(found["suffix"])
    name = f"ecr{fips}.{found['region']}.{suffix}" if suffix else f"api.ecr{fips}.{found['region']}.{found['suffix']}"
    return EcrHost(found["account"], found["region"], f"https://{name}")


def virtual_host(host: str) -> tuple[str, str] | None:
    """Account and region of a host that is named as ECR's are, below any domain; None for another one."""
    found = _VIRTUAL.fullmatch(host.lower())
    return None if found is None else (found["account"], found["region"])
