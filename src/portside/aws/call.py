"""What every handler is given besides its request: who calls, where, and what may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from portside.core.hosts import HostNames
from portside.core.names import RegistryId, RepositoryId
from portside.identity.caller import Caller, Circumstances
from portside.registry.registry import Registry

ISSUERS = "/oidc/"
"""What the paths begin with under which accounts publish the keys of their tokens."""


def issuer(hosts: HostNames, registry: RegistryId) -> str:
    """Give the address under which an account issues tokens."""
    return f"{hosts.endpoint(registry)}{ISSUERS}{registry.account}"


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call. Handlers know nothing of HTTP."""

    caller: Caller
    region: str
    registry: Registry
    hosts: HostNames

    def registry_id(self, account: str | None) -> RegistryId:
        """Give the registry of an account in the call's region; without an account, the caller's own."""
        return RegistryId(account or self.caller.principal.account, self.region)

    @property
    def issuer(self) -> str:
        """Give the address under which the caller's account issues tokens to others."""
        return issuer(self.hosts, self.registry_id(None))

    def repository(self, name: str, account: str | None) -> RepositoryId:
        """Give the repository that `repositoryName` and `registryId` name; raises InvalidParameter."""
        return self.registry_id(account).repository(name)


@dataclass(frozen=True, slots=True)
class UnsignedCall:
    """One call of somebody who brings a proof of another kind than a signature."""

    circumstances: Circumstances
    region: str
    registry: Registry
    hosts: HostNames
