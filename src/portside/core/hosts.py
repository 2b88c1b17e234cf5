"""Host names: which registry a name means, and the name a registry is shown under (ecr-behaviour 13).

A deployment answers on a bare host (`localhost:4510`), where region and account come from the credentials, and on
ECR's virtual hosts below a domain of its own: `A.dkr.ecr.G.DOMAIN`, `A.dkr-ecr.G.DOMAIN` and `api.ecr.G.DOMAIN`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from portside.core.names import RegistryId, RepositoryId

_REGISTRY = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([0-9a-z-]{2,25})\.(.+)")
_SERVICE = re.compile(r"(?:(?:api\.)?ecr(?:-fips)?|sts|iam)\.([0-9a-z-]{2,25})\.(.+)")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a Host header says: nothing (a bare host), a region, or a whole registry."""

    region: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class HostNames:
    """How this deployment is reached."""

    template: str
    """The registry's host as clients use it, with `{account}` and `{region}` where they belong."""
    scheme: str
    domain: str | None = None
    """What ECR's virtual hosts end in; None when the deployment has none."""

    def host(self, registry: RegistryId) -> str:
        """The host of one registry, with its port where it has one: what stands before `/` in an image's name."""
        return self.template.replace("{account}", registry.account).replace("{region}", registry.region)

    def endpoint(self, registry: RegistryId) -> str:
        """`proxyEndpoint`: scheme and host."""
        return f"{self.scheme}://{self.host(registry)}"

    def repository_uri(self, repository: RepositoryId) -> str:
        """`repositoryUri`: host and name, no scheme."""
        return f"{self.host(repository.registry)}/{repository.name}"

    def meaning(self, host: str) -> Meaning:
        """Read a Host header; a name outside the domain is a bare host."""
        if self.domain is None:
            return Meaning()
        name = host.rsplit(":", 1)[0].lower() if not host.endswith("]") else host
        name = name.removesuffix(".")  # the same name, to DNS
        if (found := _REGISTRY.fullmatch(name)) and found[3] == self.domain:
            return Meaning(region=found[2], account=found[1])
        if (found := _SERVICE.fullmatch(name)) and found[2] == self.domain:
            return Meaning(region=found[1])
        return Meaning()
